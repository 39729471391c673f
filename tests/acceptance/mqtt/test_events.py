"""MQTT end to end with a real broker, the installed receiver, and terminals that share no code with it."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.rigs.broker import PATIENCE_S, running_broker
from tests.rigs.daemon import Daemon, running, vetlla
from tests.rigs.journal import query
from tests.rigs.mqtt_device import Device
from tests.rigs.registered_homes import register

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.rig.broker import Broker

PRESS = {"dty": "0003", "stc": "0010", "lco": "011"}
CONFIG = '[[mqtt]]\nhost = "127.0.0.1"\nport = {port}\nnode = "{node}"\nretry_max_s = 0.5\n{more}\n'
SIGNALS = "SELECT account, kind, phase, device, sequence, alarm_id, transport, peer FROM signals ORDER BY id"


class Scene(NamedTuple):
    broker: Broker
    daemon: Daemon


def config(broker: Broker, *, node: str = "arc-1", more: str = "") -> str:
    return CONFIG.format(port=broker.port, node=node, more=more)


def connected(daemon: Daemon) -> None:
    """Wait until the receiver is connected to its broker."""
    daemon.await_status(lambda status: all(place.get("connected", True) for place in status["listening"]))


@contextmanager
def scene(directory: Path, *, more: str = "", before: str = "") -> Iterator[Scene]:
    """Start a broker and a receiver with one registered home, T1."""
    with ExitStack() as stack:
        broker = stack.enter_context(running_broker(directory / "broker"))
        register(directory / "receiver" / "state", "T1,H1,,")
        text = before + config(broker, more=more)
        daemon = stack.enter_context(running(directory / "receiver", config=text))
        connected(daemon)
        yield Scene(broker, daemon)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path) as made:
        yield made


def test_a_press_is_receipted_once_it_is_stored(here: Scene) -> None:
    """An event gets its receipt, is in the journal with its terminal and device, and opens a LIFE alarm."""
    with Device("T1", here.broker.port) as device:
        device.publish("ucr-1/ev", {"ref": "7-1", **PRESS})
        assert device.await_receipt("7-1") == {"ref": "7-1", "status": "accepted"}

    (row,) = query(here.daemon.state_dir, SIGNALS)
    assert tuple(row)[:5] == ("T1", "personal_emergency", "new", "ucr-1", "7-1")
    assert (row["transport"], row["peer"]) == ("mqtt", "mqtt/T1")
    assert here.daemon.await_alarm()["priority"] == "LIFE"


def test_a_repetition_is_receipted_again_and_stored_once(here: Scene) -> None:
    """The same reference is the same event. Another reference is another event."""
    with Device("T1", here.broker.port) as device:
        for ref in ("7-1", "7-1", "7-2"):
            before = len(device.receipts())
            device.publish("ucr-1/ev", {"ref": ref, **PRESS})
            device.await_heard(lambda _t, _p, n=before: len(device.receipts()) > n)  # type: ignore[misc]
        assert [receipt["status"] for receipt in device.receipts()] == ["accepted"] * 3

    assert [row["sequence"] for row in query(here.daemon.state_dir, SIGNALS)] == ["7-1", "7-2"]


def test_the_receipt_goes_where_the_terminal_asks(here: Scene) -> None:
    """The receiver uses a response topic among the terminal's receipts, with its correlation data, but no other."""
    with Device("T1", here.broker.port) as device:
        device.publish(
            "ucr-1/ev", {"ref": "7-1", **PRESS}, ResponseTopic="tc/1/T1/receipt/gw-2", CorrelationData=b"\x00\x07"
        )
        topic, _, message = device.await_heard(lambda _, payload: b'"7-1"' in payload)
        assert topic == "tc/1/T1/receipt/gw-2"
        assert vars(message.properties)["CorrelationData"] == b"\x00\x07"
        device.publish("ucr-1/ev", {"ref": "7-2", **PRESS}, ResponseTopic="tc/1/T2/receipt", CorrelationData=b"\x01")
        topic, _, _ = device.await_heard(lambda _, payload: b'"7-2"' in payload)
        assert topic == "tc/1/T1/receipt"


