"""How the receiver reaches the computer: a serial line, a TCP port that the program dials, or a port of the program."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import socket
import termios
import time
import tty
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FIRST_RETRY_S = 0.1
"""Pause before the second try to open a device or a connection, in seconds. It doubles up to the longest."""
LONGEST_RETRY_S = 1.0
"""Longest pause between two tries. A receiver's module tries far less often; a test wants no longer waits."""
CONNECT_S = 2.0
"""Longest wait for a connection, in seconds."""
READ_BYTES = 4096
PARITY = {"N": 0, "E": termios.PARENB, "O": termios.PARENB | termios.PARODD}


class Way(Protocol):
    """A way to the computer; ``keep`` opens it again as often as it closes."""

    can_close: bool
    """Whether the receiver can end the connection, and sees the program end it."""

    @property
    def connected(self) -> bool:
        """False only when the receiver knows that there is no computer. A serial line never tells."""

    def keep(self, now: float, *, absent: bool) -> bool:
        """Open what is closed; return whether a new connection stands since the last call."""

    def write(self, data: bytes) -> int:
        """Write without a wait, and return how many bytes went out."""

    def read(self, wait_s: float) -> bytes:
        """Return bytes that came within the wait, or nothing."""

    def close(self, why: str) -> None:
        """Close the connection."""


class _Retry:
    """When the next try to open may be made."""

    def __init__(self) -> None:
        self._pause_s = FIRST_RETRY_S
        self._at = 0.0

    def due(self, now: float) -> bool:
        if now < self._at:
            return False
        self._at = now + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_RETRY_S)
        return True

    def worked(self) -> None:
        self._pause_s = FIRST_RETRY_S


class SerialWay(Way):
    """A serial device. Its cable may be pulled: then what the receiver writes is lost, and it does not know."""

    connected = True  # the receiver believes it
    can_close = False

    def __init__(self, path: str, told: Callable[..., None], settings: str = "9600,8N1") -> None:
        self._path = path
        self._told = told
        self._settings = settings
        self._descriptor = -1
        self._retry = _Retry()

    def keep(self, now: float, *, absent: bool) -> bool:
        del absent
        if self._descriptor >= 0 or not self._retry.due(now):
            return False
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError:
            return False
        try:
            fcntl.ioctl(descriptor, termios.TIOCEXCL)
            _set_line(descriptor, self._settings)
        except (OSError, termios.error):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        self._retry.worked()
        self._told("open", way="serial", peer=os.path.realpath(self._path))
        return True

    def write(self, data: bytes) -> int:
        if self._descriptor < 0:
            return 0
        try:
            return os.write(self._descriptor, data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self.close(errno.errorcode.get(error.errno or 0, "error"))
            return 0

    def read(self, wait_s: float) -> bytes:
        if self._descriptor < 0:
            time.sleep(min(wait_s, FIRST_RETRY_S))
            return b""
        if not select.select([self._descriptor], [], [], wait_s)[0]:
            return b""
        try:
            data = os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            self.close(errno.errorcode.get(error.errno or 0, "error"))
            return b""
        if not data:
            self.close("end of file")
        return data

    def close(self, why: str) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._told("close", way="serial", why=why)


class PtyWay(SerialWay):
    """A pty that the emulator makes: it stays when the program that has it open is killed, as a cable does."""

    def __init__(self, link: Path, told: Callable[..., None]) -> None:
        super().__init__(str(link), told)
        # The second descriptor is held open. Without it a program that closes the device ends the pty.
        self._descriptor, self._held = os.openpty()
        tty.setraw(self._held)
        os.set_blocking(self._descriptor, False)
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._held))
        told("open", way="serial", peer=os.ttyname(self._held))

    def keep(self, now: float, *, absent: bool) -> bool:
        del now, absent
        return False


def _set_line(descriptor: int, settings: str) -> None:
    """Set a device to raw bytes with a speed and a format such as ``9600,8N1``."""
    speed, _, form = settings.partition(",")
    tty.setraw(descriptor)
    attributes = termios.tcgetattr(descriptor)
    flags = attributes[2] & ~(termios.CSIZE | termios.PARENB | termios.PARODD | termios.CSTOPB)
    flags |= {"7": termios.CS7, "8": termios.CS8}[form[0]] | PARITY[form[1]] | termios.CLOCAL | termios.CREAD
    attributes[2] = flags | (termios.CSTOPB if form[2] == "2" else 0)
    attributes[4] = attributes[5] = getattr(termios, f"B{speed}")
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


class _TcpWay(Way):
    """What both roles on TCP have in common: one connection at a time."""

    can_close = True
    role = "tcp"

    def __init__(self, told: Callable[..., None]) -> None:
        self._told = told
        self._socket: socket.socket | None = None

    @property
    def connected(self) -> bool:
        return self._socket is not None

    def _take(self, connection: socket.socket, peer: str) -> None:
        connection.settimeout(0)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connection
        self._told("open", way=self.role, peer=peer)

    def write(self, data: bytes) -> int:
        if self._socket is None:
            return 0
        try:
            written = self._socket.send(data)
        except BlockingIOError:
            written = 0
        except OSError as error:
            self.close(errno.errorcode.get(error.errno or 0, "error"))
            return 0
        if written < len(data):
            # A stream with a gap in it would never be in step again.
            self.close("the peer reads nothing")
        return written

    def read(self, wait_s: float) -> bytes:
        if self._socket is None:
            self._idle(wait_s)
            return b""
        if not select.select([self._socket], [], [], wait_s)[0]:
            return b""
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return b""
        except OSError as error:
            self.close(errno.errorcode.get(error.errno or 0, "error"))
            return b""
        if not data:
            self.close("the peer closed")
        return data

    def _idle(self, wait_s: float) -> None:
        time.sleep(min(wait_s, FIRST_RETRY_S))

    def close(self, why: str) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            self._told("close", way=self.role, why=why)


class TcpServerWay(_TcpWay):
    """The receiver's automation port: it serves one program, and another one only when the first is absent."""

    role = "tcp-server"

    def __init__(self, host: str, port: int, told: Callable[..., None]) -> None:
        super().__init__(told)
        self._listener = socket.create_server((host, port), backlog=1)
        self._listener.settimeout(0)
        self.port: int = self._listener.getsockname()[1]

    def keep(self, now: float, *, absent: bool) -> bool:
        del now
        if self._socket is not None and not absent:
            return False
        try:
            connection, peer = self._listener.accept()
        except BlockingIOError:
            return False
        self.close("another program connected")
        self._take(connection, f"{peer[0]}:{peer[1]}")
        return True

    def _idle(self, wait_s: float) -> None:
        select.select([self._listener], [], [], wait_s)


class TcpClientWay(_TcpWay):
    """A receiver that dials the program's port, as software receivers do."""

    role = "tcp-client"

    def __init__(self, host: str, port: int, told: Callable[..., None]) -> None:
        super().__init__(told)
        self._address = (host, port)
        self._retry = _Retry()

    def keep(self, now: float, *, absent: bool) -> bool:
        del absent
        if self._socket is not None or not self._retry.due(now):
            return False
        with contextlib.suppress(OSError):
            connection = socket.create_connection(self._address, timeout=CONNECT_S)
            self._take(connection, f"{self._address[0]}:{self._address[1]}")
            self._retry.worked()
        return self._socket is not None
