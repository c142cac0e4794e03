"""What messages call the tables of one account in a destination, and what a user can choose instead."""

from __future__ import annotations

from zendesk_chat.load.warehouse.kinds import Kind


def location(kind: Kind, dataset: str, name: str) -> str:
    """Return what messages call the tables of one account: a schema of a destination, a folder, or an SQLite file.

    Args:
        kind: Of the destination.
        dataset: The schema.
        name: What messages call the destination.
    """
    if kind.table_format is not None:
        return f"{name.rstrip('/')}/{dataset}"
    return name if kind.name == "sqlite" else f"the {'database' if kind.in_url else 'schema'} {dataset} of {name}"


def has_schemas(kind: Kind) -> bool:
    """Return whether ``--schema`` names another location in the same destination."""
    return kind.name != "sqlite" and not kind.in_url


def another(kind: Kind) -> str:
    """Return what another URL would name."""
    if kind.table_format is not None:
        return "another folder"
    return "another file" if kind.name == "sqlite" else "another database"
