"""Supervision by the running daemon: a terminal that falls silent is noticed, whatever happens to the receiver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.acceptance.daemon import Daemon, running, vetlla
from tests.acceptance.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = "supervision = { tolerance_s = 0.5, allowed_misses = 2 }"
ACCOUNTS = "account,home,interval_s\n1234,H-1,1\n"


def register(directory: Path, rows: str = ACCOUNTS) -> None:
    (directory / "state").mkdir(parents=True)
    done = vetlla("accounts", "import", "-", "--format", "csv", stdin=rows, state_dir=directory / "state")
    assert done.returncode == 0, done.stderr


def test_a_terminal_that_falls_silent_is_noticed_and_its_return_too(tmp_path: Path) -> None:
    """It says once that it lives; two seconds later it is lost; its next heartbeat ends the alarm."""
    register(tmp_path)
    with running(tmp_path, config=CONFIG) as daemon:
        with Terminal(daemon.port, "1234") as terminal:
            terminal.heartbeat()
        alarm = daemon.await_alarm()
        assert (alarm["kind"], alarm["home"], alarm["priority"]) == ("device_lost", "H-1", "TECHNICAL")
        with Terminal(daemon.port, "1234") as terminal:
            terminal.heartbeat()
        daemon.await_log("device.turned", state="ok", before="lost")
        assert daemon.metric("vetlla_heartbeats_total", protocol="dc09") == 2.0


def test_what_a_killed_receiver_knew_the_next_one_knows(tmp_path: Path) -> None:
    """Lost stays lost, under the same alarm; everybody else has one period of grace and is noticed then."""
    register(tmp_path, ACCOUNTS + "5678,H-2,3\n")
    daemon = Daemon(tmp_path, config=CONFIG)
    try:
        daemon.start()
        with Terminal(daemon.port, "5678") as terminal:
            terminal.heartbeat()
        before = daemon.await_alarm()
        daemon.kill()
        daemon.start()
        first, second = daemon.await_queue(lambda alarms: len(alarms) == 2)
        assert first["id"] == before["id"]
        assert (first["home"], second["home"]) == ("H-1", "H-2")
        assert vetlla("audit", "verify", state_dir=daemon.state_dir).returncode == 0
    finally:
        daemon.close()


def test_a_reload_takes_over_who_is_expected(tmp_path: Path) -> None:
    """An account that is given an interval is supervised without a restart."""
    register(tmp_path, "account,home\n1234,H-1\n")
    with running(tmp_path, config=CONFIG) as daemon:
        done = vetlla("accounts", "set", "1234", "--interval", "1s", state_dir=daemon.state_dir)
        assert done.returncode == 0, done.stderr
        assert daemon.await_alarm()["kind"] == "device_lost"
