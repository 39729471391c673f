"""The queue as operators use it: over restarts, between two people, in its stream, and with its clocks."""

from __future__ import annotations

import grp
import json
import os
import pwd
import stat
from contextlib import contextmanager
from datetime import datetime
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs import journal
from tests.rigs.daemon import PATIENCE_S, Daemon, running, vetlla
from tests.rigs.permissions import NOBODY_UID, reachable_directory, unprivileged
from tests.rigs.registered_homes import register
from tests.rigs.terminal import Terminal
from vetlla.cli.kit.control import follow
from vetlla.domain.errors import AccessError, LinkError, UsageError
from vetlla.domain.signals import Flag
from vetlla.receiver.control.server import CONTROL_SOCKET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CONFIG = "[store]\nmin_free_mib = 1\n"


@contextmanager
def homes(directory: Path, config: str = CONFIG) -> Iterator[Daemon]:
    """Start a daemon with two registered homes. One of them has two terminals."""
    register(directory / "state", "1001,H-1001,,", "1002,H-1002,,", "2002,H-1002,,")
    with running(directory, config=config) as daemon:
        yield daemon


# --- over a restart ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["SIGTERM", "SIGKILL"])
def test_a_restart_changes_nothing_an_operator_sees(tmp_path: Path, end: str) -> None:
    """Open alarms, their order, growth and stamps, claims and leases, notes and tests are as before."""
    with homes(tmp_path) as daemon, Terminal(daemon.port, "1001") as home, Terminal(daemon.port, "1002") as other:
        other.alarm("1301")
        other.alarm("1302")
        home.alarm()
        daemon.ask("queue.claim", alarm=2)
        daemon.ask("queue.note", alarm=2, text="her daughter is on the way")
        daemon.ask("queue.escalate", alarm=1, why="mains lost for hours")
        daemon.ask("queue.test", account="2002", seconds=600, reason="installer")
        before, tests = daemon.queue(), daemon.ask("queue.tests")
        if end == "SIGTERM":
            assert daemon.stop() == 0
        else:
            daemon.kill()
        daemon.start()
        after = daemon.queue()

        running_clocks = {"age_s", "t3_s", "lease_s", "due_s"}
        assert [{k: v for k, v in alarm.items() if k not in running_clocks} for alarm in after] == [
            {k: v for k, v in alarm.items() if k not in running_clocks} for alarm in before
        ]
        assert [alarm["id"] for alarm in after] == [2, 1]
        assert (after[0]["state"], after[1]["signals"], after[1]["escalated"]) == ("claimed", 2, 1)
        assert (after[1]["escalated_why"], after[1]["escalated_by"]) == ("mains lost for hours", before[0]["operator"])
        assert 0 < after[0]["lease_s"] <= before[0]["lease_s"]  # the monotonic clock of this boot continues
        for was, now in zip(before, after, strict=True):
            assert now["t3_s"] >= was["t3_s"]
        assert daemon.ask("queue.tests") == tests
        (note,) = journal.query(daemon.state_dir, "SELECT text, operator FROM notes")
        assert tuple(note) == ("her daughter is on the way", before[0]["operator"])
        other.port = daemon.port
        other.hang_up()
        other.alarm("1384", zone=3)
        assert daemon.queue()[1]["signals"] == 3  # the home's next report joins its alarm of the previous run
        assert journal.flaws(daemon.state_dir) == []


# --- two people -------------------------------------------------------------------------------------------------------


@pytest.fixture
def two_people() -> None:
    """Skip the test if this process cannot become another user."""
    if os.geteuid() != 0:
        pytest.skip("needs to run as root, to be two operators")


@contextmanager
def an_unprivileged_user() -> Iterator[None]:
    """Run the block as a user without any group that has rights."""
    group, groups = os.getegid(), os.getgroups()
    os.setgroups([])
    os.setegid(NOBODY_UID)
    try:
        with unprivileged():
            yield
    finally:
        os.setegid(group)
        os.setgroups(groups)


