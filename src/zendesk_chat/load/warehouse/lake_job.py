"""A job of dlt that writes the rows of one table. Each format has one."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow.dataset as ds
from dlt.common.destination.exceptions import DestinationTerminalException
from dlt.destinations.impl.filesystem.filesystem import FilesystemLoadJob

if TYPE_CHECKING:
    from zendesk_chat.load.warehouse.lake import LakeClient
    from zendesk_chat.load.warehouse.transaction import Part


class InternalError(DestinationTerminalException):
    """A library failed by a mistake in it. The next sync may succeed."""


class LakeJob(FilesystemLoadJob):
    """Writes the rows of a part, which are in a Parquet file."""

    _job_client: LakeClient

    def run(self) -> None:
        """Write the rows. dlt would wait for ever after an error that is no Exception, such as a panic of deltalake."""
        try:
            self.write(self._job_client.lake.parts[self.load_table_name])
        except (Exception, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as panic:
            raise InternalError("the library of the format has failed") from panic

    @abstractmethod
    def write(self, part: Part) -> None:
        """Write the rows. All or none become visible."""

    @cached_property
    def rows(self) -> ds.Dataset:
        """The rows."""
        return ds.dataset(self._file_path, format="parquet")
