"""SIPp's terminals and the installed receiver: kill -9 while they repeat their reports, over UDP and TCP."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from bench.killing.receiver import free_port
from tests.rigs.daemon import PATIENCE_S, Daemon, vetlla
from tests.rigs.journal import flaws, query
from tests.rigs.sip.servers import reporting_with_sipp

if TYPE_CHECKING:
    from collections.abc import Callable
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


def killed_while_they_report(daemon: Daemon, terminals: SippTerminals) -> None:
    """Kill the receiver whenever some more reports were acknowledged, and let the terminals go on."""
    for kill in range(KILLS):
        wanted = (kill + 1) * REPORTS // (KILLS + 2)
        until(lambda: len(terminals.numbers("ACKNOWLEDGED")) >= wanted or terminals.process.poll() is not None)  # noqa: B023 - used at once
        daemon.kill()
        daemon.start()
    until(lambda: terminals.process.poll() is not None)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path, transport: str) -> None:
    """Each acknowledged report is stored once. Over UDP every report is acknowledged in the end, as they repeat."""
    port = free_port()
    daemon = Daemon(tmp_path, config=CONFIG.format(port=port))
    accounts = "\n".join(["account", *map(str, range(1, REPORTS + 1))])
    assert (
        vetlla("accounts", "import", "-", "--format", "csv", stdin=accounts, state_dir=daemon.state_dir).returncode == 0
    )
    try:
        daemon.start()
        with reporting_with_sipp(
            tmp_path / "sipp", port, calls=REPORTS, rate=RATE, tcp=transport == "tcp"
        ) as terminals:
            killed_while_they_report(daemon, terminals)
            acknowledged = terminals.numbers("ACKNOWLEDGED")
            answered = terminals.numbers("ANSWERED")
        rows = query(daemon.state_dir, "SELECT account, count(*) AS times FROM signals GROUP BY account")
        stored = Counter({row["account"]: row["times"] for row in rows})
        assert acknowledged
        assert not acknowledged - stored.keys()
        assert set(stored.values()) == {1}
        assert answered
        if transport == "udp":
            assert len(acknowledged) == REPORTS
        assert flaws(daemon.state_dir) == []
    finally:
        daemon.close()
