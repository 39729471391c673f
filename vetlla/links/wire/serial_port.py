"""A serial port as a wire. This is the only module that uses pyserial, which opens the port and sets it up.

The port is opened exclusively, because two programs on one port read each other's answers. Its descriptor is in an
epoll set of its own, and the loop watches that set: uvloop silently drops the watch of a descriptor that reports an
error, and a USB adapter that was unplugged reports one (Linux: poll of a terminal that was hung up returns POLLERR).
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import select
import termios
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

import serial

from vetlla.domain.errors import LinkError
from vetlla.links.wire.parity_marks import ParityMarks

if TYPE_CHECKING:
    from vetlla.links.wire.contract import WireUser

READ_MAX: Final = 4_096
"""Bytes that are read in one turn of the loop: four seconds of a line with 9,600 baud."""
UNSENT_MAX: Final = 4_096
"""Bytes that may wait until the line takes them. An answer has 1 to 5 bytes, so a line with more of them is stuck."""

_READ: Final = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR
_PARITIES: Final = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}
_INPUT_FLAGS: Final = 0
"""Place of the input flags in the list that termios returns."""


class SerialPort(NamedTuple):
    """A serial port and how its line is set: ``parity`` is none, even or odd."""

    device: str
    baud: int = 9_600
    data_bits: int = 8
    parity: str = "none"
    stop_bits: int = 1

    @property
    def mode(self) -> str:
        """Data bits, parity and stop bits as engineers write them: 8N1, 7E1."""
        return f"{self.data_bits}{self.parity[0].upper()}{self.stop_bits}"


async def open_serial(port: SerialPort, user: WireUser) -> SerialWire:
    """Open a serial port for a user. Raises LinkError."""
    # In a thread, because the open call of some drivers waits for the device.
    return SerialWire(port, await asyncio.to_thread(_open, port), user)


def _open(port: SerialPort) -> serial.Serial:
    try:
        opened = serial.Serial(
            port.device,
            baudrate=port.baud,
            bytesize=port.data_bits,
            parity=_PARITIES[port.parity],
            stopbits=port.stop_bits,
            timeout=0,
            exclusive=True,
        )
        if port.parity != "none":
            _mark_parity(opened.fileno())
        # pyserial's lock is one that other programs may ignore. With this the kernel refuses all users but root.
        fcntl.ioctl(opened.fileno(), termios.TIOCEXCL)
    except (OSError, ValueError, termios.error) as error:
        raise LinkError(f"{port.device} cannot be opened: {_why(error)}", remedy=_remedy(port, error)) from error
    return opened


def _mark_parity(descriptor: int) -> None:
    """Let the kernel check the parity and mark wrong bytes; pyserial only lets the line carry the bit."""
    attributes = termios.tcgetattr(descriptor)
    attributes[_INPUT_FLAGS] = (attributes[_INPUT_FLAGS] | termios.INPCK | termios.PARMRK) & ~termios.IGNPAR
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


class SerialWire:
    """A serial port that is open."""

    def __init__(self, port: SerialPort, opened: serial.Serial, user: WireUser) -> None:
        """Take an open port; ``user`` is told at once."""
        self.address = port.device
        self._serial = opened
        self._descriptor = opened.fileno()
        self._user = user
        self._marks = ParityMarks() if port.parity != "none" else None
        self._unsent = b""
        self._is_open = True
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._epoll.register(self._descriptor, _READ)
        self._loop.add_reader(self._epoll.fileno(), self._ready)
        user.opened(self)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if not self._is_open:
            return
        self._unsent += data
        if len(self._unsent) > UNSENT_MAX:
            self._end(f"{len(self._unsent)} bytes wait, and the line takes none")
        elif len(self._unsent) == len(data):
            self._send()

    def close(self) -> None:
        """Close the port."""
        self._end("")

    def _ready(self) -> None:
        for _, events in self._epoll.poll(0, 1):
            if events & select.EPOLLOUT:
                self._send()
            if self._is_open and events & _READ:
                self._receive()

    def _send(self) -> None:
        try:
            sent = os.write(self._descriptor, self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._end(_why(error))
            return
        self._unsent = self._unsent[sent:]
        self._epoll.modify(self._descriptor, _READ | select.EPOLLOUT if self._unsent else _READ)

    def _receive(self) -> None:
        try:
            data = os.read(self._descriptor, READ_MAX)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(_why(error))
            return
        if not data:
            self._end("the device was unplugged")
            return
        if data := self._marks.feed(data) if self._marks else data:
            self._user.received(data)

    def _end(self, why: str) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        with suppress(OSError, termios.error):  # the device may be gone, and the descriptor with it
            self._serial.close()
        self._user.closed(why)


def _why(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    match number:
        case errno.EIO | errno.ENXIO | errno.ENODEV:
            return "the device was unplugged"
        case errno.EAGAIN | errno.EBUSY:
            return "another program has the port open"
        case errno.ENOENT:
            return "there is no such device"
        case errno.EACCES | errno.EPERM:
            return "it may not be used by this user"
        case None:
            return str(error)
        case _:
            return os.strerror(number)


def _remedy(port: SerialPort, error: Exception) -> str:
    match error.errno if isinstance(error, OSError) else None:
        case errno.ENOENT | errno.ENXIO | errno.ENODEV:
            return "plug it in; `ls -l /dev/serial/by-id` shows the ports by names that do not change"
        case errno.EAGAIN | errno.EBUSY:
            return f"`fuser -v {port.device}` shows the other program; stop it"
        case errno.EACCES | errno.EPERM:
            return "add the user to the group of the device, which is dialout on Debian"
        case _:
            return f"see whether it is a serial port that can do {port.baud} baud, {port.mode}"
