"""The computer of an alarm centre as a line receiver sees it: it reads with the decoder and answers what it stored."""

from __future__ import annotations

import os
import select
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.rigs.recordings import STREAMS
from vetlla.domain.signals import STORED, Reply, Signal

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from vetlla.domain.signals import Item

NOW = datetime(2026, 1, 2, 10, 0, 0, tzinfo=UTC)


class Computer:
    """Reads frames of one dialect from descriptors, one after the other, in a thread of its own."""

    def __init__(self, protocol: str, **options: str) -> None:
        self._description = STREAMS[protocol].tuned(options)
        self.stored: list[Signal] = []
        self.answers_to: Callable[[int], bool] = lambda _number: True
        """Returns False for the numbers of frames that the computer reads and leaves without an answer."""
        self.frames = 0
        self._over, self._end = os.pipe()

    def serve(self, descriptor: int) -> None:
        """Read a descriptor to its end."""
        decoder = self._description.make(lambda _: ())
        while self._over not in select.select([descriptor, self._over], [], [])[0]:
            try:
                data = os.read(descriptor, 4096)
            except OSError:  # the other end of a terminal is gone
                return
            if not data:
                return
            for item in decoder.feed(data):
                answer = self._take(item, decoder.answer(item, STORED, NOW) if isinstance(item, Signal) else b"")
                if answer:
                    os.write(descriptor, answer)

    def _take(self, item: Item, answer: bytes) -> bytes:
        self.frames += 1
        if not self.answers_to(self.frames):
            return b""
        if isinstance(item, Signal):
            self.stored.append(item)
        return item.data if isinstance(item, Reply) else answer

    def accept(self, listening: socket.socket) -> None:
        """Serve each connection of a port."""
        while self._over not in select.select([listening.fileno(), self._over], [], [])[0]:
            peer, _ = listening.accept()
            with peer:
                self.serve(peer.fileno())

    @contextmanager
    def running(self, listening: socket.socket | int) -> Iterator[None]:
        """Serve a port or a descriptor while the context lasts."""
        served = self.serve if isinstance(listening, int) else self.accept
        thread = threading.Thread(target=served, args=(listening,))
        thread.start()
        try:
            yield
        finally:
            os.write(self._end, b"x")
            thread.join()
            os.close(self._over)
            os.close(self._end)
