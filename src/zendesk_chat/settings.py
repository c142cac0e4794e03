"""What each setting is called: the key in a file, the environment variable and the option of the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal["string", "integer", "seconds", "names"]

PREFIX: Final = "ZENDESK_CHAT_"
DEFAULT_DATABASE: Final = "chats.duckdb"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that you can set in more than one way.

    Attributes:
        key: In a configuration file.
        kind: How the string in an environment variable is parsed; ``names`` is a list, separated by commas.
        option: Of the command line; empty if there is none.
        secret: Whether a second variable, ending in ``_FILE``, may name a file that contains the value.
    """

    key: str
    kind: Kind = "string"
    option: str = ""
    secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.key.upper()


SETTINGS: Final = (
    Setting("subdomain", option="--subdomain"),
    Setting("token", option="--token", secret=True),
    Setting("client_id"),
    Setting("client_secret", secret=True),
    Setting("refresh_token", secret=True),
    Setting("api_url", option="--api-url"),
    Setting("start_date", option="--start-date"),
    Setting("end_date", option="--end-date"),
    Setting("lookback_minutes", "integer"),
    Setting("requests_per_minute", "integer"),
    Setting("request_timeout_seconds", "integer"),
    Setting("redact", "names", "--redact"),
    Setting("hash_key", secret=True),
    Setting("streams", "names", "--streams"),
    Setting("exclude", "names", "--exclude"),
    Setting("to", option="--to"),
    Setting("schema", option="--schema"),
    Setting("time_zone", option="--time-zone"),
    Setting("wait", "seconds", "--wait"),
)
HASH_KEY: Final = f"{PREFIX}HASH_KEY"
VARIABLES: Final = {setting.variable: setting for setting in SETTINGS}
FILE_VARIABLES: Final = {f"{setting.variable}_FILE": setting for setting in SETTINGS if setting.secret}
OPTIONS: Final = {setting.key: setting.option for setting in SETTINGS if setting.option}
SYNC_KEYS: Final = ("streams", "exclude", "to", "schema", "time_zone", "wait")
"""Keys of `sync` that do not concern the API. Only files for the command line may contain them."""
