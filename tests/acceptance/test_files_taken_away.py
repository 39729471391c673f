"""Files of the store are deleted or replaced while the receiver runs. It notices, and nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rigs import journal
from tests.rigs.daemon import PATIENCE_S, VETLLA, Daemon, Ended, running
from tests.rigs.registered_homes import register
from tests.rigs.terminal import Terminal
from vetlla.domain.clock import SystemClock
from vetlla.store.backups.inspection import inspect
from vetlla.store.journal.opening import JOURNAL, LOCK
from vetlla.store.registry.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = "[store]\nmin_free_mib = 1\nretry_s = 0.2\n"
OFTEN = {"WATCHDOG_USEC": "600000"}
"""A watchdog of 0.6 s, so that a pulse comes every 0.2 s instead of every ten."""


@contextmanager
def pulsing(directory: Path) -> Iterator[Daemon]:
    """Run a receiver that checks its files often."""
    daemon = Daemon(directory, config=CONFIG)
    try:
        yield daemon.start(environment=OFTEN)
    finally:
        daemon.close()


@pytest.mark.parametrize("names", [(JOURNAL,), (JOURNAL, f"{JOURNAL}-wal", f"{JOURNAL}-shm"), (f"{JOURNAL}-wal",)])
def test_a_deleted_journal_is_noticed_and_written_again(tmp_path: Path, names: tuple[str, ...]) -> None:
    """The receiver is unready at once and writes the file again. Once it acknowledged into a file without a name."""
    with pulsing(tmp_path) as daemon, Terminal(daemon.port, "1001") as home:
        sent = [home.alarm()]
        for name in names:
            (daemon.state_dir / name).unlink()
        sent.append(home.frame("1110"))
        taken = home.say(sent[-1]) == "ACK"  # it may come before the pulse, and must not be lost
        why = daemon.await_log("store.unready", state="failed")["why"]
        assert f"{names[0]} was deleted" in why
        daemon.await_log("store.recovered")
        assert daemon.page("/readyz").status == 200
        if not taken:
            assert home.say(sent[-1]) == "ACK"
        assert daemon.ask("queue.claim", alarm=1)["durable"] is True
        sent.append(home.alarm("1602"))
        assert daemon.stop() == 0
        assert journal.stored(daemon.state_dir) == dict.fromkeys(sent, 1)
        assert list(inspect(daemon.state_dir, SystemClock())) == []
        assert not list(daemon.state_dir.glob("*.kept-*"))


def test_a_journal_that_was_deleted_before_the_start_is_logged(tmp_path: Path) -> None:
    """The receiver begins with a new journal, because it cannot know of the other one; and the log shows it."""
    with running(tmp_path, config=CONFIG) as daemon:
        assert len(daemon.logged("journal.empty")) == 1
        with Terminal(daemon.port, "1001") as home:
            home.alarm()
        daemon.stop()
        daemon.start()
        assert daemon.logged("journal.empty") == []
        daemon.stop()
        for file in daemon.state_dir.glob(f"{JOURNAL}*"):
            file.unlink()
        daemon.start()
        assert len(daemon.logged("journal.empty")) == 1


def test_a_replaced_journal_keeps_both_and_takes_nothing(tmp_path: Path) -> None:
    """A person must decide which of two journals counts. Operators work on, and acknowledged reports are kept."""
    with pulsing(tmp_path) as daemon, Terminal(daemon.port, "1001") as home:
        other = tmp_path / "other.db"
        shutil.copy(daemon.state_dir / JOURNAL, other)
        sent = [home.alarm(), home.alarm("1110")]
        other.replace(daemon.state_dir / JOURNAL)
        daemon.await_log("store.unready", state="failed")
        assert home.is_refused(home.frame("1602"))
        status = daemon.await_status(lambda status: "is kept in" in status["why"])
        assert "journal.db was replaced" in status["why"]
        assert daemon.page("/readyz").status == 503
        assert "was replaced" in json.loads(daemon.page("/readyz").body)["why"]
        assert len(daemon.queue()) == 1
        assert daemon.ask("queue.claim", alarm=1)["durable"] is False
        (kept,) = daemon.state_dir.glob(f"{JOURNAL}.kept-*")
        assert daemon.stop() == 0
    kept.replace(daemon.state_dir / JOURNAL)
    assert journal.stored(daemon.state_dir) == dict.fromkeys(sent, 1)
    assert journal.flaws(daemon.state_dir) == []


def test_a_deleted_lock_lets_no_second_receiver_in(tmp_path: Path) -> None:
    """The receiver takes the lock again, because two writers would corrupt the journal."""
    with pulsing(tmp_path) as daemon, Terminal(daemon.port, "1001") as home:
        sent = [home.alarm()]
        (daemon.state_dir / LOCK).unlink()
        assert f"{LOCK} was deleted" in daemon.await_log("store.unready")["why"]
        daemon.await_log("store.recovered")
        assert (daemon.state_dir / LOCK).read_text(encoding="ascii").strip() == str(daemon.process.pid)
        sent.append(home.alarm("1602"))
        assert journal.stored(daemon.state_dir) == dict.fromkeys(sent, 1)


def test_a_deleted_registry_makes_no_home_a_stranger(tmp_path: Path) -> None:
    """A reload, or midnight, would read an empty registry, so the receiver keeps the accounts that it has."""
    register(tmp_path / "state", "1001,H-1001,,")
    with pulsing(tmp_path) as daemon, Terminal(daemon.port, "1001") as home:
        (daemon.state_dir / REGISTRY).unlink()
        daemon.reload()
        assert "1 accounts were in it" in daemon.await_log("receiver.reload_refused")["why"]
        assert daemon.metric("vetlla_reloads_total", outcome="refused") == 1
        home.alarm()
        (alarm,) = daemon.queue()
        assert (alarm["home"], alarm["unknown_account"]) == ("H-1001", False)


def test_a_reload_that_a_part_cannot_take_changes_nothing(tmp_path: Path) -> None:
    """A deleted control socket makes a reload fail, and no setting may change. Once half of them changed silently."""
    with running(tmp_path, config=CONFIG) as daemon, Terminal(daemon.port, "1001") as stranger:
        (daemon.state_dir / "control.sock").unlink()
        more = '[intake]\nunknown_accounts = "refuse"\n[control]\nmode = 0o600\n'
        daemon.configure(CONFIG + more)
        daemon.reload()
        assert "control.sock" in daemon.await_log("receiver.reload_refused")["why"]
        assert daemon.metric("vetlla_reloads_total", outcome="refused") == 1
        stranger.alarm()


def test_a_deleted_control_socket_is_made_again(tmp_path: Path) -> None:
    """Otherwise operators could reach no alarm until a restart."""
    with pulsing(tmp_path) as daemon, Terminal(daemon.port, "1001") as home:
        home.alarm()
        for deed in (Path.unlink, lambda path: path.rename(path.with_name("elsewhere"))):
            seen = len(daemon.log)
            deed(daemon.state_dir / "control.sock")
            daemon.await_log("control.lost", after=seen)
            deadline = time.monotonic() + PATIENCE_S
            while not (daemon.state_dir / "control.sock").exists():
                assert time.monotonic() < deadline
            assert daemon.ask("queue.claim", alarm=1)["durable"] is True
        assert daemon.stop() == 0
        assert daemon.told == ""


@pytest.mark.parametrize("kept", [False, True], ids=["its log", "a copy"])
def test_no_new_journal_takes_the_place_of_one_that_is_gone(tmp_path: Path, *, kept: bool) -> None:
    """The start is refused, because SQLite would delete the log of a missing database with acknowledged reports."""
    with running(tmp_path, config=CONFIG) as daemon:
        with Terminal(daemon.port, "1001") as home:
            frame = home.alarm()
        daemon.kill()
        path = daemon.state_dir / JOURNAL
        away = path.with_name(f"{JOURNAL}.kept-20260101T000000Z") if kept else tmp_path / "away"
        path.rename(away)
        log = path.with_name(f"{JOURNAL}-wal").read_bytes()
        with pytest.raises(Ended) as ended:
            daemon.start()
        assert ended.value.status == os.EX_IOERR
        assert "journal.db: is gone" in ended.value.told
        assert path.with_name(f"{JOURNAL}-wal").read_bytes() == log
        assert not path.exists()
        away.rename(path)
        daemon.start()
        assert journal.stored(daemon.state_dir) == {frame: 1}


def test_an_empty_journal_beside_a_full_log_is_refused_by_every_command(tmp_path: Path) -> None:
    """SQLite deletes the log of an empty database when it opens one, and that log has acknowledged reports."""
    with running(tmp_path, config=CONFIG) as daemon:
        with Terminal(daemon.port, "1001") as home:
            frame = home.alarm()
        daemon.kill()
        path, log = daemon.state_dir / JOURNAL, daemon.state_dir / f"{JOURNAL}-wal"
        whole, written = path.read_bytes(), log.read_bytes()
        os.truncate(path, 0)
        with pytest.raises(Ended) as ended:
            daemon.start()
        assert "journal.db: is empty, but its log" in ended.value.told
        for words in ("db verify", "signals list", "doctor", "status"):
            command = [VETLLA, *words.split(), "--state-dir", str(daemon.state_dir)]
            subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE_S)
            assert log.read_bytes() == written, words
        path.write_bytes(whole)
        daemon.start()
        assert journal.stored(daemon.state_dir) == {frame: 1}


def test_a_journal_that_is_cut_off_takes_nothing_and_its_log_is_kept(tmp_path: Path) -> None:
    """The file has its name and its inode still, but its pages are gone: the receiver becomes unready at its pulse."""
    with pulsing(tmp_path) as daemon, Terminal(daemon.port, "1001") as home:
        frame = home.alarm()
        whole = (daemon.state_dir / JOURNAL).read_bytes()
        os.truncate(daemon.state_dir / JOURNAL, 0)
        assert "journal.db was cut off" in daemon.await_log("store.unready", state="failed")["why"]
        assert home.is_refused(home.frame("1602"))
        status = daemon.await_status(lambda status: "the log is kept" in status["why"])
        assert daemon.page("/readyz").status == 503
        assert len(daemon.queue()) == 1
        (kept,) = daemon.state_dir.glob(f"{JOURNAL}-wal.kept-*")
        assert kept.name in status["why"]
        daemon.stop()
    for name in (JOURNAL, f"{JOURNAL}-wal", f"{JOURNAL}-shm"):
        (daemon.state_dir / name).unlink(missing_ok=True)
    (daemon.state_dir / JOURNAL).write_bytes(whole)
    kept.rename(daemon.state_dir / f"{JOURNAL}-wal")
    assert journal.stored(daemon.state_dir) == {frame: 1}


CHECKPOINT = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
os._exit(0)  # as a kill ends it: the log stays
"""


def test_a_checkpoint_that_a_kill_interrupted_is_no_damage(tmp_path: Path) -> None:
    """SQLite writes the first page first: its header then counts pages that are in the log alone, and none is lost."""
    with running(tmp_path, config=CONFIG) as daemon:
        path = daemon.state_dir / JOURNAL
        with Terminal(daemon.port, "1001") as home:
            sent = [home.alarm("1602") for _ in range(300)]
        before = path.stat().st_size
        daemon.kill()
        subprocess.run([sys.executable, "-c", CHECKPOINT, path], check=True)
        header = path.read_bytes()[:100]
        assert int.from_bytes(header[28:32]) * int.from_bytes(header[16:18]) > before
        os.truncate(path, before)
        daemon.start()
        assert journal.stored(daemon.state_dir) == dict.fromkeys(sent, 1)
        assert journal.flaws(daemon.state_dir) == []
