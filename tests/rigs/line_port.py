"""The receiver's end of a port: a serial line with a real terminal driver, or TCP in either direction."""

from __future__ import annotations

import os
import pty
import select
import socket
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

from tests.rigs.daemon import PATIENCE_S, Daemon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.receiver.control.messages.receiver import LinePortFacts

AN_OPEN_PORT: LinePortFacts = {
    "name": "sg",
    "protocol": "surgard",
    "way": "serial",
    "place": "/dev/ttyS0",
    "open": True,
    "why": "",
    "openings": 2,
    "heard": None,
    "frames": 11,
    "damaged": 3,
    "parity": "even",
}
"""What a receiver tells of a port through which it has heard something."""
WAYS = ("serial", "connect", "accept")
ACK, NAK = b"\x06", b"\x15"
HEARTBEAT = b"1011           @    \x14"


class Port(Protocol):
    """A line receiver's end of a port."""

    def say(self, data: bytes) -> None:
        """Send bytes."""

    def hear(self, size: int = 1) -> bytes:
        """Return this number of bytes that came. Raises AssertionError if they do not come."""

    def hears_nothing(self) -> bool:
        """Return True if nothing has come."""

    def call(self, frame: bytes) -> bytes:
        """Send a frame, and return the answer."""


class _Descriptor:
    """A port over a descriptor that can be read and written."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def say(self, data: bytes) -> None:
        os.write(self._descriptor, data)

    def hear(self, size: int = 1) -> bytes:
        came = b""
        deadline = time.monotonic() + PATIENCE_S
        while len(came) < size:
            assert select.select([self._descriptor], [], [], max(0, deadline - time.monotonic()))[0], came
            came += os.read(self._descriptor, size - len(came))
        return came

    def hears_nothing(self) -> bool:
        return not select.select([self._descriptor], [], [], 0)[0]

    def call(self, frame: bytes) -> bytes:
        self.say(frame)
        return self.hear()


@contextmanager
def daemon_with_port(
    directory: Path, way: str, *, protocol: str = "surgard", settings: str = "", config: str = ""
) -> Iterator[tuple[Daemon, Port]]:
    """Run a daemon with one port called ``sg`` during the block, and the receiver that is connected to it."""
    with ExitStack() as stack:
        controller, device = pty.openpty()
        stack.callback(os.close, controller)
        stack.callback(os.close, device)
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listening.settimeout(PATIENCE_S)
        where = {
            "serial": f'{{ device = "{os.ttyname(device)}" }}',
            "connect": f'{{ host = "127.0.0.1", port = {listening.getsockname()[1]} }}',
            "accept": '{ host = "127.0.0.1", port = 0 }',
        }[way]
        line = f'[[line]]\nname = "sg"\nprotocol = "{protocol}"\n{way} = {where}\n{settings}\n'
        daemon = Daemon(directory, config=f"{config}\n{line}")
        stack.callback(daemon.close)
        daemon.start()
        if way == "serial":
            daemon.await_log("line.opened", line="sg")
            yield daemon, _Descriptor(controller)
            return
        if way == "connect":
            peer, _ = listening.accept()
        else:
            place = next(one for one in daemon.status()["listening"] if one["name"] == "sg")
            peer = socket.create_connection(("127.0.0.1", place["port"]))
        stack.enter_context(peer)
        yield daemon, _Descriptor(peer.fileno())