def test_malformed_payloads_become_rejects(here: Scene) -> None:
    """A payload that is not an event becomes a reject. If it has a reference, its terminal gets a receipt."""
    with Device("T1", here.broker.port) as device:
        device.publish("ucr-1/ev", "alarm!")
        device.publish("ucr-1/ev", {"ref": "7-1", "dty": "pendant"})
        device.publish("", {"ref": "9"}, topic="tc/2/T1/ucr-1/ev")
        assert device.await_receipt("7-1") == {"ref": "7-1", "status": "refused", "reason": "malformed"}
        device.publish("ucr-1/ev", {"ref": "7-2", **PRESS})
        assert device.await_receipt("7-2") == {"ref": "7-2", "status": "accepted"}

    rows = query(here.daemon.state_dir, "SELECT reason, account FROM rejects ORDER BY id")
    assert [tuple(row) for row in rows] == [("malformed", "T1"), ("malformed", "T1"), ("unsupported", "")]


BROKEN = {
    "nan": b'{"ref":"nan","dty":"0003","stc":"0010","batt":nan}',
    "empty": b'{"batt":,"ref":"empty","dty":"0003","stc":"0010"}',
    "digits": b'{"ref":"digits","dty":"0003","stc":"0010","rssi":' + b"9" * 5000 + b"}",
    "twice": b'{"ref":"twice","dty":"0003","stc":"0010","stc":"0070",}',
    "bytes": b'{"ref":"bytes","dty":"0003","stc":"0010","text":"\xff\xfe \\x41\n"}',
    "tail": b'{"ref":"tail","dty":"0003","stc":"0010","text":"the buffer ends he',
}


def test_a_call_with_a_broken_secondary_field_is_stored(here: Scene) -> None:
    """A call is stored and receipted with any content beside reference, device and status."""
    with Device("T1", here.broker.port) as device:
        for ref, payload in BROKEN.items():
            device.publish("ucr-1/ev", payload)
            assert device.await_receipt(ref) == {"ref": ref, "status": "accepted"}, payload

    rows = query(here.daemon.state_dir, SIGNALS)
    assert [(row["kind"], row["phase"], row["sequence"]) for row in rows] == [
        ("personal_emergency", "new", ref) for ref in BROKEN
    ]


def test_an_event_that_is_refused_is_put_before_an_operator(here: Scene) -> None:
    """An unreadable event of a known home may be a call, so its terminal gets a receipt and an operator an alarm."""
    with Device("T1", here.broker.port) as device:
        device.publish("ucr-1/ev", b'{"ref":"7-1","dty":"pendant","batt":nan}')
        assert device.await_receipt("7-1") == {"ref": "7-1", "status": "refused", "reason": "malformed"}
        alarm = here.daemon.await_alarm()
        assert (alarm["kind"], alarm["priority"]) == ("unreadable", "LIFE")


def test_a_payload_speaks_for_no_other_terminal(here: Scene) -> None:
    """Bytes after an event that look like another home's message become a reject. The event itself counts."""
    behind = 'tc/1/T2/ucr-1/ev {"ref":"7-9","dty":"0003"}'
    with Device("T1", here.broker.port) as device:
        device.publish("ucr-1/ev", f'{{"ref":"7-1","dty":"0003"}} {behind}')
        assert device.await_receipt("7-1") == {"ref": "7-1", "status": "accepted"}
        device.publish("ucr-1/ev", {"ref": "7-2", **PRESS})
        assert device.await_receipt("7-2")

    assert [row["account"] for row in query(here.daemon.state_dir, SIGNALS)] == ["T1", "T1"]
    assert [row["account"] for row in query(here.daemon.state_dir, "SELECT account FROM rejects")] == ["T1"]


