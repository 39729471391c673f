"""A home terminal for acceptance tests: a raw socket, with frames built and replies read one by one."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from tests.rigs.daemon import PATIENCE_S
from vetlla.domain.signals import AccountId, Key
from vetlla.protocols.dc09 import frame as dc09_frame

if TYPE_CHECKING:
    from types import TracebackType

_SHORTEST_HEADER = 7


class HungUp(Exception):  # noqa: N818 - for a terminal it means "use the second receiver"
    """The receiver closed the connection without a reply."""


class Terminal:
    """One home at one receiver, over TCP or UDP. It numbers its reports and can repeat them."""

    def __init__(
        self,
        port: int,
        account: str = "1234",
        *,
        key: bytes | None = None,
        transport: str = "tcp",
        source: str = "127.0.0.1",
    ) -> None:
        self.id = AccountId("", "0", account)
        self.port = port
        self.key = key
        self.transport = transport
        self.number = 0
        self._source = source
        self._socket: socket.socket | None = None
        self._pending = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()

    def dial(self) -> socket.socket:
        """Return the open line, or open one."""
        if self._socket is None:
            kind = socket.SOCK_DGRAM if self.transport == "udp" else socket.SOCK_STREAM
            self._socket = socket.socket(socket.AF_INET, kind)
            self._socket.settimeout(PATIENCE_S)
            self._socket.bind((self._source, 0))
            self._socket.connect(("127.0.0.1", self.port))
        return self._socket

    def hang_up(self) -> None:
        """Close the line. The next report dials again."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._pending = b""

    def frame(self, event: str = "1101", *, zone: int = 1, at: datetime | None = None) -> bytes:
        """Build the next report. ``event`` is qualifier and code of Contact ID; ``at`` is the terminal's time."""
        self.number = self.number % 9999 + 1
        data = f"#{self.id.account}|{event} 00 {zone:03}".encode()
        return self.build("ADM-CID", f"{self.number:04}", data, at=at)

    def build(self, token: str, sequence: str, data: bytes, *, at: datetime | None = None) -> bytes:
        """Build any frame of this home."""
        timestamp = at or (datetime.now(UTC) if self.key else None)
        return dc09_frame.build(token, sequence, self.id, data, timestamp=timestamp, key=self.key)

    def send(self, data: bytes) -> None:
        """Send bytes on the line."""
        self.dial().sendall(data)

    def reply(self) -> dc09_frame.Frame:
        """Return the next reply, which must be correct. Raises HungUp if the receiver closes instead."""
        keys = (Key(name="own", secret=self.key),) if self.key else ()
        reply = dc09_frame.parse(self._read(), keys)
        assert isinstance(reply, dc09_frame.Frame), reply
        assert not reply.quirks, reply
        return reply

    def _read(self) -> bytes:
        line = self.dial()
        if self.transport == "udp":
            return line.recv(4096)
        while (end := self._pending.find(b"\r", _SHORTEST_HEADER)) < 0:
            try:
                more = line.recv(4096)
            except ConnectionResetError:
                more = b""
            if not more:
                self.hang_up()
                raise HungUp
            self._pending += more
        reply, self._pending = self._pending[: end + 1], self._pending[end + 1 :]
        return reply

    def has_reply(self) -> bool:
        """Return True if any bytes have come."""
        line = self.dial()
        line.setblocking(False)  # noqa: FBT003 - takes no keyword
        try:
            return bool(line.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return False
        finally:
            line.settimeout(PATIENCE_S)

    def say(self, frame: bytes) -> str:
        """Send a frame; return the reply's kind: ACK, NAK or DUH. Raises HungUp without a reply."""
        self.send(frame)
        return self.reply().token

    def alarm(self, event: str = "1101", *, zone: int = 1) -> bytes:
        """Send a report that must be acknowledged; return its frame."""
        frame = self.frame(event, zone=zone)
        assert self.say(frame) == "ACK"
        return frame

    def heartbeat(self) -> None:
        """Send a heartbeat, which must be acknowledged."""
        assert self.say(self.build("NULL", "0000", b"")) == "ACK"

    def is_refused(self, frame: bytes) -> bool:
        """Return True if the receiver closes the line after this frame without a reply."""
        try:
            self.send(frame)
            self.reply()
        except (HungUp, BrokenPipeError, ConnectionResetError):
            self.hang_up()
            return True
        return False
