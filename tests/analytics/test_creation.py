"""Views are created where they belong, again only if something changed, and beside whatever the user has in the file."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.loaded_account import VIEWS, create_tables, existing_views, open_file
from tests.support.view_answers import D13, D14, D15
from zendesk_chat.analytics.definitions import views_schema
from zendesk_chat.analytics.views import create_views

FROM_CHATS = [view for view in VIEWS if view not in ("agent_spans", "agent_time", "agent_hours")]


@pytest.fixture
def path(account: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(account, tmp_path / "chats.duckdb"))


@pytest.fixture
def database(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(path)) as connection:
        yield connection


def rows(database: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return database.execute(query).fetchall()


def object_ids(database: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    """Return what changes if any view or macro is created again, or a record of one."""
    return rows(
        database,
        """
        SELECT view_name, view_oid FROM duckdb_views() WHERE NOT internal
        UNION ALL
        SELECT function_name, function_oid FROM duckdb_functions() WHERE NOT internal
        UNION ALL
        SELECT view, rowid FROM _sync_views ORDER BY ALL
        """,
    )


def test_nothing_is_created_again_while_nothing_changes(path: Path) -> None:
    before = path.read_bytes()
    for _ in range(2):
        with duckdb.connect(str(path)) as database:
            ids = object_ids(database)
            assert create_views(database) == []
            assert object_ids(database) == ids
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        "DROP VIEW analytics.chats_by_day",
        "DROP MACRO analytics._share",
        "ALTER VIEW analytics.chats_by_day RENAME TO mine",
        "ALTER TABLE agents ADD COLUMN nickname VARCHAR",
    ],
)
def test_views_are_created_again_after_a_change(path: Path, change: str) -> None:
    with duckdb.connect(str(path)) as database:
        database.execute(change)
        ids = object_ids(database)
    with duckdb.connect(str(path)) as database:
        assert create_views(database) == []
        assert object_ids(database) != ids
        assert existing_views(database) == VIEWS
        ids = object_ids(database)
        assert create_views(database) == []
        assert object_ids(database) == ids


def test_creating_them_again_and_again_does_not_grow_the_file(path: Path) -> None:
    sizes = []
    for zone in ("UTC", "Asia/Tokyo") * 4:
        with duckdb.connect(str(path)) as database:
            create_views(database, "main", zone)
        sizes.append(path.stat().st_size)
    assert max(sizes[4:]) == max(sizes[:4])


@pytest.mark.parametrize("record", ["nonsense", "[]", "{}", "null"])
def test_a_record_that_somebody_changed_is_no_record(path: Path, record: str) -> None:
    with duckdb.connect(str(path)) as database:
        database.execute("UPDATE _sync_views SET sql = $1 WHERE view = ''", [record])
        assert create_views(database) == []
        assert existing_views(database) == VIEWS


@pytest.mark.parametrize("schema", ["main", "acme"])
def test_nothing_is_created_where_nothing_is_loaded(tmp_path: Path, schema: str) -> None:
    with open_file(tmp_path / "empty.duckdb") as database:
        database.execute("CREATE SCHEMA analytics; CREATE TABLE chats_of_mine AS SELECT 1 AS one")
        assert create_views(database, schema) == []
        assert existing_views(database, schema) == []
        assert rows(database, "SELECT table_name FROM duckdb_tables()") == [("chats_of_mine",)]


def test_views_follow_the_tables(database: duckdb.DuckDBPyConnection) -> None:
    database.execute("DROP TABLE agent_timeline; DROP TABLE agents")
    assert create_views(database) == []
    assert existing_views(database) == FROM_CHATS
    agents = rows(database, "SELECT DISTINCT agent FROM analytics.chats_by_agent ORDER BY agent")
    assert agents == [("(none)",), ("Anna",), ("Bo",), ("Cy",)]
    database.execute("DROP TABLE chats; DROP TABLE conversions")
    assert create_views(database) == []
    assert existing_views(database) == ["agent_names", "department_names"]
    assert rows(database, "SELECT count(*) FROM duckdb_views() WHERE schema_name = 'analytics'") == [(2,)]


def test_what_an_earlier_version_created_is_dropped_unless_the_user_has_replaced_it(
    database: duckdb.DuckDBPyConnection,
) -> None:
    for name in ("old", "older"):
        database.execute(f"CREATE VIEW analytics.{name} AS SELECT 1 AS one")
        (sql,) = rows(database, f"SELECT sql FROM duckdb_views() WHERE view_name = '{name}'")[0]
        database.execute("INSERT INTO _sync_views VALUES ($1, $2)", [name, sql])
    database.execute("CREATE OR REPLACE VIEW analytics.older AS SELECT 2 AS one; CREATE VIEW analytics.mine AS SELECT 3 AS one")
    assert create_views(database, "main", "Asia/Tokyo") == []
    mine = "SELECT view_name FROM duckdb_views() WHERE view_name IN ('old', 'older', 'mine') ORDER BY view_name"
    assert rows(database, mine) == [("mine",), ("older",)]
    assert create_views(database) == []
    assert rows(database, "FROM analytics.older") == [(2,)]


def test_an_error_changes_nothing(database: duckdb.DuckDBPyConnection) -> None:
    ids = object_ids(database)
    database.execute("DROP VIEW analytics.transcript; ALTER TABLE _sync_views ADD COLUMN more INTEGER")
    with pytest.raises(duckdb.BinderException, match="_sync_views"):
        create_views(database)
    assert [one for one in object_ids(database) if one not in ids] == []
    assert existing_views(database) == VIEWS[:-1]


TAKEN = [  # the user's object, its kind, and what it answers
    ("DROP VIEW analytics.transcript; CREATE TABLE analytics.transcript AS SELECT 2 AS one", "table", "analytics.transcript"),
    ("DROP VIEW analytics.transcript; CREATE TABLE analytics.TRANSCRIPT AS SELECT 2 AS one", "table", "analytics.transcript"),
    ("CREATE OR REPLACE VIEW analytics.transcript AS SELECT 2 AS one", "view", "analytics.transcript"),
    (
        "CREATE OR REPLACE VIEW analytics.chat_facts AS SELECT 2 AS one; COMMENT ON VIEW analytics.chat_facts IS 'Mine'",
        "view",
        "analytics.chat_facts",
    ),
    ("CREATE OR REPLACE MACRO analytics._share(a, b) AS 2", "macro", "analytics._share"),
    ("CREATE OR REPLACE MACRO analytics.local_time(a) AS 2, (a, b) AS 3", "macro", "analytics.local_time"),
]


@pytest.mark.parametrize(("change", "kind", "name"), TAKEN)
def test_an_object_of_the_user_stays_and_is_named(path: Path, change: str, kind: str, name: str) -> None:
    query = {"analytics._share": "SELECT analytics._share(1, 5)", "analytics.local_time": "SELECT analytics.local_time(1)"}
    warning = f"The {kind} {name} is yours, so the reporting view was not created. Rename or drop it, then sync again."
    with duckdb.connect(str(path)) as database:
        database.execute(change)
    for zone in ("UTC", "UTC", "Asia/Tokyo"):
        with duckdb.connect(str(path)) as database:
            assert create_views(database, "main", zone) == [warning]
            assert rows(database, query.get(name, f"FROM {name}")) == [(2,)]
    with duckdb.connect(str(path)) as database:
        database.execute(f"DROP {kind} {name}")
        assert create_views(database) == []
        assert existing_views(database) == VIEWS


def test_an_object_that_was_there_first_stays(tmp_path: Path) -> None:
    with open_file(tmp_path / "first.duckdb") as database:
        database.execute("CREATE SCHEMA Analytics; CREATE VIEW Analytics.Chats_By_Day AS SELECT 2 AS two")
        database.execute("CREATE TABLE analytics.mine AS SELECT 1 AS one; CREATE SEQUENCE analytics.missed_by_day")
        create_tables(database)
        assert create_views(database) == [
            (
                "The view analytics.chats_by_day is yours, so the reporting view was not created. "
                "Rename or drop it, then sync again."
            )
        ]
        assert rows(database, "FROM analytics.chats_by_day") == [(2,)]
        assert rows(database, "FROM analytics.mine") == [(1,)]
        assert rows(database, "SELECT count(*) FROM analytics.missed_by_day") == [(4,)]


def test_views_of_the_user_over_ours_work_on(database: duckdb.DuckDBPyConnection) -> None:
    database.execute("CREATE VIEW totals AS SELECT sum(chats) AS chats FROM analytics.chats_by_day")
    database.execute("CREATE VIEW analytics.zone AS SELECT analytics.time_zone() AS zone")
    database.execute("CREATE VIEW hours AS FROM analytics.agent_hours")
    assert create_views(database, "main", "Asia/Tokyo") == []
    assert rows(database, "FROM totals") == [(7,)]
    assert rows(database, "FROM analytics.zone") == [("Asia/Tokyo",)]
    database.execute("DROP TABLE agent_timeline")
    assert create_views(database, "main", "Asia/Tokyo") == []
    assert rows(database, "FROM totals") == [(7,)]
    assert rows(database, "SELECT view_name FROM duckdb_views() WHERE view_name = 'hours'") == [("hours",)]


def test_our_views_use_a_view_of_the_user_if_it_has_their_columns(database: duckdb.DuckDBPyConnection) -> None:
    database.execute("CREATE TABLE facts AS FROM analytics.chat_facts WHERE chat_id <> 'c1'")
    database.execute("CREATE OR REPLACE VIEW analytics.chat_facts AS SELECT * EXCLUDE (tags) FROM facts")
    assert len(create_views(database)) == 1
    assert rows(database, "SELECT sum(chats) FROM analytics.chats_by_day") == [(6,)]
    assert existing_views(database) == [view for view in VIEWS if view != "chats_by_tag"]


def test_a_comment_of_the_user_stays_until_the_view_changes(database: duckdb.DuckDBPyConnection) -> None:
    database.execute("COMMENT ON VIEW analytics.chats_by_day IS 'Ask Ana'")
    assert create_views(database) == []
    comment = "SELECT comment FROM duckdb_views() WHERE view_name = 'chats_by_day'"
    assert rows(database, comment) == [("Ask Ana",)]
    assert create_views(database, "main", "Asia/Tokyo") == []
    assert rows(database, comment) == [("How many chats and offline messages there were on each day.",)]


def test_sql_that_duckdb_writes_differently_when_the_file_is_opened_again_is_still_ours(path: Path) -> None:
    with duckdb.connect(str(path)) as database:
        fresh = dict(rows(database, "SELECT view, sql FROM _sync_views"))
        opened = dict(rows(database, "SELECT view_name, sql FROM duckdb_views() WHERE schema_name = 'analytics'"))
        assert {view for view in VIEWS if opened[view] != fresh[view]}, "DuckDB writes both alike: simplify the comparison"
        database.execute("DELETE FROM _sync_views WHERE view = ''")  # and with it the recorded comments
        assert create_views(database) == []
        assert existing_views(database) == VIEWS


def test_sql_that_another_version_of_duckdb_writes_differently_is_still_ours(database: duckdb.DuckDBPyConnection) -> None:
    database.execute("UPDATE _sync_views SET sql = 'CREATE VIEW written otherwise' WHERE view <> ''")
    assert create_views(database, "main", "Asia/Tokyo") == []
    assert existing_views(database) == VIEWS


@pytest.mark.parametrize("schema", ["acme-eu", "order", 'we"ird', "chat", "analytics"])
def test_accounts_side_by_side(path: Path, schema: str) -> None:
    quoted = '"' + schema.replace('"', '""') + '"'
    views = '"' + views_schema(schema).replace('"', '""') + '"'
    with duckdb.connect(str(path)) as database:
        main = rows(database, "FROM analytics.chats_by_agent ORDER BY ALL")
        ids = object_ids(database)
        create_tables(database, schema=schema)
        database.execute(f"DELETE FROM {quoted}.chats WHERE id <> 'c1'; UPDATE {quoted}.agents SET display_name = 'Eva'")
        assert create_views(database, schema, "Asia/Tokyo") == []
        assert existing_views(database, schema) == VIEWS
        assert rows(database, f"FROM {views}.chats_by_agent") == [(D14, "11", "Eva", 1, 1)]
        assert rows(database, f"SELECT hour FROM {views}.chat_facts") == [(18,)]
        assert rows(database, "FROM analytics.chats_by_agent ORDER BY ALL") == main
        assert set(ids) <= set(object_ids(database))
        assert create_views(database) == []
        for view in VIEWS:
            rows(database, f"FROM {views}.{view}")


def test_a_file_with_the_name_of_a_schema(tmp_path: Path) -> None:
    for name, schema in (("acme", "acme"), ("analytics", "main"), ("Acme_Analytics", "acme")):
        with open_file(tmp_path / f"{name}.duckdb") as database:
            create_tables(database, "departments", schema=schema)
            (warning,) = create_views(database, schema)
        assert warning == (
            f"Views in {name}.duckdb fail because a schema has the same name. Rename the file, or open it with: "
            f"ATTACH '{name}.duckdb' AS account; USE account"
        )
        with duckdb.connect() as database:
            database.execute(warning.partition("with: ")[2].replace("'", f"'{tmp_path}/", 1))
            assert rows(database, f"SELECT department FROM {views_schema(schema)}.department_names WHERE department_id = '1'")


def test_the_stored_time_zone_holds_unless_a_session_has_its_own(database: duckdb.DuckDBPyConnection) -> None:
    assert create_views(database, "main", "Asia/Tokyo") == []
    database.execute("SET TimeZone = 'America/New_York'")
    by_day = "SELECT day, chats, offline_messages FROM analytics.chats_by_day ORDER BY day LIMIT 2"
    assert rows(database, by_day) == [(D14, 5, 0), (D15, 0, 1)]
    assert rows(database, "SELECT weekday, hour, month(day) FROM analytics.chat_facts WHERE chat_id = 'c4'") == [
        ("Saturday", 8, 3)
    ]
    assert rows(database, "SELECT hour_start FROM analytics.concurrent_chats ORDER BY ALL LIMIT 1")[0][0].hour == 8
    assert rows(database, "FROM analytics.agent_time ORDER BY ALL LIMIT 1") == [(D14, "11", "Ana", "(none)", 1)]
    database.execute("SET VARIABLE time_zone = 'UTC'")
    assert rows(database, by_day) == [(D13, 1, 0), (D14, 4, 1)]


def test_summer_time(database: duckdb.DuckDBPyConnection) -> None:
    database.execute("DELETE FROM chats WHERE id NOT IN ('c1', 'c2', 'c3')")
    for name, time in (("c1", "2026-03-28T23:30:00Z"), ("c2", "2026-03-29T23:30:00Z"), ("c3", "2026-10-31T23:30:00Z")):
        database.execute("UPDATE chats SET timestamp = $2 WHERE id = $1", [name, time])
    assert create_views(database, "main", "Europe/Lisbon") == []
    assert rows(database, "SELECT chat_id, day, weekday, hour FROM analytics.chat_facts ORDER BY chat_id") == [
        ("c1", date(2026, 3, 28), "Saturday", 23),
        ("c2", date(2026, 3, 30), "Monday", 0),
        ("c3", date(2026, 10, 31), "Saturday", 23),
    ]


def test_many_objects_of_the_user_are_one_warning(database: duckdb.DuckDBPyConnection) -> None:
    create_views(database)
    database.execute("DROP TABLE _sync_views")
    (warning,) = create_views(database)
    assert re.fullmatch(r"\d+ objects in the schema analytics, such as analytics\.\w+, are yours, .*", warning)
