"""Emergencies in the street with a real receiver: the clock of ANS 11 starts at the first press."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from tests.rigs.daemon import PATIENCE_S, Daemon, running, vetlla
from tests.rigs.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

HOMES = "code,district,base,level,alone,active\nH1,01,NORD,2,yes,2018-01-01/\nH2,02,PONENT,3,no,2018-01-01/\n"


SOON_S = 5.0
"""A call is answered within this, also on a busy machine; waiting for the registry would take longer."""


def run(daemon: Daemon, *words: str) -> dict[str, Any]:
    done = vetlla(*words, "--json", state_dir=daemon.state_dir)
    assert done.returncode in {0, 1}, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[0]) if done.stdout else {}
    return answer


def registered(daemon: Daemon, folder: Path) -> None:
    file = folder / "homes.csv"
    file.write_text(HOMES, encoding="utf-8")
    for words in (
        ("inventory", "import", str(file), "--what", "homes"),
        ("accounts", "set", "1001", "--home", "H1"),
        ("accounts", "set", "1002", "--home", "H2"),
        ("dispatch", "units", "add", "UMO-01", "--base", "PONENT"),
        ("dispatch", "units", "add", "UMO-03", "--base", "NORD", "--vehicle", "V-12"),
    ):
        done = vetlla(*words, state_dir=daemon.state_dir)
        assert done.returncode == 0, done.stderr


def press(daemon: Daemon, account: str) -> int:
    with Terminal(daemon.port, account) as terminal:
        terminal.alarm()
    return int(max(alarm["id"] for alarm in daemon.queue()))


def close(daemon: Daemon, alarm: int, outcome: str = "false_alarm") -> None:
    daemon.ask("queue.answer", alarm=alarm)
    daemon.ask("queue.close", alarm=alarm, outcome=outcome)


def test_the_clock_starts_at_the_first_press_though_it_was_closed(tmp_path: Path) -> None:
    """A false alarm is closed, the receiver is killed, the user presses again: the first press counts."""
    with running(tmp_path) as daemon:
        registered(daemon, tmp_path)
        first = press(daemon, "1001")
        close(daemon, first)
        daemon.kill()
        daemon.start()
        second = press(daemon, "1001")
        assert second != first
        before = run(daemon, "dispatch", "show", str(second))["first"]
        assert before["alarm"] == first
        assert [one["alarm"] for one in before["alarms"]] == [first, second]
        typed = run(daemon, "dispatch", "type", str(second), "I")
        assert typed["kind"] == "umo_1"
        assert typed["opened"] == before["alarms"][0]["established"] == before["at"]
        assert typed["alarms"] == [str(first), str(second)]
        assert "closed (false_alarm), within the chaining time" in run(daemon, "dispatch", "show", str(second))["why"]
        daemon.kill()
        # The rest needs no receiver.
        assert run(daemon, "dispatch", "propose", str(second))["unit"] == "UMO-03"
        sent = run(daemon, "dispatch", "send", str(second), "--unit", "UMO-03")
        assert (sent["unit"], sent["base"]) == ("UMO-03", "NORD")
        assert run(daemon, "dispatch", "arrived", str(second))["verdict"] == "open"
        assert run(daemon, "dispatch", "access", str(second))["verdict"] == "kept"
        finished = run(daemon, "dispatch", "finished", str(second))
        assert (finished["verdict"], finished["events"][-1]["event"]) == ("kept", "finished")
        report = run(daemon, "dispatch", "report")
        assert (report["emergencies"], report["within_share"], report["kept"]) == (1, 1, True)


def test_a_later_press_joins_the_emergency_that_has_a_unit(tmp_path: Path) -> None:
    """While the unit is on its way the user presses again: the alarm joins, and no second emergency is opened."""
    with running(tmp_path) as daemon:
        registered(daemon, tmp_path)
        first = press(daemon, "1001")
        opened = run(daemon, "dispatch", "type", str(first), "I")
        run(daemon, "dispatch", "send", str(first), "--unit", "UMO-03")
        close(daemon, first, "help_sent")
        second = press(daemon, "1001")
        joined = run(daemon, "dispatch", "type", str(second), "I")
        assert joined["id"] == opened["id"]
        assert joined["events"][-1]["event"] == "repeated"
        other = press(daemon, "1002")
        assert run(daemon, "dispatch", "type", str(other), "II")["id"] != opened["id"]
        board = vetlla("dispatch", "board", "--json", state_dir=daemon.state_dir).stdout.splitlines()
        assert [json.loads(line)["alarm"] for line in board] == [str(other), str(first)]  # the first one has its unit


def test_a_new_emergency_after_the_visit_has_its_own_clock(tmp_path: Path) -> None:
    """A unit has been there and left; the receiver chains the next press, but its clock starts at that press."""
    with running(tmp_path) as daemon:
        registered(daemon, tmp_path)
        first = press(daemon, "1001")
        for words in (("type", "I"), ("send", "--unit", "UMO-03"), ("access",), ("finished",)):
            run(daemon, "dispatch", words[0], str(first), *words[1:])
        close(daemon, first, "help_sent")
        second = press(daemon, "1001")
        shown = run(daemon, "dispatch", "show", str(second))["first"]
        assert [one["alarm"] for one in shown["alarms"]] == [second]
        typed = run(daemon, "dispatch", "type", str(second), "II")
        assert typed["opened"] == shown["at"] > shown["alarms"][0]["opened"][:10]
        assert typed["opened"] <= shown["alarms"][0]["opened"]
        assert typed["alarms"] == [str(second)]


def test_the_marks_are_metrics_and_a_bad_registry_hurts_no_call(tmp_path: Path) -> None:
    """The receiver counts what the registry has; if it cannot be read, the last figures stay. Calls are answered."""
    with running(tmp_path) as daemon:
        daemon.await_metric("vetlla_emergencies_known", lambda known: known == 1)  # there is no registry yet
        assert daemon.metric("vetlla_emergencies_open", type="I") == 0
        registered(daemon, tmp_path)
        alarm = press(daemon, "1001")
        run(daemon, "dispatch", "type", str(alarm), "I")
        daemon.await_metric("vetlla_emergencies_without_unit", lambda count: count == 1)
        assert daemon.metric("vetlla_emergencies_open", type="I") == 1
        assert 0 < daemon.metric("vetlla_emergency_oldest_seconds", type="I") < PATIENCE_S
        assert daemon.metric("vetlla_emergencies_past_mark", mark="limit") == 0
        run(daemon, "dispatch", "send", str(alarm), "--unit", "UMO-03")
        daemon.await_metric("vetlla_emergencies_without_unit", lambda count: count == 0)
        registry = daemon.state_dir / "registry.db"
        with closing(sqlite3.connect(registry, isolation_level=None)) as holder:
            holder.execute("BEGIN EXCLUSIVE")
            os.utime(registry)  # as if it had just been written
            began = time.monotonic()
            second = press(daemon, "1002")
            assert time.monotonic() - began < SOON_S
            holder.execute("ROLLBACK")
        good = registry.read_bytes()
        registry.write_bytes(b"damage" * 1000)
        daemon.await_log("emergencies.unread")
        assert daemon.metric("vetlla_emergencies_known") == 0
        assert daemon.metric("vetlla_emergencies_open", type="I") == 1
        close(daemon, second)
        began = time.monotonic()
        assert press(daemon, "1002") > second
        assert time.monotonic() - began < SOON_S
        registry.write_bytes(good)
        run(daemon, "dispatch", "access", str(alarm))
        # The first sample is that of type I; the receiver has it after its next look.
        daemon.await_metric("vetlla_emergencies_open", lambda count: count == 0)
        assert daemon.metric("vetlla_emergencies_known") == 1
        assert daemon.stop() == 0
