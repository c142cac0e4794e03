"""Tables as files in a folder or a bucket, through dlt: Parquet files, Delta tables or Iceberg tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from dlt.common.destination.client import LoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.schema import Schema, TTableSchemaColumns
from dlt.destinations.impl.filesystem.configuration import FilesystemDestinationClientConfiguration
from dlt.destinations.impl.filesystem.factory import filesystem as dlt_filesystem
from dlt.destinations.impl.filesystem.filesystem import FilesystemClient

from zendesk_chat.load.warehouse.address import Address
from zendesk_chat.load.warehouse.atomic_files import AtomicFiles
from zendesk_chat.load.warehouse.lake_folder import Folder
from zendesk_chat.load.warehouse.lake_parquet import ParquetJob
from zendesk_chat.load.warehouse.lake_views import VIEWS, views_sql

if TYPE_CHECKING:
    from zendesk_chat.load.warehouse.kinds import TableFormat
    from zendesk_chat.load.warehouse.transaction import Part

_LOADS_KEPT: Final = 100


@dataclass
class Lake:
    """What a run knows of a folder or a bucket.

    Attributes:
        table_format: Of the tables, as the URL names it.
        parts: What is being written, by the name of the table.
        folder: The Parquet files.
        views: The script with their views, as this run has written it.
    """

    table_format: TableFormat
    parts: dict[str, Part] = field(default_factory=dict)
    folder: Folder = field(default_factory=Folder)
    views: str = ""


class LakeClient(FilesystemClient):
    """dlt's client, with jobs that replace the rows of edited chats.

    Attributes:
        lake: What all clients of a run share.
    """

    lake: Lake

    def __init__(self, schema: Schema, config: FilesystemDestinationClientConfiguration, capabilities: Any) -> None:  # noqa: ANN401
        super().__init__(schema, config, capabilities)
        if self.is_local_filesystem:
            self.fs_client = AtomicFiles()

    def get_load_job_class(self, table: PreparedTableSchema, file_path: str) -> type[LoadJob]:
        """Return the job that writes a table; dlt's own for its system tables."""
        if self.is_dlt_table(table["name"] or ""):
            return super().get_load_job_class(table, file_path)
        match table.get("table_format"):
            case "delta":
                from zendesk_chat.load.warehouse.lake_delta import DeltaJob

                return DeltaJob
            case "iceberg":
                from zendesk_chat.load.warehouse.lake_iceberg import IcebergJob

                return IcebergJob
        return ParquetJob

    @staticmethod
    def get_reference_followup_job_class(_table: PreparedTableSchema) -> None:
        """Return None: a table is written by one job."""

    def get_open_table_catalog(self, table_format: Any, catalog_name: str | None = None) -> Any:  # noqa: ANN401
        """Return the catalog of the Iceberg tables."""
        from zendesk_chat.load.warehouse.lake_iceberg import open_catalog

        if not self._catalog:
            self._catalog = open_catalog(self)
        return super().get_open_table_catalog(table_format, catalog_name)

    def get_storage_tables(self, table_names: Iterable[str]) -> Iterable[tuple[str, TTableSchemaColumns]]:
        """Return the columns of each table; none if it does not exist, or if it is an Iceberg table that was moved."""
        for name, columns in super().get_storage_tables(table_names):
            yield name, {} if columns and self._was_moved(name) else columns

    def _was_moved(self, name: str) -> bool:
        if self.is_dlt_table(name) or not self.is_open_table("iceberg", name):
            return False
        from zendesk_chat.load.warehouse.lake_iceberg import open_table

        return open_table(self, name) is None

    def create_dataset(self) -> None:
        """Create the folder, in which the lock may be already."""
        self.fs_client.makedirs(self.dataset_path, exist_ok=True)

    def complete_load(self, load_id: str) -> None:
        """Store dlt's state, and then delete what it replaces."""
        super().complete_load(load_id)
        self._delete_older_states(load_id)
        self._delete_older_loads()
        self.lake.folder.delete_replaced(self.fs_client)
        if self.lake.folder.tables:
            self._write_views()

    def _write_views(self) -> None:
        location = self.dataset_path if self.is_local_filesystem else self.make_remote_url(self.dataset_path)
        script = views_sql(location, self.lake.folder.tables)
        if script != self.lake.views:
            self.fs_client.write_text(f"{self.dataset_path}{VIEWS}", script, encoding="utf-8")
            self.lake.views = script

    def _delete_older_states(self, load_id: str) -> None:
        """Keep only the state of this load. dlt keeps the one with the latest time, but a clock may have been wrong."""
        states = self.list_table_files(self.schema.state_table_name)
        if any(f"__{load_id}__" in path for path in states):
            self._delete(path for path in states if f"__{load_id}__" not in path)

    def _delete_older_loads(self) -> None:
        self._delete(sorted(self.list_table_files(self.schema.loads_table_name))[:-_LOADS_KEPT])

    def _delete(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.fs_client.rm_file(path)


class filesystem(dlt_filesystem):  # noqa: N801  dlt derives the destination's name from it
    """dlt's destination, with our client.

    Attributes:
        lake: What all its clients share.
    """

    lake: Lake

    @property
    def client_class(self) -> type[FilesystemClient]:
        """The class of the client."""
        return LakeClient

    def client(self, schema: Schema, initial_config: Any = None) -> FilesystemClient:  # noqa: ANN401  dlt's signature
        """Return a client."""
        client = super().client(schema, initial_config)
        if isinstance(client, LakeClient):
            client.lake = self.lake
        return client


def open_lake(address: Address) -> filesystem:
    """Return the destination of a URL."""
    destination = filesystem(
        bucket_url=f"{address.scheme}://{address.parts.netloc}{address.parts.path}",
        credentials=_credentials(address),
        layout="{table_name}/{load_id}.{file_id}.{ext}",
        enable_dataset_name_normalization=False,
        max_state_files=0,  # LakeClient deletes older ones
        deltalake_streamed_exec=True,
    )
    destination.lake = Lake(address.kind.table_format or "parquet")
    return destination


def _credentials(address: Address) -> dict[str, str] | None:
    """Return what the URL contains about the server. dlt looks up the keys."""
    names = {"endpoint_url": "endpoint_url", "region": "region_name"}
    return {names[name]: value for name, value in address.query.items() if name in names} or None
