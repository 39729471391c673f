"""The MQTT sink with a real broker: topics, acknowledgements, subscribers, and a broker that is killed."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from contextlib import asynccontextmanager
from hashlib import pbkdf2_hmac
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.rigs.broker import running_broker
from tests.rigs.certificates import Authority
from tests.rigs.core import core, signal, until
from tests.rigs.mqtt_device import Device
from tests.rigs.sink_peer import QUICK, report, settings_of
from vetlla.domain.accounts import Account
from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import ConfigError
from vetlla.domain.onward import Onward, SinkState, invented
from vetlla.domain.signals import Flag, Priority
from vetlla.receiver.sinks.contract import PeerAwayError
from vetlla.receiver.sinks.mqtt import MqttDelivery, escaped
from vetlla.settings.sinks.mqtt import MqttSink

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bench.rig.broker import Broker

SCHEMA = Path(__file__).parents[3] / "docs" / "onward.schema.json"
PLAIN = Flag(0)
CLOSED = """
user root
listener {port} 127.0.0.1
cafile {directory}/ca.pem
certfile {directory}/broker.pem
keyfile {directory}/broker.key
allow_anonymous false
password_file {directory}/passwords
acl_file {directory}/acl
log_type error
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with running_broker(tmp_path / "broker") as running:
        yield running


def listener(broker: Broker) -> Device:
    return Device("reader", broker.port, will=False, subscribe="vetlla/1/#")