@pytest.mark.usefixtures("two_people")
def test_an_alarm_is_in_one_pair_of_hands() -> None:
    """The kernel identifies operators. One cannot take another's alarm, before and after a restart."""
    config = CONFIG + '[control]\nmode = 0o666\nsupervisors = "root"\n'
    with reachable_directory() as directory, running(directory, config=config) as daemon:
        daemon.state_dir.chmod(0o755)
        with Terminal(daemon.port) as home:
            home.alarm()
        assert daemon.ask("queue.claim")["operator"] == "root"
        for _ in range(2):
            with an_unprivileged_user():
                for do, more in (
                    ("claim", {}),
                    ("answer", {}),
                    ("close", {"outcome": "other"}),
                    ("claim", {"force": True}),
                ):
                    with pytest.raises(UsageError, match="held by root"):
                        daemon.ask(f"queue.{do}", alarm=1, **more)
                daemon.ask("queue.note", alarm=1, text="anybody may write something down")
            assert daemon.stop() == 0
            daemon.start()
        for stranger in ("", "maria-that-never-was", "4000000"):
            with pytest.raises(UsageError):
                daemon.ask("queue.handover", alarm=1, to=stranger)
        given = daemon.ask("queue.handover", alarm=1, to=" nobody ")
        assert (given["operator"], given["action"], given["detail"]) == ("nobody", "hand over", {"to": "nobody"})
        with pytest.raises(UsageError, match="held by nobody"):
            daemon.ask("queue.close", alarm=1, outcome="other")
        with an_unprivileged_user():
            assert daemon.ask("queue.answer", alarm=1)["operator"] == "nobody"
        assert daemon.ask("queue.close", alarm=1, outcome="other", force=True)["state"] == "closed"
        actors = journal.query(
            daemon.state_dir, "SELECT actor, action FROM audit WHERE actor <> 'receiver' ORDER BY id"
        )
        assert [tuple(row) for row in actors] == [
            ("root", "claim"),
            ("nobody", "note"),
            ("nobody", "note"),
            ("root", "hand over"),
            ("nobody", "answer"),
            ("root", "close"),
        ]


@pytest.mark.usefixtures("two_people")
def test_the_control_socket_is_for_those_who_may() -> None:
    """Its permissions keep other users out. A user without the role gets an error that names the right group."""
    with reachable_directory() as directory, running(directory, config=CONFIG) as daemon:
        assert stat.S_IMODE(daemon.state_dir.stat().st_mode) == 0o750
        assert stat.S_IMODE((daemon.state_dir / CONTROL_SOCKET).stat().st_mode) == 0o660
        daemon.state_dir.chmod(0o755)
        with an_unprivileged_user(), pytest.raises(AccessError, match=r"may not write .*: Permission denied"):
            daemon.ask("queue.list")
        assert daemon.stop() == 0

        daemon.configure(CONFIG + '[control]\nmode = 0o666\nengineers = "adm"\nsupervisors = "adm"\n')
        daemon.start()
        with an_unprivileged_user():
            assert daemon.queue() == []
            with pytest.raises(AccessError, match="may not put accounts on test"):
                daemon.ask("queue.test", account="1001", seconds=60)
            with pytest.raises(AccessError, match="may not reload") as refused:
                daemon.ask("reload")
            assert refused.value.remedy == "sudo usermod -aG adm nobody"
        assert daemon.stop() == 0

        daemon.configure(CONFIG + '[control]\nmode = 0o666\noperators = "adm"\n')
        daemon.start()
        with an_unprivileged_user(), pytest.raises(AccessError, match="nobody may not ask this receiver"):
            daemon.ask("queue.list")
        assert daemon.queue() == []
        with Terminal(daemon.port) as home:
            home.alarm()
        with pytest.raises(AccessError, match="nobody may not ask this receiver"):
            daemon.ask("queue.handover", alarm=1, to="nobody", force=True)
        assert daemon.queue()[0]["state"] == "waiting"
        assert daemon.stop() == 0
        assert daemon.told == ""


@pytest.mark.usefixtures("two_people")
def test_an_engineer_does_what_engineers_may_and_works_no_alarm() -> None:
    """A user who is only in the engineers' group may look, test, pause and reload. Only operators work alarms."""
    ours = grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name
    config = f'{CONFIG}[control]\nmode = 0o666\noperators = "adm"\nsupervisors = "adm"\nengineers = "{ours}"\n'
    with reachable_directory() as directory, homes(directory, config) as daemon, Terminal(daemon.port, "1001") as home:
        home.alarm()
        daemon.state_dir.chmod(0o755)
        with an_unprivileged_user():
            assert daemon.status()["ready"]
            assert [alarm["id"] for alarm in daemon.queue()] == [1]
            assert daemon.ask("queue.test", account="1001", seconds=60)["operator"] == "nobody"
            assert daemon.ask("queue.tests")[0]["account"] == "1001"
            for do in ("pause", "resume"):
                assert daemon.ask(f"supervision.{do}", account="1001", reason="installer")["operator"] == "nobody"
            assert daemon.ask("reload")["accounts"] == daemon.ask("registry")["accounts"]
            for do, more in (
                ("claim", {}),
                ("answer", {}),
                ("note", {"text": "x"}),
                ("close", {"outcome": "other"}),
                ("handover", {"to": "root"}),
                ("escalate", {}),
            ):
                with pytest.raises(AccessError, match="nobody may not work alarms\n  -> sudo usermod -aG adm nobody"):
                    daemon.ask(f"queue.{do}", alarm=1, **more)


