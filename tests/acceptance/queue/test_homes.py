"""What operators see of a home: one alarm for many reports, also after a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rigs import journal
from tests.rigs.queue.homes import CONFIG, homes
from tests.rigs.terminal import Terminal
from vetlla.domain.signals import Flag

if TYPE_CHECKING:
    from pathlib import Path


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


# --- one home, many reports -------------------------------------------------------------------------------------------


def test_reports_of_one_home_are_one_alarm(tmp_path: Path) -> None:
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
