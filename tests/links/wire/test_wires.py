"""Wires over real terminals and real sockets, under both event loops."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import socket
import subprocess
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.rigs.loops import each_loop
from vetlla.domain.errors import LinkError
from vetlla.links.wire.keeping import KeptOpen
from vetlla.links.wire.serial_port import SerialPort, open_serial
from vetlla.links.wire.tcp import connect_tcp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vetlla.links.wire.contract import Wire, WireUser

pytestmark = each_loop
EVERY_BYTE = bytes(range(256))


class User:
    """Keeps what a wire tells, and lets a test wait for it."""

    def __init__(self) -> None:
        self.wires: list[Wire] = []
        self.data = b""
        self.ends: list[str] = []
        self.failures: list[LinkError] = []
        self._news = asyncio.Event()

    def opened(self, wire: Wire) -> None:
        self.wires.append(wire)
        self._news.set()

    def received(self, data: bytes) -> None:
        self.data += data
        self._news.set()

    def closed(self, why: str) -> None:
        self.ends.append(why)
        self._news.set()

    def failed(self, error: LinkError) -> None:
        self.failures.append(error)
        self._news.set()

    async def until(self, done: Callable[[User], bool]) -> None:
        async with asyncio.timeout(20):
            while not done(self):
                self._news.clear()
                await self._news.wait()


async def test_every_byte_passes_a_serial_port_both_ways() -> None:
    controller, device = pty.openpty()
    user = User()
    wire = await open_serial(SerialPort(os.ttyname(device)), user)
    assert user.wires == [wire]
    os.write(controller, EVERY_BYTE)
    await user.until(lambda user: len(user.data) >= 256)
    wire.write(EVERY_BYTE[:128])
    wire.write(EVERY_BYTE[128:])
    loop, came = asyncio.get_running_loop(), b""
    while len(came) < 256:
        came += await loop.run_in_executor(None, os.read, controller, 4096)
    assert (user.data, came) == (EVERY_BYTE, EVERY_BYTE)
    wire.close()
    wire.write(b"late")
    assert user.ends == [""]
    os.close(controller)
    os.close(device)


async def test_a_second_program_cannot_open_the_port() -> None:
    controller, device = pty.openpty()
    port = SerialPort(os.ttyname(device))
    first = await open_serial(port, User())
    with pytest.raises(LinkError, match="another program has the port open"):
        await open_serial(port, User())
    first.close()
    (await open_serial(port, User())).close()
    os.close(controller)
    os.close(device)


async def test_a_missing_device_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="there is no such device") as caught:
        await open_serial(SerialPort(str(tmp_path / "ttyUSB0")), User())
    assert "/dev/serial/by-id" in caught.value.remedy


async def test_a_file_is_no_serial_port(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LinkError, match="cannot be opened"):
        await open_serial(SerialPort(str(tmp_path / "file"), baud=19_200, data_bits=7, parity="even"), User())


def plug(device: Path) -> subprocess.Popen[bytes]:
    """Return socat, which relays between a device and its own input, so that the test is the other end of the line."""
    return subprocess.Popen(
        ["socat", f"pty,link={device},raw,echo=0", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


async def test_an_adapter_that_was_unplugged_is_opened_again(tmp_path: Path) -> None:
    device = tmp_path / "tty"  # socat that is killed leaves this link, which then points to no device
    user = User()
    kept = KeptOpen(
        partial(open_serial, SerialPort(str(device))), user, user.failed, first_retry_s=0.01, retry_max_s=0.05
    )
    kept.start()
    await user.until(lambda user: bool(user.failures))
    for number in (1, 2):
        socat = plug(device)
        try:
            await user.until(lambda user, number=number: len(user.wires) == number)  # type: ignore[misc]
            assert socat.stdin is not None
            socat.stdin.write(b"half")
            socat.stdin.flush()
            await user.until(lambda user, number=number: user.data == b"half" * number)  # type: ignore[misc]
        finally:
            socat.send_signal(signal.SIGKILL)
            socat.communicate()
        await user.until(lambda user, number=number: len(user.ends) == number)  # type: ignore[misc]
    assert set(user.ends) == {"the device was unplugged"}
    await kept.stop()


async def test_a_line_that_takes_nothing_is_closed() -> None:
    controller, device = pty.openpty()
    user = User()
    wire = await open_serial(SerialPort(os.ttyname(device)), user)
    for _ in range(40):
        wire.write(bytes(1_000))  # the other end reads nothing
    assert len(user.ends) == 1
    assert "the line takes none" in user.ends[0]
    os.close(controller)
    os.close(device)


async def test_a_receiver_on_tcp_is_connected_again_after_it_hung_up() -> None:
    user = User()
    loop = asyncio.get_running_loop()
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0)
    port = listening.getsockname()[1]
    kept = KeptOpen(partial(connect_tcp, "127.0.0.1", port), user, user.failed, first_retry_s=0.01)
    kept.start()
    peer, _ = await loop.sock_accept(listening)
    await loop.sock_sendall(peer, EVERY_BYTE)
    await user.until(lambda user: user.data == EVERY_BYTE)
    user.wires[0].write(b"\x06")
    assert await loop.sock_recv(peer, 10) == b"\x06"
    peer.close()
    peer, _ = await loop.sock_accept(listening)
    await user.until(lambda user: len(user.wires) == 2)
    assert user.ends == ["the peer closed the connection"]
    await kept.stop()
    assert user.ends[1:] == [""]
    assert await loop.sock_recv(peer, 10) == b""
    peer.close()
    listening.close()


async def test_an_address_without_a_receiver_is_tried_again() -> None:
    user = User()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    kept = KeptOpen(partial(connect_tcp, "127.0.0.1", port), user, user.failed, first_retry_s=0.01, retry_max_s=0.02)
    kept.start()
    await user.until(lambda user: len(user.failures) == 3)
    assert f"127.0.0.1:{port} cannot be reached" in user.failures[0].args[0]
    await kept.stop()


async def test_the_kernel_marks_bytes_of_a_port_with_parity() -> None:
    controller, device = pty.openpty()
    user = User()
    wire = await open_serial(SerialPort(os.ttyname(device), parity="even", data_bits=7), user)
    os.write(controller, b"\xffA")  # the kernel doubles FF, which shows that it marks bytes of this port
    await user.until(lambda user: len(user.data) >= 2)
    assert user.data == b"\xffA"
    wire.close()
    os.close(controller)
    os.close(device)


async def test_a_fault_of_its_user_does_not_leave_a_wire_closed(tmp_path: Path) -> None:
    """The wire is tried again, because no other one brings the calls of these homes."""
    attempts = 0

    async def fails(_: WireUser) -> Wire:
        nonlocal attempts
        attempts += 1
        raise RuntimeError("a fault")

    user = User()
    kept = KeptOpen(fails, user, user.failed, first_retry_s=0.01, retry_max_s=0.02)
    kept.start()
    await user.until(lambda _: attempts >= 3)
    assert "failed to use the wire" in user.failures[0].args[0]
    await kept.stop()
