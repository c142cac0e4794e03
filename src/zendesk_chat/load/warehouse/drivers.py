"""The driver of a destination: how to install it, whether it is installed, and where it finds passwords and keys."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from zendesk_chat.load.warehouse.kinds import STORAGES, Kind

STORAGE_MODULES: Final[dict[str, str]] = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs"}
"""The module of each of these extras."""
_STORAGE_TITLES: Final = {"s3": "S3", "gs": "Google Cloud Storage", "az": "Azure Blob Storage"}
_OF_FILES: Final = "DESTINATION__FILESYSTEM__CREDENTIALS"
STORAGE_SECRETS: Final[dict[str, tuple[str, ...]]] = {
    "s3": (
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        "AWS_PROFILE, ~/.aws or the role of the machine",
        f"{_OF_FILES}__AWS_ACCESS_KEY_ID and {_OF_FILES}__AWS_SECRET_ACCESS_KEY",
    ),
    "gs": (
        "GOOGLE_APPLICATION_CREDENTIALS, the path of a service account's JSON file",
        f"{_OF_FILES}, the content of such a file",
    ),
    "az": (
        f"{_OF_FILES}__AZURE_STORAGE_ACCOUNT_NAME and {_OF_FILES}__AZURE_STORAGE_ACCOUNT_KEY",
        "AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, with the first of these two names",
    ),
}
"""Where the keys of a bucket may be, by extra."""


def install_command(kind: Kind, scheme: str = "") -> str:
    """Return the command that installs the driver for a scheme, or for the kind alone if there is none.

    >>> install_command(FORMATS["delta"], "s3")
    "pip install 'zendesk-chat[s3,delta]'"
    """
    storage = STORAGES.get(scheme, "") if kind.table_format else ""
    extras = ",".join(filter(None, (storage, *kind.extras))) or "load"
    return f"pip install 'zendesk-chat[{extras}]'"


def missing_modules(kind: Kind, scheme: str = "") -> list[str]:
    """Return the modules of the driver that are not installed."""
    storage = STORAGE_MODULES.get(STORAGES.get(scheme, "")) if kind.table_format else None
    return [module for module in (*kind.modules, *filter(None, (storage,))) if not _is_installed(module)]


def missing_driver(kind: Kind, scheme: str) -> str:
    """Return what a missing driver is for: the kind, or only the bucket of its files; "" if none is missing."""
    missing = missing_modules(kind, scheme)
    if not missing:
        return ""
    return kind.title if any(module in kind.modules for module in missing) else _STORAGE_TITLES[STORAGES[scheme]]


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # of the package that would contain it
        return False


def secrets_of(kind: Kind, scheme: str = "") -> tuple[str, ...]:
    """Return where a password or a key may be; for files, where the keys of a bucket with this scheme may be."""
    return STORAGE_SECRETS.get(STORAGES.get(scheme, ""), ()) if kind.table_format else kind.secrets
