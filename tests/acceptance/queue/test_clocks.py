"""The clocks of the contract, and the stream of events that watchers read."""

from __future__ import annotations

import json
from datetime import datetime
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs import journal
from tests.rigs.daemon import PATIENCE_S, Daemon, vetlla
from tests.rigs.messages import checked
from tests.rigs.queue.homes import CONFIG, homes
from tests.rigs.terminal import Terminal
from vetlla.cli.kit.control import follow
from vetlla.domain.errors import LinkError
from vetlla.receiver.control.messages.watch import WatchQueue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def test_the_clocks_of_the_contract_are_in_queue_and_export(tmp_path: Path) -> None:
    """t2 and t3 are plausible in the queue and in the export, and the stamps are in order."""
    with homes(tmp_path) as daemon, Terminal(daemon.port, "1001") as home:
        home.dial()
        home.alarm()
        (alarm,) = daemon.queue()
        assert 0 < alarm["t2_s"] < PATIENCE_S
        assert alarm["t3_s"] >= 0
        answered = daemon.ask("queue.answer", alarm=1)
        assert alarm["t3_s"] <= answered["t3_s"] < PATIENCE_S
        assert daemon.ask("queue.close", alarm=1, outcome="handled_by_voice")["t3_s"] == answered["t3_s"]
        assert daemon.metric("vetlla_t2_seconds_count") == 1
        assert daemon.metric("vetlla_t3_seconds_count", priority="life") == 1
        assert daemon.stop() == 0
        export = vetlla("signals", "export", "--json", state_dir=daemon.state_dir)
        exported = json.loads(export.stdout)
    stamps = ("established", "received", "committed", "ready", "answered", "closed")
    moments = [datetime.fromisoformat(exported[name]) for name in stamps]
    assert moments == sorted(moments)
    assert exported["t2_s"] == pytest.approx(alarm["t2_s"], abs=0.05)
    assert exported["event"]["kind"] == "personal_emergency"


class Watcher:
    """A board that follows the queue. ``saw`` waits for the next event of a kind, and ``last`` keeps all of it."""

    last: Mapping[str, Any]

    def __init__(self, daemon: Daemon) -> None:
        self._events = follow(daemon.state_dir, WatchQueue())

    def saw(self, event: str) -> dict[str, Any]:
        """Return the alarm of the next event of this kind. Events of other kinds are skipped."""
        for seen in self._events:
            if seen["event"] == event:
                self.last = checked("watch", seen)
                alarm: dict[str, Any] = self.last.get("alarm") or self.last["signal"]
                return alarm
        raise AssertionError(f"the stream ended without {event}")


def test_watchers_see_everything_as_it_happens(tmp_path: Path) -> None:
    """A watcher gets the open alarms, then each signal, alarm, change and action in order, until the receiver stops."""
    with homes(tmp_path) as daemon, Terminal(daemon.port, "1002") as home:
        home.alarm("1301")
        watcher = Watcher(daemon)
        assert watcher.saw("open")["id"] == 1
        home.alarm("1302")
        assert watcher.saw("signal")["account"] == "1002"
        assert watcher.saw("joined")["signals"] == 2
        home.alarm("1101")
        assert watcher.saw("lifted")["priority"] == "LIFE"
        for do, event, more in (
            ("claim", "claimed", {}),
            ("note", "noted", {"text": "neighbour has the keys"}),
            ("answer", "answered", {}),
            ("escalate", "escalated", {"why": "no answer"}),
            ("close", "closed", {"outcome": "help_sent"}),
        ):
            told = daemon.ask(f"queue.{do}", alarm=1, **more)
            assert watcher.saw(event)["id"] == 1
            did = {name: watcher.last[name] for name in ("actor", "action", "at", "detail")}
            assert did.items() <= told.items()
            assert (did["action"], did["detail"]) == (do, more)
            assert datetime.fromisoformat(did["at"]).tzinfo is not None
        home.alarm("1101", zone=2)
        assert watcher.saw("alarm")["id"] == 2
        ending = Thread(target=daemon.stop)
        ending.start()
        with pytest.raises((AssertionError, LinkError)):
            watcher.saw("never")
        ending.join(PATIENCE_S)


QUICK = CONFIG + "[queue]\nt3_warn_s = 0.1\nt3_max_s = 0.2\nlease_s = 0.2\n"


