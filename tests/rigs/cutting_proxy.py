"""A TCP proxy that delays chunks, drops them and cuts connections, at random instants that a seed repeats."""

from __future__ import annotations

import select
import socket
import threading
from contextlib import contextmanager, suppress
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DELAY_MAX_S = 0.02
CHUNK = 4_096


class CuttingProxy:
    """Passes connections on to a port, one at a time."""

    def __init__(self, to: int, *, drop: float, cut: float, seed: int) -> None:
        """``drop`` and ``cut`` are the shares of chunks that are dropped, and after which the connection is cut."""
        self._to = to
        self._drop, self._cut = drop, cut
        self._random = Random(seed)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.dropped = self.cuts = 0

    def stop(self) -> None:
        """Cut the connection that is there, and accept none."""
        self._over.set()
        self._thread.join()
        self._listening.close()

    def faultless(self) -> None:
        """Pass everything on from now on."""
        self._drop = self._cut = 0.0

    def _serve(self) -> None:
        while not self._over.is_set():
            if not select.select([self._listening], [], [], 0.05)[0]:
                continue
            near, _ = self._listening.accept()
            with near, suppress(OSError), socket.create_connection(("127.0.0.1", self._to)) as far:
                self._pass_on(near, far)

    def _pass_on(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        while not self._over.is_set():
            for readable in select.select([near, far], [], [], 0.05)[0]:
                data = readable.recv(CHUNK)
                if not data:
                    return
                self._over.wait(self._random.uniform(0, DELAY_MAX_S))
                if self._random.random() < self._drop:
                    self.dropped += 1
                else:
                    other[readable].sendall(data)
                if self._random.random() < self._cut:
                    self.cuts += 1
                    return


@contextmanager
def cutting_proxy(to: int, *, drop: float = 0.05, cut: float = 0.03, seed: int = 1) -> Iterator[CuttingProxy]:
    """Run a proxy during the block."""
    proxy = CuttingProxy(to, drop=drop, cut=cut, seed=seed)
    try:
        yield proxy
    finally:
        proxy.stop()
