"""How to connect to Postgres: libpq reads the URL. It knows more than dlt's parser, such as sockets, services and ``PG*``."""

# dlt reads the annotations of a class, so that they cannot be strings.

import dataclasses
from typing import Any, Final, Optional
from urllib.parse import urlsplit

import psycopg2
from dlt.common.configuration import configspec
from dlt.common.typing import TSecretStrValue
from dlt.destinations.impl.postgres.configuration import PostgresClientConfiguration, PostgresCredentials

_DEFAULTS: Final = {
    "application_name": "zendesk-chat",
    "connect_timeout": 15,
    "keepalives_idle": 60,  # a firewall forgets a connection that sends nothing
    "client_encoding": "UTF8",
}
"""For what the URL does not set."""


@configspec(init=False)
class Credentials(PostgresCredentials):
    """A URL as the user wrote it. dlt looks for ``password`` in its own configuration if the URL has none."""

    url: str = dataclasses.field(default="", repr=False)
    database: Optional[str] = None  # type: ignore[assignment]  # noqa: UP045  dlt reads this form only
    username: Optional[str] = None  # type: ignore[assignment]  # noqa: UP045
    password: Optional[TSecretStrValue] = None  # type: ignore[assignment]  # noqa: UP045
    host: Optional[str] = None  # type: ignore[assignment]  # noqa: UP045

    def parse_native_representation(self, native_value: str) -> None:
        """Take the URL as it is."""
        self.url = native_value

    def to_native_representation(self) -> str:
        """Return the URL."""
        return self.url

    def connect(self) -> psycopg2.extensions.connection:
        """Open a connection."""
        parts = urlsplit(self.url)
        options: dict[str, Any] = {name: value for name, value in _DEFAULTS.items() if f"{name}=" not in parts.query}
        if self.password and not parts.password and "password=" not in parts.query:
            options["password"] = self.password
        connection: psycopg2.extensions.connection = psycopg2.connect(self.url, **options)
        return connection


@configspec
class Configuration(PostgresClientConfiguration):
    """dlt's configuration of the destination, with these credentials."""

    credentials: Credentials = None  # type: ignore[assignment]  # dlt's form of a required field

    def data_location(self) -> str:
        """Return what dlt compares if it reads one destination from another, which we do not do."""
        return self.destination_type
