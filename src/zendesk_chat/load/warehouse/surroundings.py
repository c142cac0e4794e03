"""What dlt reads from its surroundings: the credentials of the destination. All other settings are ours.

dlt looks up each of its settings, such as ``load.workers``, in environment variables, ``secrets.toml`` and ``config.toml``.
"""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final

from dlt.common.configuration.container import Container
from dlt.common.configuration.providers import ConfigProvider, EnvironProvider
from dlt.common.configuration.providers.doc import BaseDocProvider
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.configuration.utils import get_resolved_traces
from dlt.common.runtime.run_context import RunContext

from zendesk_chat.errors import ConfigError

PIPELINE: Final = "zendesk_chat"
_SETTINGS: Final[dict[str, object]] = {
    "runtime": {
        "dlthub_telemetry": False,
        "log_level": "CRITICAL",  # we report errors ourselves
        "intercept_signals": False,  # Ctrl-C ends a run at once
    },
    "providers": {"enable_airflow_secrets": False},
    "schema": {"naming": "snake_case"},
    "enable_runtime_trace": False,
    "load": {
        "workers": 1,  # a database file has one writer
        "truncate_staging_dataset": True,  # or the rows of the last transaction stay there
        # If a connection breaks during a commit, nobody knows whether the rows are there. A second try would double them, but
        # the next sync merges them.
        "raise_on_max_retries": 1,
    },
    "normalize": {"workers": 1},
    f"{PIPELINE}_files": {
        "load": {"truncate_staging_dataset": False, "raise_on_max_retries": 5}
    },  # settings of a pipeline come first
}
_CREDENTIALS: Final = "credentials"
_OF_URL: Final = frozenset(
    {
        *("drivername", "host", "port", "database", "query", "catalog", "server_hostname", "bucket_url", "storage"),
        *("ducklake_name", "metadata_schema", "session_timezone", "client_encoding", "connect_timeout", "dataset_name"),
    }
)
"""Fields of credentials that say where the destination is, and how it behaves. Only the URL and our settings decide that."""
SECRETS: Final = (Path(".dlt/secrets.toml"), Path("~/.dlt/secrets.toml"))
"""The files of credentials. The first one wins."""


class _Settings(BaseDocProvider):
    """Our settings, which come first."""

    @property
    def name(self) -> str:
        """Its name in messages."""
        return "zendesk-chat"

    @property
    def supports_secrets(self) -> bool:
        """Whether it may contain secrets."""
        return False


class _SecretsFile(BaseDocProvider):
    """A file ``secrets.toml``."""

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        super().__init__(content)
        self._path = path

    @property
    def name(self) -> str:
        """Its name in messages."""
        return str(self._path)

    @property
    def supports_secrets(self) -> bool:
        """Whether it may contain secrets."""
        return True


class _CredentialsOnly(ConfigProvider):
    """The credentials of another provider."""

    def __init__(self, provider: ConfigProvider) -> None:
        self._provider = provider

    def get_value(self, key: str, hint: type[Any], pipeline_name: str | None, *sections: str) -> tuple[object, str]:
        """Return a value, and the name of it there. The value is None if there is none, or if it is no credential."""
        if key in _OF_URL or (key != _CREDENTIALS and _CREDENTIALS not in sections):
            return None, key
        return self._provider.get_value(key, hint, pipeline_name, *sections)

    @property
    def name(self) -> str:
        """Its name in messages."""
        return self._provider.name

    @property
    def supports_secrets(self) -> bool:
        """Whether it may contain secrets."""
        return True

    @property
    def supports_sections(self) -> bool:
        """Whether its names have sections."""
        return True


class _Surroundings(RunContext):
    """dlt's surroundings, without its settings. dlt's variables, such as DLT_DATA_DIR, have no effect."""

    def initial_providers(self) -> list[ConfigProvider]:
        """Return where settings are looked up. The first provider that has one wins."""
        files = [_SecretsFile(path, content) for path in SECRETS if (content := _read_secrets(path))]
        return [_Settings(_SETTINGS), *map(_CredentialsOnly, (EnvironProvider(), *files))]

    @property
    def run_dir(self) -> str:
        """The directory of relative paths."""
        return "."

    @property
    def local_dir(self) -> str:
        """The directory of relative paths to data."""
        return "."


def _read_secrets(path: Path) -> dict[str, Any]:
    """Return the content of a file; nothing if there is no such file. Raises ConfigError."""
    try:
        return tomllib.loads(path.expanduser().read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, RuntimeError):  # the last one: there is no home directory
        return {}
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:  # of TOML or UTF-8; the former has a line, and no value
        raise ConfigError(f"{path} is not valid TOML: {error}.") from None


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep warnings of pyiceberg from stderr, such as those about columns without statistics, unless somebody set its level."""
    logger = logging.getLogger("pyiceberg")
    if logger.level != logging.NOTSET:
        yield
        return
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(logging.NOTSET)


_lock: Final = Lock()
_open: Final = ExitStack()
_users: Final[list[object]] = []


@contextmanager
def our_settings() -> Iterator[None]:
    """Let dlt use our settings while the block runs. Several threads may do so at the same time.

    Raises:
        ConfigError: A file of credentials cannot be read.
    """
    user = object()
    with _lock:
        if not _users:
            _open.enter_context(_without_warnings())
            _open.enter_context(Container().injectable_context(PluggableRunContext(_Surroundings(None))))
        _users.append(user)
    try:
        # Only dlt's own trace, which is off, empties this one of the thread. Through the exceptions in it, it would keep the
        # data of each commit alive.
        get_resolved_traces().logging_enabled = False
        yield
    finally:
        with _lock:
            _users.remove(user)
            if not _users:
                _open.close()
