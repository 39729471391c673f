"""A port that receivers dial, over real sockets, under both event loops."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.links.wire.test_wires import EVERY_BYTE, User
from tests.rigs.loops import each_loop
from vetlla.domain.errors import LinkError
from vetlla.links.wire.accepting import REPLACED, Accepting

pytestmark = each_loop


async def dial(accepting: Accepting) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(*accepting.address)


async def test_every_byte_passes_both_ways() -> None:
    user = User()
    accepting = Accepting("127.0.0.1", 0, user)
    await accepting.start()
    reader, writer = await dial(accepting)
    writer.write(EVERY_BYTE)
    await user.until(lambda user: len(user.data) == 256)
    wire = accepting.wire
    assert wire is user.wires[0]
    host, port = writer.get_extra_info("sockname")
    assert user.wires[0].address == f"{host}:{port}"
    user.wires[0].write(EVERY_BYTE)
    assert await reader.readexactly(256) == EVERY_BYTE
    writer.close()
    await user.until(lambda user: len(user.ends) == 1)
    assert user.ends == ["the peer closed the connection"]
    assert accepting.wire is None
    await accepting.stop()


async def test_a_newer_connection_replaces_the_older_one() -> None:
    """The older peer is cut off, what it still sends is dropped, and the newer one is used."""
    user = User()
    accepting = Accepting("127.0.0.1", 0, user)
    await accepting.start()
    first, first_writer = await dial(accepting)
    await user.until(lambda user: len(user.wires) == 1)
    second, second_writer = await dial(accepting)
    await user.until(lambda user: len(user.wires) == 2)
    assert user.ends == [REPLACED]
    user.wires[0].write(b"to the older one")
    user.wires[1].write(b"\x06")
    assert await second.readexactly(1) == b"\x06"
    assert await first.read() == b""
    second_writer.write(b"frame")
    await user.until(lambda user: user.data == b"frame")
    first_writer.close()
    second_writer.close()
    await accepting.stop()


async def test_stopping_closes_the_connection_and_the_port() -> None:
    user = User()
    accepting = Accepting("127.0.0.1", 0, user)
    await accepting.start()
    address = accepting.address
    reader, writer = await dial(accepting)
    await user.until(lambda user: len(user.wires) == 1)
    await accepting.stop()
    assert await reader.read() == b""
    assert user.ends == [""]
    with pytest.raises(OSError):
        await asyncio.open_connection(*address)
    writer.close()


async def test_a_port_in_use_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LinkError, match=f"127.0.0.1:{port}") as caught:
            await Accepting("127.0.0.1", port, User()).start()
    assert "ss -ltnp" in caught.value.remedy
