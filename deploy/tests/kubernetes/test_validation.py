"""Mistakes in the values that Helm refuses, with a sentence, before anything is applied."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.tests.kubernetes.chart import CHART, EXAMPLES, helm, render, values_file
from tests.support.executable import ROOT
from zendesk_chat.config import TOP_KEYS
from zendesk_chat.load.accounts.accounts_file import CREDENTIALS
from zendesk_chat.load.settings_file import KEYS
from zendesk_chat.streams.registry import STREAMS

POSTGRES = "postgres://loader@warehouse.example.com/chats"
WITH_PASSWORD = "postgres://loader:hunter2@warehouse.example.com/chats"


def refusal(values: dict[str, Any], folder: Path) -> str:
    done = helm("template", "zendesk-chat", CHART, values=values_file(values, folder))
    assert done.returncode != 0, done.stdout
    return done.stderr


def of_acme(**values: Any) -> dict[str, Any]:
    return {"accounts": {"acme": values}}


def two(own: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
    return {"accounts": {"acme": {}, "globex": {"settings": own or {}}}, **values}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "There are no accounts. Add one to `accounts`"),
        (of_acme() | {"image": {"tag": "0.1.0"}}, "image.repository: set it to the image that you built"),
        ({"accounts": {"Acme": {}}}, 'accounts: the account "Acme" needs another name: at most 40 lower-case letters'),
        ({"accounts": {"Acme": {}}, "oneCronJob": True}, 'accounts: the account "Acme" needs another name'),
        ({"accounts": {"a" * 41: {}}}, "at most 40 lower-case letters, digits and hyphens"),
        ({"accounts": {"metrics-files": {}}}, "not metrics-files"),
        ({"accounts": {"acme": None}}, "For an account without values of its own, write: acme: {}"),
        ({"accounts": {"a" * 40: {}}}, "has 53 characters, and Kubernetes allows 52"),
        (of_acme(shedule="H * * * *"), "'shedule' not allowed"),
        (of_acme() | {"pod": {"securityContext": {}}}, "/pod/securityContext"),
        (of_acme() | {"networkpolicy": {}}, "'networkpolicy' not allowed"),
        (of_acme(schedule="1 * * * *") | {"oneCronJob": True}, "accounts.acme.schedule: with oneCronJob"),
    ],
)
def test_mistakes_in_accounts_are_found(values: dict[str, Any], message: str, tmp_path: Path) -> None:
    assert message in refusal(values, tmp_path)


@pytest.mark.parametrize("key", ["token", "access_token", "credentials"])
def test_a_token_in_the_settings_is_refused_with_the_reason(key: str, tmp_path: Path) -> None:
    for where, values in [
        ("settings", of_acme() | {"settings": {key: "hunter2"}}),
        ("accounts.acme.settings", of_acme(settings={key: "hunter2"})),
    ]:
        message = refusal(values, tmp_path)
        assert f"{where}.{key}: Helm stores values, so they must not contain a token" in message
        assert "hunter2" not in message


@pytest.mark.parametrize(
    "to",
    [WITH_PASSWORD, "mysql://u:hunter2/x@h/db", "POSTGRES://:hunter2@h/db", "snowflake://u@a/db?password=hunter2"],
)
def test_a_password_in_a_url_is_refused_with_the_reason(to: str, tmp_path: Path) -> None:
    for where, values in [
        ("settings.to", of_acme() | {"settings": {"to": to}}),
        ("accounts.acme.settings.to", of_acme(settings={"to": to})),
        ("args", of_acme() | {"args": [f"--to={to}"]}),
    ]:
        message = refusal(values, tmp_path)
        assert f"{where}: Helm stores values, so " in message
        assert "as PGPASSWORD for Postgres, and name the Secret in `envSecret`" in message
        assert "hunter2" not in message


@pytest.mark.parametrize("to", [POSTGRES, "postgres://loader@h:5432/db?sslmode=require", "clickhouse://h:9440/db", "s3://b/x"])
def test_a_url_without_a_password_is_accepted(to: str, tmp_path: Path) -> None:
    (file,) = render(values_file(of_acme() | {"settings": {"to": to}}, tmp_path)).of("ConfigMap").values()
    assert f"to = {json.dumps(to)}" in file["data"]["accounts.toml"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tooo": "/data/x.duckdb"}, "'tooo' not allowed"),
        ({"streams": "chats"}, "settings/streams': got string, want array"),
        ({"streams": ["chat"]}, "settings/streams/0': value must be one of 'accounts', 'agents'"),
        ({"exclude": ["trigers"]}, "settings/exclude/0': value must be one of"),
        ({"start_date": "01.02.2024"}, "settings/start_date': '01.02.2024' does not match pattern"),
        ({"end_date": "2024-13-01"}, "settings/end_date': '2024-13-01' does not match pattern"),
        ({"lookback_minutes": "20"}, "settings/lookback_minutes': got string, want integer"),
        ({"wait": "1h"}, "settings/wait': got string, want number"),
    ],
)
def test_mistakes_in_settings_are_found(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    assert message in refusal(of_acme(settings=settings), tmp_path)
    assert message in refusal(of_acme() | {"settings": settings}, tmp_path)


@pytest.mark.parametrize("date", ["2024-01-31", "2024-01-31T12:00:00Z", "2024-01-31 12:00", "2024-01-31T12:00:00.5+02:00"])
def test_dates_and_times_are_accepted(date: str, tmp_path: Path) -> None:
    (file,) = render(values_file(of_acme(settings={"start_date": date}), tmp_path)).of("ConfigMap").values()
    assert f'start_date = "{date}"' in file["data"]["accounts.toml"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (two(settings={"to": POSTGRES, "schema": "same"}), "accounts.acme and accounts.globex would load into the same tables"),
        (two(settings={"to": POSTGRES}), "Set a schema that contains {account}"),
        (two(settings={"to": "/data/all.duckdb"}, oneCronJob=True), "would load into the same tables"),
        (
            two(own={"subdomain": "https://Acme.zendesk.com/"}),
            "accounts.acme and accounts.globex have the same subdomain, acme",
        ),
        (two(settings={"subdomain": "acme"}), "settings.subdomain: it would apply to all accounts"),
        (two(settings={"token_env": "TOKEN"}), "settings.token_env: it would apply to all accounts"),
        (two(own={"parallel": 2}), "accounts.globex.settings.parallel: it is for all accounts"),
        (of_acme() | {"volume": {"enabled": False}}, "`to` is the path /data/{account}.duckdb, but volume.enabled is"),
        (of_acme(volume={"enabled": False}), "the data would be lost"),
        (of_acme(settings={"to": "chats.duckdb"}), "the volume is mounted at /data"),
        (of_acme(settings={"to": "sqlite:///data/chats.sqlite"}), "the volume is mounted at /data"),
    ],
)
def test_settings_that_cannot_work_are_refused(values: dict[str, Any], message: str, tmp_path: Path) -> None:
    assert message in refusal(values, tmp_path)


@pytest.mark.parametrize(
    "settings",
    [
        {"to": POSTGRES, "schema": "zendesk_chat_{account}"},
        {"to": "/data/chats.duckdb"},  # on a volume of its own
        {"to": "sqlite:////data/chats.sqlite"},
        {"to": "ducklake:/data/lake.ducklake"},
        {"to": "file:///data/chats"},
        {"to": "s3://bucket/{account}"},
    ],
    ids=lambda settings: settings["to"],
)
def test_destinations_of_two_accounts_that_work_are_accepted(settings: dict[str, Any], tmp_path: Path) -> None:
    assert len(render(values_file(two(settings=settings), tmp_path)).of("CronJob")) == 2


@pytest.mark.parametrize(
    "schedule",
    ["H *", "H H * * *", "99 * * * *", "0 24 * * *", "0 0 0 * *", "0 0 * 13 *", "0 0 * * 7", "*/0 * * * *", "@often"],
)
def test_a_schedule_that_kubernetes_refuses_is_refused(schedule: str, tmp_path: Path) -> None:
    message = f"{json.dumps(schedule)} is not a schedule. Use the five fields"
    assert f"schedule: {message}" in refusal(of_acme() | {"schedule": schedule}, tmp_path)
    assert f"accounts.acme.schedule: {message}" in refusal(of_acme(schedule=schedule), tmp_path)


@pytest.mark.parametrize("schedule", ["5,35 8-18 * * MON-FRI", "*/15 * * * *", "0 0 1 jan ?", "@daily", "59 23 31 12 6"])
def test_a_schedule_of_kubernetes_is_used_as_it_is(schedule: str, tmp_path: Path) -> None:
    (job,) = render(values_file(of_acme(schedule=schedule), tmp_path)).of("CronJob").values()
    assert job["spec"]["schedule"] == schedule


@pytest.mark.parametrize("amount", ["lots", "1GB", "-1Gi", ""])
def test_an_amount_of_memory_that_kubernetes_refuses_is_refused(amount: str, tmp_path: Path) -> None:
    assert "/resources/limits/memory'" in refusal(of_acme() | {"resources": {"limits": {"memory": amount}}}, tmp_path)
    assert "/accounts/acme/resources/limits/memory'" in refusal(of_acme(resources={"limits": {"memory": amount}}), tmp_path)


def definitions() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
    return dict(schema["definitions"])


def test_the_schema_has_the_keys_and_streams_of_the_program() -> None:
    assert set(definitions()["settings"]["properties"]) == {"parallel", *TOP_KEYS, *KEYS, *CREDENTIALS}
    assert definitions()["streams"]["items"]["enum"] == list(STREAMS)


def test_the_schema_has_the_limits_of_the_program() -> None:
    spec = json.loads((ROOT / "src/zendesk_chat/airbyte/spec.json").read_text())["connectionSpecification"]
    ours, theirs = definitions()["settings"]["properties"], spec["properties"]
    for key in ("lookback_minutes", "requests_per_minute", "request_timeout_seconds"):
        assert ours[key] == {name: theirs[key][name] for name in ("type", "minimum", "maximum")}


def test_the_examples_name_no_image_of_someone_else() -> None:
    for path in [*EXAMPLES, CHART / "values.yaml"]:
        images = re.findall(r"repository: (\S+)", path.read_text())
        assert images in (["registry.example.com/zendesk-chat-loader"], ['""']), path


def test_the_values_of_the_page_are_accepted(tmp_path: Path) -> None:
    page = (ROOT / "docs/many-accounts.md").read_text().partition("### Install the chart")[2]
    (tmp_path / "accounts.yaml").write_text(page.partition("```yaml\n")[2].partition("```")[0])
    assert set(render(tmp_path / "accounts.yaml").of("CronJob")) == {"zendesk-chat-acme", "zendesk-chat-globex"}
