"""A broker is probed as ``vetlla doctor`` does it: messages that it keeps for the receiver stay as they were."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.rigs.broker import running_broker
from tests.rigs.mqtt_device import Device
from vetlla.domain.errors import LinkError
from vetlla.receiver.listeners.mqtt.listener import link_to, probe
from vetlla.settings.broker import Mqtt

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NODE = "arc-1"


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Mqtt]:
    with running_broker(tmp_path) as broker:
        yield Mqtt(host="127.0.0.1", port=broker.port, node=NODE)


async def test_no_session_is_left(settings: Mqtt) -> None:
    """If the broker kept nothing for the receiver before the probe, it keeps nothing after it."""
    await probe(settings)
    async with link_to(settings, None, None) as link:
        assert not link.resumed


async def test_messages_that_the_broker_keeps_stay_there(settings: Mqtt) -> None:
    """An event that came while the receiver was away is still delivered to it after a probe."""
    async with link_to(settings, None, None) as link:
        await link.subscribe(["tc/+/+/ev"])
    with Device("T1", settings.port, will=False) as device:
        await asyncio.to_thread(device.await_code, device.publish("ev", {"ref": "kept"}))
    await probe(settings)
    with Device("receiver", settings.port, client_id=NODE, will=False) as heir:
        await asyncio.to_thread(heir.await_heard, lambda _, payload: b"kept" in payload)


@pytest.mark.parametrize(
    ("answer", "why", "remedy"),
    [
        # MQTT 3.1.1, 3.2.2.3: return code 1, unacceptable protocol version
        (b"\x20\x02\x00\x01", "protocol version", "MQTT 5"),
        (b"", "unanswered", "broker's log"),
    ],
)
async def test_a_peer_that_is_not_an_mqtt_5_broker(answer: bytes, why: str, remedy: str) -> None:
    """A broker of an older MQTT, and one that closes the connection without an answer, are reported at once."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(LinkError, match=why) as raised:
            await probe(Mqtt(host="127.0.0.1", port=port, node=NODE))
    assert remedy in raised.value.remedy