def test_strangers_get_a_receipt_that_says_refused(tmp_path: Path) -> None:
    """If the service refuses strangers, an unregistered terminal's receipt says so. Registered ones are served."""
    refusing = '[intake]\nunknown_accounts = "refuse"\n'
    with scene(tmp_path, before=refusing) as here, Device("T9", here.broker.port) as stranger:
        stranger.publish("ucr-1/ev", {"ref": "7-1", **PRESS})
        assert stranger.await_receipt("7-1") == {"ref": "7-1", "status": "refused", "reason": "unknown_account"}
        with Device("T1", here.broker.port) as device:
            device.publish("ucr-1/ev", {"ref": "7-1", **PRESS})
            assert device.await_receipt("7-1") == {"ref": "7-1", "status": "accepted"}


def test_receipts_without_a_subscriber_are_counted(here: Scene) -> None:
    """The metrics show a terminal that does not subscribe to its receipts."""
    with Device("T1", here.broker.port, subscribe="tc/1/elsewhere") as device:
        device.publish("ucr-1/ev", {"ref": "7-1", **PRESS})
        here.daemon.await_status(lambda status: status["counts"]["signals"] == 1)
        deadline = time.monotonic() + PATIENCE_S
        while here.daemon.metric("vetlla_mqtt_receipts_total", outcome="unheard") != 1:
            assert time.monotonic() < deadline


def test_heartbeats_are_counted(here: Scene) -> None:
    """A terminal's heartbeat gets no receipt, and counts as a heartbeat."""
    with Device("T1", here.broker.port) as device:
        for seq in range(3):
            device.publish("hb", {"boot": 1, "seq": seq, "batt": 90})
        here.daemon.await_status(lambda status: status["counts"]["heartbeats"] == 3)
        assert device.receipts() == []


def test_a_lost_terminal_is_an_alarm_and_its_return_a_restore(here: Scene) -> None:
    """A terminal's last will at the broker opens an alarm for operators. Its return is a restore in the same alarm."""
    with Device("T1", here.broker.port) as device:
        device.await_code(device.publish("$state", "ready", retain=True))
        device.break_off()
        (alarm,) = here.daemon.await_queue(lambda alarms: any(alarm["kind"] == "path_trouble" for alarm in alarms))
        device.publish("$state", "ready", retain=True)
        here.daemon.await_status(lambda status: status["counts"]["signals"] == 3)

    rows = query(here.daemon.state_dir, SIGNALS)
    assert [(row["kind"], row["phase"], row["alarm_id"]) for row in rows] == [
        ("path_trouble", "restore", None),
        ("path_trouble", "new", alarm["id"]),
        ("path_trouble", "restore", alarm["id"]),
    ]
    assert [(one["id"], one["signals"]) for one in here.daemon.queue()] == [(alarm["id"], 2)]


def test_a_replayed_state_opens_no_alarm(tmp_path: Path) -> None:
    """The retained state of a terminal that was lost before is stored, but opens no alarm again."""
    with running_broker(tmp_path / "broker") as broker, Device("T1", broker.port) as device:
        device.await_code(device.publish("$state", "lost", retain=True))
        register(tmp_path / "receiver" / "state", "T1,H1,,")
        with running(tmp_path / "receiver", config=config(broker)) as daemon:
            daemon.await_status(lambda status: status["counts"]["signals"] == 1)
            assert daemon.queue() == []
            (row,) = query(daemon.state_dir, SIGNALS)
            assert (row["kind"], row["alarm_id"]) == ("path_trouble", None)


def test_the_receiver_publishes_its_own_state(here: Scene) -> None:
    """Terminals can see the state of their receiver: ready, disconnected normally, or lost."""
    with Device("watch", here.broker.port, subscribe="tc/1/arc/+/$state") as watch:
        assert watch.await_heard(lambda _, payload: payload == b"ready")[0] == "tc/1/arc/arc-1/$state"
        assert here.daemon.stop() == 0
        watch.await_heard(lambda _, payload: payload == b"disconnected")
        here.daemon.start()
        connected(here.daemon)
        here.daemon.kill()
        watch.await_heard(lambda _, payload: payload == b"lost")


