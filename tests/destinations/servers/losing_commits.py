"""A proxy in front of MySQL or MariaDB that loses the connection when the server has committed."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

_COMMIT = b"\x03COMMIT"  # a query, after the header of its packet
_HEADER = 4
_INSERT = b"INSERT INTO "
_BYTES = 2**16


@dataclass
class LosingProxy:
    """Loses the response to one commit: the one that follows an insert into a table.

    Attributes:
        table: The last part of the table's name.
        lost: How many responses were lost.
    """

    server: int
    table: str
    port: int = 0
    lost: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def relay(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.server)) as upstream:
            cut = threading.Event()
            back = threading.Thread(target=self._back, args=(upstream, client, cut), daemon=True)
            back.start()
            inserted = False
            with contextlib.suppress(OSError):
                while data := client.recv(_BYTES):
                    inserted = inserted or (_INSERT in data and b"`%b`" % self.table.encode() in data)
                    if inserted and data[_HEADER:].startswith(_COMMIT) and self._is_first():
                        cut.set()
                    upstream.sendall(data)
                upstream.shutdown(socket.SHUT_WR)
            back.join(10)

    def _is_first(self) -> bool:
        with self._lock:
            self.lost += 1
            return self.lost == 1

    @staticmethod
    def _back(upstream: socket.socket, client: socket.socket, cut: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := upstream.recv(_BYTES):
                if cut.is_set():  # the server has committed
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def losing_proxy(server: int, table: str) -> Iterator[LosingProxy]:
    """Run the proxy while the block runs."""
    proxy = LosingProxy(server, table)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy.port = listener.getsockname()[1]

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=proxy.relay, args=(client,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield proxy
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
