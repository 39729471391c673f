"""The MQTT listener with the real core and a real broker: acknowledgements, bounds, and redelivery."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.rigs.broker import running_broker
from tests.rigs.core import Core, core, until
from tests.rigs.loops import each_loop
from tests.rigs.mqtt_device import Device
from vetlla.domain.signals import VerdictOutcome
from vetlla.protocols.mqtt.decoder import MqttDecoder
from vetlla.receiver.listeners.mqtt.listener import MqttListener
from vetlla.receiver.session import SessionServices
from vetlla.settings.broker import Mqtt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from bench.rig.broker import Broker
    from vetlla.domain.signals import Item
    from vetlla.protocols.decoder import Message, MessageDecoder

PRESS = {"dty": "0003", "stc": "0010"}
NODE = "arc-1"
BURST = 10_000
"""Enough for Mosquitto 2.0.11 to exceed Receive Maximum by far."""


class Site(NamedTuple):
    core: Core
    listener: MqttListener
    device: Device

    async def receipt(self, ref: str) -> object:
        return await asyncio.to_thread(self.device.await_receipt, ref)

    def stored(self) -> int:
        return self.core.counters.signals["mqtt", VerdictOutcome.STORED]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running_broker(tmp_path / "broker") as running:
        yield running


@contextmanager
def receivers_session(broker: Broker) -> Iterator[Device]:
    """Take over the receiver's session at the broker, which then sends the messages that are not acknowledged."""
    with Device("nobody", broker.port, client_id=NODE, will=False, subscribe="tc/1/marker") as heir:
        yield heir


DECODER = MqttDecoder(lambda _: ())


@asynccontextmanager
async def site(
    directory: Path,
    broker: Broker,
    *,
    receive_maximum: int = 100,
    decoder: MessageDecoder = DECODER,
) -> AsyncIterator[Site]:
    settings = Mqtt(host="127.0.0.1", port=broker.port, node=NODE, receive_maximum=receive_maximum, retry_max_s=0.2)
    async with core(directory / "state") as rig:
        services = SessionServices(rig.intake, rig.budget, rig.counters, rig.clock)
        listener = MqttListener(settings, services, decoder, ready=lambda: rig.commit.ready)
        await listener.start()
        device = Device("T1", broker.port)
        try:
            await until(lambda: listener.connected)
            await asyncio.to_thread(device.await_subscribed)
            yield Site(rig, listener, device)
        finally:
            rig.journal.gate.set()
            await listener.close()
            await asyncio.to_thread(device.close)


@each_loop
async def test_nothing_is_acknowledged_before_it_is_committed(tmp_path: Path, broker: Broker) -> None:
    """The broker has no acknowledgement while the commit is held open, and sends the event again after a break."""
    async with site(tmp_path, broker) as here:
        here.core.journal.gate.clear()
        here.device.publish("ucr/ev", {"ref": "1", **PRESS})
        await until(here.core.journal.at_gate.is_set)
        assert here.device.receipts() == []
        task = here.listener._task
        assert task is not None
        here.listener._stop.set()
        task.cancel()
        await asyncio.wait({task})
        with receivers_session(broker) as heir:
            _, payload, message = await asyncio.to_thread(heir.await_heard, lambda topic, _: topic.endswith("/ev"))
            assert b'"ref": "1"' in payload
            assert message.dup


@each_loop
async def test_a_committed_event_is_acknowledged(tmp_path: Path, broker: Broker) -> None:
    """After its receipt an event is acknowledged, so the session at the broker keeps no message."""
    async with site(tmp_path, broker) as here:
        for number in range(5):
            here.device.publish("ucr/ev", {"ref": f"{number}", **PRESS})
            here.device.publish("hb", {"boot": 1, "seq": number})
        for number in range(5):
            assert await here.receipt(f"{number}")
        await here.listener.close()
        with receivers_session(broker) as heir:
            heir.publish("", "now", topic="tc/1/marker")
            await asyncio.to_thread(heir.await_heard, lambda topic, _: topic == "tc/1/marker")
            assert [topic for topic, _, _ in heir.heard if topic != "tc/1/marker"] == []


async def test_a_slow_store_bounds_the_messages_under_way(tmp_path: Path, broker: Broker) -> None:
    """While the store is slow, the broker sends only what the receiver can keep; in the end every event is stored."""
    async with site(tmp_path, broker, receive_maximum=5) as here:
        here.core.journal.gate.clear()
        here.device.publish("ucr/ev", {"ref": "0", **PRESS})
        await until(here.core.journal.at_gate.is_set)
        for number in range(1, 200):
            here.device.publish("ucr/ev", {"ref": f"{number}", **PRESS})
        await until(lambda: here.core.intake.waiting + 1 >= 4)
        assert here.core.intake.waiting <= 5
        here.core.journal.gate.set()
        for number in range(200):
            assert await here.receipt(f"{number}"), number
        assert here.stored() == 200
        assert here.core.counters.signals["mqtt", VerdictOutcome.DUPLICATE] == 0


async def test_an_event_that_could_not_be_committed_comes_again(tmp_path: Path, broker: Broker) -> None:
    """After a failed commit there is no receipt and the connection ends; the event is sent again and stored once."""
    async with site(tmp_path, broker) as here:
        here.core.journal.failing = True
        here.device.publish("ucr/ev", {"ref": "1", **PRESS})
        await until(lambda: not here.listener.connected)
        assert here.device.receipts() == []
        here.core.journal.failing = False
        here.core.clock.advance(2)
        assert await here.receipt("1") == {"ref": "1", "status": "accepted"}
        assert here.stored() == 1


async def test_a_decoder_that_fails_delays_no_message(tmp_path: Path, broker: Broker) -> None:
    """A message on which the decoder fails is not sent again for ever, and the next one is received."""

    class Breaking(MqttDecoder):
        def read(self, message: Message) -> list[Item]:
            if b"poison" in message.payload:
                raise ZeroDivisionError
            return super().read(message)

    async with site(tmp_path, broker, decoder=Breaking(lambda _: ())) as here:
        here.device.publish("ucr/ev", {"ref": "poison", **PRESS})
        here.device.publish("ucr/ev", {"ref": "1", **PRESS})
        assert await here.receipt("1")
        assert here.stored() == 1


async def test_a_burst_beyond_the_receive_maximum_is_taken_whole(tmp_path: Path, broker: Broker) -> None:
    """All messages of a fast fleet are received on one connection, even if the broker sends more than is allowed."""
    load = [sys.executable, "-m", "bench.receiving.mqtt_load", str(broker.port)]
    load += ["--terminals", "100", "--messages", str(BURST)]
    async with site(tmp_path, broker, receive_maximum=1_000) as at:
        await asyncio.to_thread(subprocess.run, load, input=b"\n", check=True, capture_output=True)
        await until(lambda: at.stored() == BURST)