def test_without_a_commit_there_is_no_receipt_and_nothing_is_lost(tmp_path: Path) -> None:
    """Events stay with the broker while the receiver cannot store. Later each is stored once and receipted."""
    starved = "[store]\nmin_free_mib = 100_000_000\n"
    with scene(tmp_path, before="") as here, Device("T1", here.broker.port) as device:
        here.daemon.configure(starved + config(here.broker))
        here.daemon.reload()
        here.daemon.await_log("store.unready")
        for number in range(20):
            device.publish("ucr-1/ev", {"ref": f"7-{number}", **PRESS})
        here.daemon.await_log("mqtt.paused")
        assert device.receipts() == []

        here.daemon.configure("[store]\nmin_free_mib = 1\n" + config(here.broker))
        here.daemon.reload()
        for number in range(20):
            assert device.await_receipt(f"7-{number}"), number
        assert len(query(here.daemon.state_dir, SIGNALS)) == 20
        here.daemon.await_metric("vetlla_mqtt_connected", lambda value: value == 1)


def test_a_lost_broker_is_reported_once_and_connected_again(here: Scene) -> None:
    """Status, metrics and one log line show that the broker is gone. Events after its return arrive."""
    here.broker.kill()
    here.daemon.await_log("mqtt.lost")
    here.daemon.await_metric("vetlla_mqtt_connected", lambda value: value == 0)
    places = {place["name"]: place for place in here.daemon.status()["listening"]}
    assert places["mqtt"]["connected"] is False
    told = vetlla("status", state_dir=here.daemon.state_dir)
    assert f"mqtt: mqtt at broker 127.0.0.1:{here.broker.port}, NOT CONNECTED" in told.stdout
    here.broker.start()
    connected(here.daemon)
    assert len(here.daemon.logged("mqtt.lost")) == 1
    with Device("T1", here.broker.port) as device:
        device.publish("ucr-1/ev", {"ref": "7-1", **PRESS})
        assert device.await_receipt("7-1")


def test_events_sent_while_the_receiver_was_away_are_received(here: Scene) -> None:
    """The broker keeps events for a stopped receiver, which receipts them after its next start."""
    assert here.daemon.stop() == 0
    with Device("T1", here.broker.port) as device:
        for number in range(50):
            device.publish("ucr-1/ev", {"ref": f"7-{number}", **PRESS})
        here.daemon.start()
        for number in range(50):
            assert device.await_receipt(f"7-{number}"), number
    assert len(query(here.daemon.state_dir, SIGNALS)) == 50
    (line,) = here.daemon.logged("mqtt.connected")
    assert line["resumed"] is True


def test_several_receivers_share_a_subscription(tmp_path: Path) -> None:
    """Each event goes to one of two receivers, and together they get all. Both get every heartbeat and state."""
    with ExitStack() as stack:
        broker = stack.enter_context(running_broker(tmp_path / "broker"))
        daemons = []
        for node in ("arc-1", "arc-2"):
            register(tmp_path / node / "state", "T1,H1,,")
            text = config(broker, node=node, more='share = "arc"')
            daemons.append(stack.enter_context(running(tmp_path / node, config=text)))
            connected(daemons[-1])
        device = stack.enter_context(Device("T1", broker.port))
        device.publish("$state", "ready", retain=True)
        for number in range(40):
            device.publish("ucr-1/ev", {"ref": f"7-{number}", **PRESS})
            device.publish("hb", {"boot": 1, "seq": number})
        for number in range(40):
            assert device.await_receipt(f"7-{number}"), number
        events = "SELECT sequence FROM signals WHERE system = 'scaip'"
        taken = [[row["sequence"] for row in query(daemon.state_dir, events)] for daemon in daemons]
        assert all(taken)
        assert sorted(taken[0] + taken[1]) == sorted(f"7-{number}" for number in range(40))
        for daemon in daemons:
            daemon.await_status(lambda status: status["counts"]["heartbeats"] == 40)
            assert query(daemon.state_dir, "SELECT 1 FROM signals WHERE code = 'ready'")