# --- one home, many reports -------------------------------------------------------------------------------------------


def test_one_homes_reports_stand_as_one_alarm(tmp_path: Path) -> None:
    """Reports of both terminals join the home's alarm, and a more urgent one raises it. Another home gets its own."""
    with (
        homes(tmp_path) as daemon,
        Terminal(daemon.port, "1002") as flat,
        Terminal(daemon.port, "2002") as cellar,
        Terminal(daemon.port, "1001") as elsewhere,
    ):
        flat.alarm("1301")
        elsewhere.alarm("1301")
        (first, _) = daemon.queue()
        assert (first["home"], first["priority"]) == ("H-1002", "TECHNICAL")
        cellar.alarm("1154", zone=9)
        flat.alarm("3301")
        (lifted, other) = daemon.queue()
        assert (lifted["id"], lifted["signals"], lifted["established"]) == (first["id"], 3, first["established"])
        assert (lifted["priority"], lifted["kind"]) == ("HOME_RISK", "flood")
        assert "from 009" in lifted["why"]
        assert (other["home"], other["signals"]) == ("H-1001", 1)

        daemon.ask("queue.answer", alarm=lifted["id"])
        flat.alarm("1101")
        (call, answered, _) = daemon.queue()
        assert (call["priority"], call["chained_to"], call["state"]) == ("LIFE", answered["id"], "waiting")
        assert call["established"] == first["established"]
        assert ("lift", f"alarm {lifted['id']}") in journal.records(daemon.state_dir, "receiver")


def test_a_runaway_device_does_not_bury_the_others(tmp_path: Path) -> None:
    """Its reports are grouped, even after an operator closed the alarm. Other homes and its own pendant still alarm."""
    config = CONFIG + "[queue]\nrunaway_signals = 5\n"
    with homes(tmp_path, config) as daemon, Terminal(daemon.port, "1001") as mad, Terminal(daemon.port, "1002") as calm:
        for _ in range(12):
            mad.alarm("1384")
        calm.alarm("1384")
        group, other = daemon.queue()
        assert (group["signals"], group["runaway"], other["home"], other["runaway"]) == (12, True, "H-1002", False)

        daemon.ask("queue.claim", alarm=group["id"])
        daemon.ask("queue.close", alarm=group["id"], outcome="technical")
        for _ in range(3):
            mad.alarm("1384")
        assert [alarm["home"] for alarm in daemon.queue()] == ["H-1002"]
        mad.alarm("1101", zone=2)
        call, _ = daemon.queue()
        assert (call["home"], call["priority"]) == ("H-1001", "LIFE")

        rows = journal.query(daemon.state_dir, "SELECT flags, alarm_id FROM signals WHERE account = '1001' ORDER BY id")
        assert [bool(row["flags"] & Flag.RUNAWAY) for row in rows] == [False] * 5 + [True] * 10 + [False]
        assert all(row["alarm_id"] for row in rows)


# --- clocks and streams -----------------------------------------------------------------------------------------------


def test_the_contractual_clocks_can_be_read_off(tmp_path: Path) -> None:
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
        self._events = follow(daemon.state_dir, "watch")

    def saw(self, event: str) -> dict[str, Any]:
        """Return the alarm of the next event of this kind. Events of other kinds are skipped."""
        for seen in self._events:
            if seen["event"] == event:
                self.last = seen
                alarm: dict[str, Any] = seen.get("alarm") or seen["signal"]
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


def test_the_clock_of_an_emergency_goes_on_when_its_alarm_was_closed(tmp_path: Path) -> None:
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
        assert daemon.status()["ready"]  # both connections are open for more than a millisecond before they send
        home.alarm()
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
