"""Removal and erasure in a running receiver: kill -9 during them, reports meanwhile, and the audit after them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import running, vetlla
from tests.rigs.journals import journal, report
from tests.rigs.terminal import Terminal
from vetlla.cli.kit.control import follow
from vetlla.domain.clock import ManualClock
from vetlla.receiver.control.messages.retention import EraseHome, PruneJournal
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.audit import verify
from vetlla.store.journal.retention import ROWS_PER_STEP

if TYPE_CHECKING:
    from pathlib import Path

OLD = 3_000
DAYS = 400
LIMITS = "store = { min_free_mib = 1 }\n"


def old_journal(state_dir: Path) -> None:
    """Write signals stored more than a year ago, and one stored now."""
    clock = ManualClock(datetime.now(UTC) - timedelta(days=DAYS))
    with journal(state_dir, clock) as scribe:
        for number in range(OLD):
            scribe.commit(report(number), home="H-1")
        clock.advance(DAYS * 86_400)
        scribe.commit(report(OLD))


def count(state_dir: Path, condition: str) -> int:
    """Return the number of signals that meet a condition."""
    with Archive(state_dir) as archive:
        (row,) = archive.read(f"SELECT count(*) AS found FROM signals WHERE {condition}")
        return int(row["found"])


def assert_proven(state_dir: Path) -> None:
    """Check the audit chain, both directly and with the command."""
    with Archive(state_dir) as archive:
        assert list(verify(archive.read)) == []


@pytest.mark.parametrize("steps", [10, 30])
def test_a_kill_during_a_removal(tmp_path: Path, steps: int) -> None:
    """The audit of chain and rows succeeds before and after the kill, and after the next run has removed the rest."""
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    old_journal(state_dir)
    assert_proven(state_dir)
    with running(tmp_path, config=LIMITS) as daemon:
        for told, event in enumerate(follow(state_dir, PruneJournal())):
            assert event["event"] == "removed"
            if told == steps:
                daemon.kill()
                break
        left = count(state_dir, "raw <> x''")
        assert 1 < left < OLD
        assert_proven(state_dir)
        daemon.start()
        with Terminal(daemon.port) as terminal:
            terminal.alarm()
        done = vetlla("db", "prune", "--json", state_dir=state_dir)
        assert (done.returncode, done.stderr) == (0, "")
        assert count(state_dir, "raw <> x''") == 2
        assert_proven(state_dir)
        assert daemon.metric("vetlla_removed_total", what="raw") == left - 1
        assert daemon.metric("vetlla_removals_refused_total") == 0
        assert daemon.await_log("retention.done")["raw_removed"] == left - 1
        checked = vetlla("db", "verify", state_dir=state_dir)
        assert (checked.returncode, checked.stdout) == (0, f"{state_dir}: whole\n")


def test_reports_are_answered_meanwhile(tmp_path: Path) -> None:
    """A receiver still acknowledges during a removal, because it stores each report between two steps."""
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    old_journal(state_dir)
    with running(tmp_path, config=LIMITS) as daemon, Terminal(daemon.port) as terminal:
        answered = 0
        for event in follow(state_dir, PruneJournal()):
            if event["event"] == "done":
                break
            terminal.alarm()
            answered += 1
        assert answered >= OLD / ROWS_PER_STEP
        assert count(state_dir, "raw <> x''") == answered + 1
    assert_proven(state_dir)


def test_a_kill_during_an_erasure(tmp_path: Path) -> None:
    """The same command completes it during the next run. The certificate counts everything and passes the audit."""
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    old_journal(state_dir)
    accounts = [f"{number:04}" for number in range(10)]
    with running(tmp_path, config=LIMITS) as daemon:
        for event in follow(state_dir, EraseHome(home="H-1", accounts=tuple(accounts))):
            assert event["event"] == "removed"
            if event["removed"].get("signals", 0) > 600:
                daemon.kill()
                break
        assert 0 < count(state_dir, "home = 'H-1'") < OLD
        assert_proven(state_dir)
        daemon.start()
        done = vetlla("erase", "--home", "H-1", "--yes", "--out", str(tmp_path), "--json", state_dir=state_dir)
        assert (done.returncode, done.stderr) == (0, "")
        told = json.loads(done.stdout)
        assert (told["destroyed"]["signals"], told["left"]) == (OLD, 0)
        assert count(state_dir, "home = 'H-1'") == 0
        assert_proven(state_dir)
        checked = vetlla("erase", "--check", told["certificate"], state_dir=state_dir)
        assert checked.returncode == 0, checked.stdout
