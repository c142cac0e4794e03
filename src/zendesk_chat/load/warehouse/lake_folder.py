"""Where the Parquet files of a load belong: ``chats/refresh=3/load=17/ID.parquet``.

Loads are numbered: ``load`` is the number of the load that wrote a file, and ``refresh`` the number of the load that last
replaced the table. Files with an earlier ``refresh`` are out of date. They are deleted when the new ones are complete. A kill
in between leaves both, so a reader has to choose the latest ``refresh``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

SOURCE: Final = "zendesk_chat"
"""dlt's name of the source, and of the schema that it stores."""
PARENTS: Final = "_parents"
"""The suffix of the table that lists the chats whose rows are complete in a load."""
_PATH: Final = re.compile(r"([^/]+)/refresh=(\d+)/load=(\d+)/[^/]+\.parquet")


@dataclass
class Folder:
    """The files of a dataset, and the numbers of its loads."""

    _files: dict[str, dict[int, list[str]]] = field(default_factory=dict)  # by table and refresh
    _last: int = 0
    _load_id: str = ""

    def add(self, path: str) -> None:
        """Note a file."""
        if found := _PATH.search(path.replace("\\", "/")):
            self._files.setdefault(found[1], {}).setdefault(int(found[2]), []).append(path)
            self._last = max(self._last, int(found[3]))

    def has(self, table: str) -> bool:
        """Return whether a table has a file."""
        return bool(self._files.get(table))

    @property
    def tables(self) -> list[str]:
        """The tables that have a file."""
        return sorted(filter(self.has, self._files))

    def folder_of(self, table: str, load_id: str, *, replace: bool) -> str:
        """Return the folder for a file of a load, relative to the dataset.

        Args:
            table: The table of the file.
            load_id: dlt's name of the load. A new one gets the next number.
            replace: Whether the file replaces all others of the table.
        """
        if load_id != self._load_id:
            self._load_id, self._last = load_id, self._last + 1
        stored = self._files.get(table.removesuffix(PARENTS), {})
        refresh = self._last if replace or not stored else max(stored)
        return f"{table}/refresh={refresh}/load={self._last}"

    def delete_replaced(self, files: AbstractFileSystem) -> None:
        """Delete the files of earlier refreshes."""
        for table, refreshes in self._files.items():
            latest = max(self._files.get(table.removesuffix(PARENTS)) or refreshes, default=0)
            for refresh in [number for number in refreshes if number < latest]:
                for path in refreshes.pop(refresh):
                    files.rm_file(path)
