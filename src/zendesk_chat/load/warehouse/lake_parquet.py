"""Plain Parquet files: each load adds files, and a view chooses the latest rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from zendesk_chat.load.warehouse.lake_folder import PARENTS
from zendesk_chat.load.warehouse.lake_job import LakeJob

if TYPE_CHECKING:
    from zendesk_chat.load.warehouse.transaction import Part


class ParquetJob(LakeJob):
    """Copies a file to where the folder wants it."""

    def write(self, part: Part) -> None:
        """Copy the rows, and then write the parents whose rows are complete."""
        if part.rows.records or part.replace or not self._job_client.lake.folder.has(part.table.name):
            self._copy(Path(self._file_path), part)
        parents = None if part.replace else part.rows.parents
        if parents is not None and parents.num_rows:
            listed = Path(f"{self._file_path}{PARENTS}")
            pq.write_table(parents, listed, compression="zstd")
            self._copy(listed, part, PARENTS)

    def _copy(self, file: Path, part: Part, suffix: str = "") -> None:
        client = self._job_client
        name = part.table.name + suffix
        target = client.lake.folder.folder_of(name, self._load_id, replace=part.replace)
        path = client.pathlib.join(client.dataset_path, *target.split("/"), f"{Path(self._file_path).stem}.parquet")
        if client.is_local_filesystem:
            client.fs_client.makedirs(client.pathlib.dirname(path), exist_ok=True)
        client.fs_client.put_file(str(file), path)
        client.lake.folder.add(path)
