"""Terminals report troubles to a running receiver, and the office finds the faults in its journal."""

from __future__ import annotations

import itertools
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.daemon import running, vetlla
from tests.rigs.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.rigs.daemon import Daemon

_numbers = itertools.count(1)
LOW, LOW_OVER = "1302", "3302"
MAINS = "1301"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """Run a receiver of a service with one home that is registered and one account that is not."""
    with running(tmp_path) as started:
        files = {
            "accounts": "account,home\nA001,H1\nA002,H2\n",
            "homes": "code,district,base,level,alone,active\nH1,01,NORD,2,yes,2018-01-01/\n",
            "devices": "type,serial,ownership,place,home,account,made,first_installed\n"
            "terminal_ip,T1,municipal,home,H1,A001,2018-W10,2018-05-02\n",
        }
        for what, text in files.items():
            (tmp_path / f"{what}.csv").write_text(text, encoding="utf-8")
        for words in (
            ("accounts", "import", str(tmp_path / "accounts.csv")),
            ("inventory", "import", str(tmp_path / "homes.csv"), "--what", "homes"),
            ("inventory", "import", str(tmp_path / "devices.csv"), "--day", "2024-04-01"),
        ):
            done = vetlla(*words, state_dir=started.state_dir)
            assert done.returncode == 0, done.stderr
        yield started


def report(daemon: Daemon, event: str, *, account: str = "A001", zone: int = 0) -> None:
    """Send a report and wait for its acknowledgement, after which it is in the journal."""
    with Terminal(daemon.port, account) as terminal:
        terminal.number = next(_numbers)  # the same frame again would be a repetition
        terminal.send(terminal.frame(event, zone=zone))
        terminal.reply()


def run(daemon: Daemon, *words: str, status: int = os.EX_OK) -> list[dict[str, Any]]:
    """Run a command; return its JSON objects."""
    done = vetlla(*words, "--json", state_dir=daemon.state_dir)
    assert done.returncode == status, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def found(daemon: Daemon, *words: str, status: int = os.EX_OK) -> dict[str, Any]:
    """Look for faults in the journal; return the counts."""
    return run(daemon, "faults", "from-alarms", *words, status=status)[-1]


def test_a_lasting_trouble_becomes_one_fault_that_a_person_solves(daemon: Daemon) -> None:
    report(daemon, LOW)
    report(daemon, MAINS)
    assert found(daemon, "--dry-run")["opened"] == 1
    assert found(daemon)["opened"] == 1, "a mains failure of some seconds is no fault yet"
    report(daemon, LOW)
    assert found(daemon) == {"opened": 0, "restored": 0, "repeated": 0, "not_opened": 0, "dry_run": False}
    (fault,) = run(daemon, "faults", "list")
    assert (fault["home"], fault["device"], fault["code"], fault["zone"]) == ("H1", "terminal_ip:T1", "battery", "")
    (alarm,) = (row for row in run(daemon, "queue", "list") if row["kind"] == "battery_low")
    assert (fault["alarm"], fault["ref"]) == (str(alarm["id"]), f"alarm {alarm['id']} battery")

    report(daemon, LOW_OVER)
    assert found(daemon)["restored"] == 1
    assert found(daemon)["restored"] == 0
    report(daemon, LOW)
    assert found(daemon) == {"opened": 0, "restored": 0, "repeated": 1, "not_opened": 0, "dry_run": False}
    (shown,) = run(daemon, "faults", "show", str(fault["id"]))
    assert [event["event"] for event in shown["events"]] == ["detected", "restored", "repeated"]

    run(daemon, "faults", "solve", str(fault["id"]), "--repaired")
    assert found(daemon)["opened"] == 0
    report(daemon, LOW)
    assert found(daemon)["opened"] == 1, "it is told again after a technician said that it is solved"
    assert len(run(daemon, "faults", "list", "--open")) == 1


def test_each_device_of_a_home_has_its_own_fault_and_an_unknown_home_is_told(daemon: Daemon) -> None:
    report(daemon, LOW, zone=3)
    report(daemon, LOW, zone=4)
    report(daemon, LOW, account="A002")
    assert found(daemon, status=1)["opened"] == 2
    rows = run(daemon, "faults", "from-alarms", status=1)
    assert (rows[0]["account"], rows[0]["home"]) == ("A002", "H2")
    assert {int(fault["zone"]) for fault in run(daemon, "faults", "list")} == {3, 4}


def test_a_report_during_a_test_is_no_fault(daemon: Daemon) -> None:
    run(daemon, "queue", "test", "A001", "--for", "600")
    report(daemon, LOW)
    assert found(daemon)["opened"] == 0
