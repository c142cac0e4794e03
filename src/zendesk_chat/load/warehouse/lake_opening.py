"""Opens a folder or a bucket: checks that it can be used, keeps other syncs out, and reads which files are there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, cast

from zendesk_chat.errors import DestinationRefusedError
from zendesk_chat.load.warehouse.atomic_files import UNFINISHED
from zendesk_chat.load.warehouse.kinds import FORMATS
from zendesk_chat.load.warehouse.lake_folder import SOURCE
from zendesk_chat.load.warehouse.lake_lock import LOCK, folder_lock
from zendesk_chat.streams.registry import STREAMS

if TYPE_CHECKING:
    import dlt

    from zendesk_chat.load.warehouse.lake import LakeClient
    from zendesk_chat.load.warehouse.lock import Lock, Waiting


@contextmanager
def locked_folder(pipeline: dlt.Pipeline, where: str, waiting: Waiting) -> Iterator[Lock]:
    """Take the lock of the dataset, and note its files.

    Raises:
        DestinationError: Another sync loads into it.
        DestinationRefusedError: It contains files of somebody else, or tables in another format.
    """
    with pipeline.destination_client() as opened:
        client = cast("LakeClient", opened)
        if client.is_local_filesystem:
            client.fs_client.makedirs(client.dataset_path, exist_ok=True)
        with folder_lock(client, where, waiting) as lock:
            client.fs_client.invalidate_cache()
            paths = [str(path) for path in client.fs_client.find(client.dataset_path)]
            _refuse_others(client, where, paths)
            _refuse_other_format(client, where)
            _delete_unfinished(client, paths)
            for path in paths:
                client.lake.folder.add(path)
            yield lock


def _refuse_others(client: LakeClient, where: str, paths: list[str]) -> None:
    """Refuse files without the schema that each sync stores before its first row."""
    ours = f"/{client.schema.version_table_name}/{SOURCE}__"
    if any(ours in path.replace("\\", "/") for path in paths):
        return
    others = [path for path in paths if LOCK not in path and not path.endswith((UNFINISHED, "/init"))]
    if others:
        raise DestinationRefusedError(
            f"{where[0].upper()}{where[1:]} contains files that sync did not write, such as {others[0].rpartition('/')[2]}. "
            "Choose another folder with --to, or another schema with --schema NAME."
        )


def _refuse_other_format(client: LakeClient, where: str) -> None:
    """Refuse tables in another format: this sync would not see their rows. The stored schema contains the format."""
    stored = client.get_stored_schema(SOURCE)
    tables = json.loads(stored.schema)["tables"] if stored is not None else {}
    formats = {tables[name].get("table_format", "parquet") for name in STREAMS if name in tables}
    for other in sorted(formats - {client.lake.table_format}):
        what = FORMATS[other].title if other == "parquet" else f"{FORMATS[other].title} tables"
        raise DestinationRefusedError(
            f"{where[0].upper()}{where[1:]} contains {what}: load into them with ?format={other} in the URL, or choose another "
            "folder with --to or another schema with --schema NAME."
        )


def _delete_unfinished(client: LakeClient, paths: list[str]) -> None:
    """Delete what a killed sync was writing."""
    for path in paths:
        if path.endswith(UNFINISHED):
            with suppress(OSError):
                client.fs_client.rm_file(path)
