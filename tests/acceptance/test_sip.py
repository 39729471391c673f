"""SIPp's terminals and the installed receiver: kill -9 while they repeat their reports, over UDP and TCP."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from bench.killing.receiver import free_port
from tests.rigs.daemon import PATIENCE_S, Daemon, vetlla
from tests.rigs.journal import flaws, query
from tests.rigs.sip.servers import reporting_with_sipp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.rigs.sip.servers import SippTerminals

REPORTS = 600
RATE = 200
"""Reports in a second."""
KILLS = 3
CONFIG = '[[sip]]\nhost = "127.0.0.1"\nport = {port}\n'


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def port() -> int:
    """Return the port of the door, which stays the same after each start."""
    return free_port()


@pytest.fixture
def daemon(tmp_path: Path, port: int) -> Iterator[Daemon]:
    """Run a receiver with a door for SIP, and with the accounts of SIPp's terminals."""
    made = Daemon(tmp_path, config=CONFIG.format(port=port))
    accounts = "\n".join(["account", *map(str, range(1, REPORTS + 1))])
    done = vetlla("accounts", "import", "-", "--format", "csv", stdin=accounts, state_dir=made.state_dir)
    assert done.returncode == 0
    made.start()
    yield made
    made.close()


def kill_when(daemon: Daemon, terminals: SippTerminals, acknowledged: int) -> None:
    """Kill the receiver when this number of reports was acknowledged, and start it again."""
    until(lambda: len(terminals.numbers("ACKNOWLEDGED")) >= acknowledged or terminals.process.poll() is not None)
    daemon.kill()
    daemon.start()


def times_stored(daemon: Daemon) -> dict[str, int]:
    """Return how often the report of each account is stored."""
    rows = query(daemon.state_dir, "SELECT account, count(*) AS times FROM signals GROUP BY account")
    return {row["account"]: row["times"] for row in rows}


def test_over_udp_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path, daemon: Daemon, port: int) -> None:
    """The terminals repeat their datagrams. In the end every report is acknowledged, and stored once."""
    with reporting_with_sipp(tmp_path / "sipp", port, calls=REPORTS, rate=RATE, tcp=False) as terminals:
        for kill in range(1, KILLS + 1):
            kill_when(daemon, terminals, kill * REPORTS // (KILLS + 2))
        until(lambda: terminals.process.poll() is not None)
        acknowledged, answered = terminals.numbers("ACKNOWLEDGED"), terminals.numbers("ANSWERED")
    assert len(acknowledged) == REPORTS
    assert len(answered) > REPORTS / 2
    assert times_stored(daemon) == dict.fromkeys(acknowledged, 1)
    assert flaws(daemon.state_dir) == []


def test_over_tcp_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path, daemon: Daemon, port: int) -> None:
    """The connection breaks, and the terminals report everything again over a new one, in new transactions."""
    acknowledged: set[str] = set()
    for run in range(1, KILLS + 2):
        folder = tmp_path / f"sipp{run}"
        with reporting_with_sipp(folder, port, calls=REPORTS, rate=RATE, tcp=True) as terminals:
            if run <= KILLS:
                kill_when(daemon, terminals, run * REPORTS // (KILLS + 2))
            until(lambda: terminals.process.poll() is not None)
            acknowledged |= terminals.numbers("ACKNOWLEDGED")
            if run <= KILLS:
                assert not acknowledged - times_stored(daemon).keys()
    assert len(acknowledged) == REPORTS
    assert times_stored(daemon) == dict.fromkeys(acknowledged, 1)
    assert query(daemon.state_dir, "SELECT 1 FROM duplicates")
    assert flaws(daemon.state_dir) == []