def test_waiting_calls_are_escalated_by_every_run_of_the_receiver(tmp_path: Path) -> None:
    """A waiting call gives a warning and then escalates. After a restart it still counts, without a second warning."""
    with homes(tmp_path) as daemon, Terminal(daemon.port, "1001") as home:
        home.alarm()
        assert daemon.stop() == 0
        daemon.configure(QUICK)
        daemon.start()
        daemon.await_log("alarm.escalated", alarm=1, why="unanswered")
        assert len(daemon.logged("alarm.warned")) == 1
        daemon.await_queue(lambda alarms: alarms[0]["escalated"] == 1)
        assert daemon.metric("vetlla_warnings_total", priority="life") == 1
        assert daemon.metric("vetlla_escalations_total", priority="life", why="unanswered") == 1
        assert daemon.stop() == 0

        daemon.configure(QUICK)
        daemon.start()
        with Terminal(daemon.port, "1002") as other:
            other.alarm("1301")
            daemon.await_log("alarm.escalated", alarm=2, priority="TECHNICAL")
            other.alarm("1101")  # a technical alarm has become a call of a person, so its clock starts here
            daemon.await_log("alarm.escalated", alarm=2, priority="LIFE")
        assert daemon.queue()[0]["escalated"] == 1
        assert ("warn", "alarm 1") in journal.records(daemon.state_dir, "receiver")
        assert journal.flaws(daemon.state_dir) == []


@pytest.mark.parametrize("end", ["SIGTERM", "SIGKILL"])
def test_an_answered_call_is_not_forgotten_when_its_operator_vanishes(tmp_path: Path, end: str) -> None:
    """The receiver escalates it when the hold time ends, even over a restart, until an operator takes it over."""
    with homes(tmp_path, QUICK + "hold_s = 0.5\n") as daemon, Terminal(daemon.port, "1001") as home:
        home.alarm()
        daemon.ask("queue.answer", alarm=1)
        if end == "SIGTERM":
            assert daemon.stop() == 0
        else:
            daemon.kill()
        daemon.start()
        daemon.await_log("alarm.escalated", alarm=1, why="hold_lapsed")
        (left,) = daemon.await_queue(lambda alarms: alarms[0]["escalated"] > 0)
        assert (left["state"], left["operator"] != "", left["lapsed"] is not None) == ("answered", True, True)
        assert daemon.metric("vetlla_unattended_alarms", priority="life") == 1
        assert daemon.metric("vetlla_escalations_total", priority="life", why="hold_lapsed") >= 1
        daemon.await_queue(lambda alarms: alarms[0]["escalated"] > left["escalated"])  # it escalates again
        assert daemon.ask("queue.claim", alarm=1)["lapsed"] is None
        assert daemon.ask("queue.close", alarm=1, outcome="help_sent")["state"] == "closed"
        assert daemon.metric("vetlla_unattended_alarms", priority="life") == 0


def test_the_clock_of_an_emergency_continues_after_its_alarm_was_closed(tmp_path: Path) -> None:
    """The second press continues the first alarm, although that was closed and the receiver was killed meanwhile."""
    with homes(tmp_path) as daemon, Terminal(daemon.port, "1002") as home:
        home.alarm()
        (first,) = daemon.queue()
        daemon.ask("queue.answer", alarm=1)
        daemon.ask("queue.close", alarm=1, outcome="false_alarm")
        daemon.kill()
        daemon.start()
        home.port = daemon.port
        home.hang_up()
        home.alarm("1101", zone=2)
        (second,) = daemon.queue()
        assert (second["id"], second["chained_to"], second["established"]) == (2, 1, first["established"])


def test_a_communication_that_is_ready_late_is_counted_and_named(tmp_path: Path) -> None:
    """``t2_max_s`` is the limit, and a reload changes it."""
    with (
        homes(tmp_path, CONFIG + "[queue]\nt2_max_s = 0.001\n") as daemon,
        Terminal(daemon.port, "1001") as home,
        Terminal(daemon.port, "1001") as other,
    ):
        frame = home.frame()
        home.send(frame[:8])
        assert daemon.status()["ready"]  # the answer takes longer than the limit, and t2 begins with the first byte
        assert home.say(frame[8:]) == "ACK"
        other.alarm("1602")
        late = daemon.metric("vetlla_t2_breaches_total")
        assert late >= 1
        assert daemon.metric("vetlla_t2_seconds_count") == 2
        assert daemon.await_log("signals.late")["signals"] == [1]
        assert daemon.metric("vetlla_limit_seconds", limit="t2_max") == pytest.approx(1e-3)
        daemon.configure(CONFIG)
        daemon.reload()
        home.alarm("1602")
        assert daemon.metric("vetlla_t2_breaches_total") == late
        assert daemon.metric("vetlla_limit_seconds", limit="t2_max") == 20


def test_every_communication_has_its_t3(tmp_path: Path) -> None:
    """Metric and export count reports, not alarms. The receiver itself answers a routine one."""
    with homes(tmp_path) as daemon, Terminal(daemon.port, "1001") as home:
        home.alarm("1602")
        home.alarm()
        home.alarm("1101", zone=2)
        daemon.ask("queue.answer", alarm=1)
        home.alarm("1101", zone=3)
        assert daemon.metric("vetlla_t3_seconds_count", priority="life") == 3
        assert daemon.metric("vetlla_t3_seconds_count", priority="routine") == 1
        assert daemon.stop() == 0
        export = vetlla("signals", "export", "--json", state_dir=daemon.state_dir)
        test, first, second, third = [json.loads(line)["t3_s"] for line in export.stdout.splitlines()]
    assert (test, third) == (0, 0)
    assert first >= second > 0
