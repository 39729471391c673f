"""kill -9 of broker and receiver: a short ``python -m bench.killing.chaos_mqtt``, and a test that it notices faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.killing.chaos_mqtt import BrokerKillTally, compare
from tests.rigs.broker import running_broker
from tests.rigs.daemon import running
from tests.rigs.killing import killed
from tests.rigs.mqtt_device import Device
from tests.rigs.registered_homes import register

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 5


def test_nothing_receipted_is_lost_or_doubled_by_kill_9(tmp_path: Path) -> None:
    """Brokers and receivers are killed at random instants. Each receipted event is stored once, with its alarm."""
    with running_broker(tmp_path):
        pass  # this skips the test without a broker
    tally = killed("chaos_mqtt", "--kills", str(KILLS), "--terminals", "6")
    assert tally["kills_of_the_broker"] + tally["kills_of_the_receiver"] >= KILLS
    assert tally["receipted"] > KILLS
    assert tally["missing"] == tally["twice"] == 0


def test_the_comparison_finds_faults(tmp_path: Path) -> None:
    """The comparison fails on a receipted event that is missing in the journal, and on one that is there twice."""
    with running_broker(tmp_path / "broker") as broker:
        register(tmp_path / "receiver" / "state", "T1,H1,,")
        config = f'[store]\nduplicate_window_max = 1\n[[mqtt]]\nhost = "127.0.0.1"\nport = {broker.port}\nnode = "a"\n'
        with running(tmp_path / "receiver", config=config) as daemon, Device("T1", broker.port) as device:
            daemon.await_status(lambda status: all(place.get("connected", True) for place in status["listening"]))
            for ref in ("1", "2", "3", "1"):  # the window is one report, so "1" is new again
                before = len(device.receipts())
                device.publish("ucr/ev", {"ref": ref, "dty": "0003"})
                device.await_heard(lambda _t, _p, n=before: len(device.receipts()) > n)  # type: ignore[misc]
            tally = BrokerKillTally()
            compare(daemon.state_dir, {"T1": {"1", "2", "3", "4"}}, tally)

    assert (tally.missing, tally.twice, tally.stored) == (1, 1, 4)
