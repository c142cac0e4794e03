"""Load an account with dlt. Each run loads only new and changed records.

The account is in dlt's configuration: `subdomain` in .dlt/config.toml and `access_token` in .dlt/secrets.toml, both below
[sources.zendesk_chat], or SOURCES__ZENDESK_CHAT__SUBDOMAIN and SOURCES__ZENDESK_CHAT__ACCESS_TOKEN in the environment.
docs/dlt.md describes them.
"""

from __future__ import annotations

import dlt

from zendesk_chat import zendesk_chat_source


def main() -> None:
    """Load into a DuckDB file, and print how many rows each table has."""
    pipeline = dlt.pipeline(
        "zendesk_chat",
        destination=dlt.destinations.duckdb("acme.duckdb"),  # any destination of dlt
        dataset_name="zendesk_chat",
    )
    pipeline.run(zendesk_chat_source())
    with pipeline.sql_client() as client:
        for table in pipeline.default_schema.data_table_names():
            counted = client.execute_sql(f"SELECT count(*) FROM {client.make_qualified_table_name(table)}")
            for (rows,) in counted or []:
                print(f"{table:24}{rows:>8,}")


if __name__ == "__main__":
    main()
