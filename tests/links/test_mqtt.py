"""The connection to an MQTT broker on each event loop: breaks, time-outs, and bytes that arrive together."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.rigs.broker import PATIENCE_S, running_broker
from tests.rigs.certificates import Authority
from tests.rigs.core import until
from tests.rigs.loops import each_loop
from tests.rigs.mqtt_device import Device
from vetlla.domain.errors import LinkError
from vetlla.links import socket_watch
from vetlla.links.mqtt import Delivered, Link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from bench.rig.broker import Broker

CONNACK = b"\x20\x03\x00\x00\x00"
MESSAGE = b"\x30\x05\x00\x01t\x00m"
"""A PUBLISH of QoS 0, topic ``t``."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running_broker(tmp_path / "broker") as running:
        yield running


def link_to(broker: Broker, *, will: tuple[str, str] | None = None) -> Link:
    return Link("127.0.0.1", broker.port, "node", will=will)


@asynccontextmanager
async def peer_that_sends(data: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Yield the port of a peer that answers the CONNECT with these bytes, in one write, and then reads to the end."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(data)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) as server:
        yield server.sockets[0].getsockname()[1]


@each_loop
@pytest.mark.parametrize("encrypted", [False, True])
async def test_messages_that_arrive_together_are_all_delivered(tmp_path: Path, *, encrypted: bool) -> None:
    """More messages than one turn takes come in one segment, or in one TLS record, and then no byte follows."""
    count = 10 * socket_watch.PACKETS + 7
    server = client = None
    if encrypted:
        authority = Authority(tmp_path)
        pair = authority.issue("broker")
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(pair.certificate, pair.key)
        client = ssl.create_default_context(cafile=str(authority.certificate))
    heard: list[Delivered] = []
    async with (
        peer_that_sends(CONNACK + count * MESSAGE, server) as port,
        Link("127.0.0.1", port, "node", tls=client) as link,
    ):
        delivering = asyncio.ensure_future(link.deliver(heard.append))
        await until(lambda: len(heard) == count)
        delivering.cancel()
    assert {(message.topic, message.payload, message.qos) for message in heard} == {("t", b"m", 0)}


@each_loop
async def test_a_broker_that_is_killed_is_noticed_at_once(broker: Broker) -> None:
    """Delivery, and the wait for the result of a publication, end with a LinkError long before the keep-alive does."""
    async with link_to(broker) as link, asyncio.timeout(PATIENCE_S):
        broker.process.send_signal(signal.SIGSTOP)
        publishing = asyncio.ensure_future(link.put("t", b"m"))
        await asyncio.sleep(0)
        broker.kill()
        with pytest.raises(LinkError, match="broke"):
            await publishing
        with pytest.raises(LinkError, match="broke"):
            await link.deliver(lambda _: None)


@each_loop
async def test_a_connection_that_is_cut_leaves_its_last_will(broker: Broker) -> None:
    """The broker publishes the last will after a cut, and not after a goodbye."""
    with Device("watch", broker.port, will=False, subscribe="state/#") as watch:
        async with link_to(broker, will=("state/1", "lost")) as link:
            await link.put("state/1", b"ready")
        async with link_to(broker, will=("state/2", "lost")) as link:
            link.cut()
            with pytest.raises(LinkError, match="broke"):
                await link.deliver(lambda _: None)
        await asyncio.to_thread(watch.await_heard, lambda topic, payload: (topic, payload) == ("state/2", b"lost"))
        assert [(topic, payload) for topic, payload, _ in watch.heard if topic == "state/1"] == [("state/1", b"ready")]


@each_loop
async def test_the_client_does_not_wait_for_a_silent_peer() -> None:
    """If a peer takes the connection and does not answer, the attempt ends with an error after its time-out."""
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(LinkError, match="timed out") as raised:
        async with Link("127.0.0.1", mute.getsockname()[1], "node", answer_s=0.1):
            pass
    assert "firewall" in raised.value.remedy


@each_loop
async def test_the_client_does_not_wait_for_a_broker_that_stops_answering(broker: Broker) -> None:
    """A publication without an answer ends with a LinkError, and the socket is closed at the end of the block."""
    async with Link("127.0.0.1", broker.port, "node", answer_s=0.2) as link:
        broker.process.send_signal(signal.SIGSTOP)
        with pytest.raises(LinkError, match="timed out"):
            await link.put("t", b"m")
    broker.process.send_signal(signal.SIGCONT)
    with Device("heir", broker.port, client_id="node", will=False):
        assert broker.process.poll() is None