def settings(broker: Broker, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - settings
    return {"kind": "mqtt", "name": "bus", "host": "127.0.0.1", "port": broker.port} | changed


@asynccontextmanager
async def publishing(broker: Broker, **changed: Any) -> AsyncIterator[MqttDelivery]:  # noqa: ANN401 - settings
    delivery = MqttDelivery(MqttSink(**settings(broker, **changed)))
    try:
        yield delivery
    finally:
        await delivery.close()


def record(number: int = 1, home: str = "H-1", flags: Flag = PLAIN) -> Onward:
    return Onward(number, 1_764_561_600_000_000, signal(), home, Priority.LIFE, flags, None, "dc09")


async def test_each_signal_is_a_message_under_the_topic_of_its_home(broker: Broker) -> None:
    """Strangers and invented signals have topics of their own, and a message fits the schema of the handbook."""
    with listener(broker) as reader:
        async with publishing(broker) as delivery:
            unknown = record(2, "203.0.113.7", Flag.UNKNOWN_ACCOUNT)
            test = invented(ManualClock().now())
            assert await delivery.deliver([record(1, "Carrer d'Aragó/3 #2"), unknown, test]) == 3
        await until(lambda: len(reader.heard) == 3)
    topics = [topic for topic, _, _ in reader.heard]
    assert topics == [
        "vetlla/1/homes/Carrer%20d%27Arag%C3%B3%2F3%20%232/signals",
        "vetlla/1/unregistered/signals",
        "vetlla/1/test/signals",
    ]
    for _, payload, message in reader.heard:
        body = json.loads(payload)
        jsonschema.validate(body, json.loads(SCHEMA.read_text(encoding="utf-8")))
        assert (body["sink"], message.qos, message.retain) == ("bus", 1, False)
    assert json.loads(reader.heard[0][1])["signal"]["home"] == "Carrer d'Aragó/3 #2"


@pytest.mark.parametrize("home", ["a/b", "+", "#", "$SYS", "\0", "", "%2F", "\ud800", "x" * 255, "日本"])
def test_no_home_escapes_from_its_level(home: str) -> None:
    """A home's code is one level of a topic, whatever characters it has, and no two homes share one."""
    level = escaped(home)
    assert level.isascii()
    assert not set(level) & set("/+#$ \0")
    assert escaped("%2F") != escaped("/")


async def test_a_signal_that_no_one_would_get_waits(broker: Broker) -> None:
    """The broker drops a message without a subscriber, so it does not count as sent, unless the settings say so."""
    async with publishing(broker) as delivery:
        with pytest.raises(PeerAwayError, match="no client is subscribed"):
            await delivery.deliver([record()])
        with listener(broker):
            assert await delivery.deliver([record()]) == 1
    async with publishing(broker, topics="other", needs_subscriber=False) as delivery:
        assert await delivery.deliver([record(1), record(2)]) == 2


async def test_a_client_that_is_away_gets_the_signals_later(broker: Broker) -> None:
    """A subscription of a session that outlives its connection counts."""
    with listener(broker):
        pass
    async with publishing(broker) as delivery:
        assert await delivery.deliver([record()]) == 1
    with listener(broker) as reader:
        await until(lambda: len(reader.heard) == 1)


async def test_a_signal_that_is_not_taken_is_overtaken_once(broker: Broker) -> None:
    """What was under way with it is delivered before it; the next attempts publish nothing else; then all follow."""
    records = [record(1, "H-2"), record(2), record(3)]
    with (
        Device("reader", broker.port, will=False, subscribe="vetlla/1/homes/H-1/signals") as reader,
        Device("tester", broker.port, will=False, subscribe="vetlla/1/test/signals"),
    ):
        async with publishing(broker) as delivery:
            for _ in range(3):
                with pytest.raises(PeerAwayError, match="no client is subscribed"):
                    await delivery.deliver(records)
                assert await delivery.deliver([invented(ManualClock().now())]) == 1
            with Device("other", broker.port, will=False, subscribe="vetlla/1/homes/H-2/signals"):
                assert await delivery.deliver(records) == 1
                assert await delivery.deliver([*records[1:], record(4)]) == 3
        await until(lambda: 4 in numbers_of(reader))
    assert numbers_of(reader) == [2, 3, 2, 3, 4]


def numbers_of(reader: Device) -> list[int]:
    return [json.loads(payload)["signal"]["number"] for _, payload, _ in reader.heard]


async def test_a_killed_broker_is_found_again(tmp_path: Path, broker: Broker) -> None:
    """Signals that were stored while it was away are published in order when it is back."""
    sink = settings(broker, needs_subscriber=False, retry_max_s=0.05)
    chosen = settings_of(tmp_path / "arc", sink)
    accounts = [Account(account="1234", home="H-1")]
    async with core(tmp_path / "arc", settings=chosen, accounts=accounts, bounds=QUICK) as rig:
        running = rig.sinks.find("bus")
        await report(rig, 30)
        await until(lambda: running.waiting == 0)
        broker.kill()
        await report(rig, 30)
        await until(lambda: running.state is SinkState.RETRYING)
        broker.start()
        with listener(broker) as reader:
            await report(rig, 10)
            await until(lambda: running.waiting == 0)
            last = json.loads((await _last(reader))[1])["signal"]["number"]
    numbers = [json.loads(payload)["signal"]["number"] for _, payload, _ in reader.heard]
    assert numbers == sorted(numbers)
    assert last == 70


async def _last(reader: Device) -> tuple[str, bytes, Any]:
    await until(lambda: bool(reader.heard) and json.loads(reader.heard[-1][1])["signal"]["number"] == 70)
    return reader.heard[-1]


async def test_tls_a_password_and_an_acl(tmp_path: Path) -> None:
    """The sink is a client like others: it checks the broker's certificate, and may write only what the ACL allows."""
    directory = tmp_path / "broker"
    authority = Authority(directory)
    authority.issue("broker")
    (directory / "acl").write_text("user bus\ntopic write vetlla/1/homes/#\n", encoding="utf-8")
    make_passwords(directory / "passwords", "bus", "secret")
    secret = tmp_path / "secret"
    secret.write_text("secret\n", encoding="utf-8")
    secret.chmod(0o600)
    with running_broker(directory, CLOSED) as broker:
        changed = {
            "tls": {"ca": authority.certificate},
            "username": "bus",
            "password_file": secret,
            "needs_subscriber": False,
        }
        async with publishing(broker, **changed) as delivery:
            assert await delivery.deliver([record()]) == 1
            with pytest.raises(PeerAwayError, match="does not take the message"):
                await delivery.deliver([record(flags=Flag.UNKNOWN_ACCOUNT)])
        secret.write_text("wrong\n", encoding="utf-8")
        async with publishing(broker, **changed) as delivery:
            with pytest.raises(PeerAwayError, match=r"(?i)not authorized|bad user"):
                await delivery.deliver([record()])
        secret.unlink()
        async with publishing(broker, **changed) as delivery:
            with pytest.raises(ConfigError, match="secret"):
                await delivery.deliver([record()])


def make_passwords(file: Path, user: str, password: str) -> None:
    """Write a password file of Mosquitto: PBKDF2 with SHA-512, as mosquitto_passwd makes it."""
    salt = os.urandom(12)
    digest = pbkdf2_hmac("sha512", password.encode(), salt, 101)
    file.write_text(f"{user}:$7$101${b64encode(salt).decode()}${b64encode(digest).decode()}\n", encoding="utf-8")
    file.chmod(0o600)
