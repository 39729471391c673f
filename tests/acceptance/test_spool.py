"""A directory of Asterisk and the installed receiver: kill -9, permissions, status and metrics."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.rigs.daemon import PATIENCE_S, Daemon, bound_by_permissions, running, vetlla
from tests.rigs.journal import query
from tests.rigs.spool import NUMBER, PRESS, call_file, content, names, put_away, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = '[[spool]]\nname = "pbx"\ndirectory = "{directory}"\nrescan_s = 0.2\nsettle_s = 0.1\n'
ACCOUNTS = "SELECT account FROM signals WHERE part = 1 ORDER BY account"
KILLS = 6
FILES_A_RUN = 40


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    directory = tmp_path / "spool"
    directory.mkdir()
    return directory


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def watched(daemon: Daemon) -> None:
    """Wait until the receiver watches the directory."""
    daemon.await_status(lambda status: all(place.get("connected", True) for place in status["listening"]))


def test_kill_9_between_commit_and_move_loses_and_doubles_nothing(tmp_path: Path, spool: Path) -> None:
    """The file is committed and cannot be moved, the receiver is killed, and the next one recognises the file."""
    with running(tmp_path, config=CONFIG.format(directory=spool)) as daemon:
        watched(daemon)
        (spool / "done").rmdir()
        (spool / "done").touch()
        write(spool, "event-1", content(PRESS))
        daemon.await_alarm()
        daemon.await_log("spool.stuck")
        daemon.kill()
        assert names(spool) == ["done", "event-1"]
        (spool / "done").unlink()
        daemon.start()
        until(lambda: (spool / "done").is_dir() and put_away(spool) == ["event-1"])
        assert [tuple(row) for row in query(daemon.state_dir, ACCOUNTS)] == [("1234",)]
        assert [tuple(row) for row in query(daemon.state_dir, "SELECT count FROM duplicates")] == [(1,)]
        assert len(daemon.queue()) == 1


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_an_end_at_any_instant_loses_and_doubles_nothing(tmp_path: Path, spool: Path, end: str) -> None:
    """Files come while the receiver is killed, or stopped, again and again; in the end each of them is stored once."""
    accounts = [f"{number:04d}" for number in range(1_000, 1_000 + KILLS * FILES_A_RUN)]
    left = iter(accounts)
    with running(tmp_path, config=CONFIG.format(directory=spool)) as daemon:
        for kill in range(KILLS):
            watched(daemon)
            for place in range(FILES_A_RUN):
                account = next(left)
                write(spool, f"event-{account}", content(f"{account}18110100100_"))
                if place == FILES_A_RUN // 2 + 3 * kill:
                    before = len(put_away(spool))
                    until(lambda before=before: len(put_away(spool)) > before)  # type: ignore[misc]
                    assert getattr(daemon, end)() in {None, 0}
            daemon.start()
        until(lambda: len(put_away(spool)) == len(accounts))
        stored = [row["account"] for row in query(daemon.state_dir, ACCOUNTS)]
        assert sorted(set(accounts) - set(stored)) == []
        assert stored == accounts
        assert names(spool) == []


def test_a_file_that_may_not_be_read_is_an_alarm_and_is_read_later(tmp_path: Path, spool: Path) -> None:
    """Asterisk makes files for its own user alone. The alarm says that one has come; then its event is taken, too."""
    daemon = Daemon(tmp_path, config=CONFIG.format(directory=spool))
    try:
        daemon.start(preexec=bound_by_permissions)
        watched(daemon)
        write(spool, ".event", content(PRESS))
        (spool / ".event").chmod(0)
        (spool / ".event").rename(spool / "event-1")
        daemon.await_log("spool.unreadable")
        (alarm,) = daemon.queue()
        assert (alarm["kind"], alarm["priority"]) == ("unreadable", "LIFE")
        assert names(spool) == ["event-1"]
        (spool / "event-1").chmod(0o400)
        daemon.await_queue(lambda alarms: len(alarms) == 2)
        until(lambda: put_away(spool) == ["event-1"])
    finally:
        daemon.close()


def test_a_directory_that_may_not_be_entered_is_looked_for(tmp_path: Path, spool: Path) -> None:
    """The receiver starts, names the reason, and takes the files as soon as it may."""
    spool.chmod(0)
    daemon = Daemon(tmp_path, config=CONFIG.format(directory=spool))
    try:
        daemon.start(preexec=bound_by_permissions)
        assert "ermission" in daemon.await_log("spool.lost")["why"]
        assert daemon.metric("vetlla_spool_reachable", spool="pbx") == 0
        spool.chmod(0o700)
        watched(daemon)
        write(spool, "event-1", content(PRESS))
        daemon.await_alarm()
    finally:
        spool.chmod(0o700)
        daemon.close()


def test_a_call_that_was_not_understood_is_shown_with_its_number(tmp_path: Path, spool: Path) -> None:
    """The queue, the status and the metrics show it. The log names no number."""
    with running(tmp_path, config=CONFIG.format(directory=spool)) as daemon:
        watched(daemon)
        call_file(spool)
        alarm = daemon.await_alarm()
        assert (alarm["home"], alarm["priority"]) == (f"tel:{NUMBER}", "LIFE")
        assert f"from {NUMBER}" in alarm["why"]
        daemon.await_metric("vetlla_spool_last_file_seconds", lambda last: last > 0)
        assert daemon.metric("vetlla_spool_files_total", spool="pbx", outcome="taken") == 1
        assert daemon.metric("vetlla_spool_stuck_files", spool="pbx") == 0
        shown = vetlla("status", state_dir=daemon.state_dir)
        assert f"pbx: asterisk in {spool}, watched" in " ".join(shown.stdout.split())
        assert NUMBER not in f"{daemon.log}{daemon.told}"


def test_a_receiver_that_is_started_by_hand_leaves_the_files_to_the_service(tmp_path: Path, spool: Path) -> None:
    """With --listen no file is taken, and the log says so."""
    write(spool, "event-1", content(PRESS))
    daemon = Daemon(tmp_path, config=CONFIG.format(directory=spool))
    options = (
        "--config",
        str(daemon.config_file),
        "--state-dir",
        str(daemon.state_dir),
        "--listen",
        "dc09=127.0.0.1:0",
    )
    try:
        daemon.start(options=options)
        assert daemon.await_log("receiver.listeners_left_out")["spools"] == ["pbx"]
        assert names(spool) == ["event-1"]
    finally:
        daemon.close()
