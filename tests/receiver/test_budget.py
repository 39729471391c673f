"""The limits of one peer, and of all peers together."""

from __future__ import annotations

import subprocess
import sys

import pytest

from vetlla.domain.accounts import AccountBook
from vetlla.domain.clock import Instant, ManualClock
from vetlla.domain.signals import AccountId, Arrival
from vetlla.receiver.budget import Budget
from vetlla.receiver.counters import Counters, Refusal
from vetlla.settings.limits import Limits
from vetlla.settings.model import Settings

HERE, THERE, ELSEWHERE = "192.0.2.1", "192.0.2.2", "2001:db8::3"
NEVER = Instant(0, 0)


def test_connections_are_counted_by_address_and_together() -> None:
    """Each address has a limit, and all addresses have one together; a place that is given back can be taken again."""
    counters = Counters()
    limited = Budget(Limits(connections=3, connections_per_peer=2), counters, ManualClock())
    assert [limited.connect(HERE) for _ in range(3)] == [None, None, Refusal.PEER]
    assert limited.connect(THERE) is None
    assert limited.connect(ELSEWHERE) is Refusal.CONNECTIONS
    assert (counters.connections_open, counters.connections_accepted) == (3, 3)
    limited.disconnect(HERE)
    assert limited.connect(ELSEWHERE) is None
    for host in (HERE, THERE, ELSEWHERE):
        limited.disconnect(host)
    assert counters.connections_open == 0
    assert limited._connections == {}, "an address that is gone leaves no trace"


def test_a_reload_sets_other_limits() -> None:
    """A connected peer stays; the new limits apply to the next one."""
    limited = Budget(Limits(connections_per_peer=1), Counters(), ManualClock())
    assert limited.connect(HERE) is None
    assert limited.connect(HERE) is Refusal.PEER
    limited.apply(Settings(limits=Limits(connections_per_peer=2)), AccountBook())
    assert limited.connect(HERE) is None


def test_evidence_is_budgeted_by_the_minute() -> None:
    """A peer and a registered home each have a budget of rejects a minute; the next minute starts again at zero."""
    clock = ManualClock()
    limited = Budget(Limits(rejects_kept_per_peer_per_minute=2), Counters(), clock)
    home = AccountId("", "0", "1234")
    for whose in (HERE, home):
        assert [limited.may_keep(whose) for _ in range(3)] == [True, True, False]
    assert limited.may_keep(THERE)
    clock.advance(60)
    assert limited.may_keep(HERE)


def test_a_scan_from_everywhere_shares_one_budget() -> None:
    """After the limit of addresses within one minute, all further ones together get the budget of one."""
    limited = Budget(Limits(rejects_kept_per_peer_per_minute=2), Counters(), ManualClock(), peers_max=3)
    assert [limited.may_keep(str(number)) for number in range(8)] == [True] * 5 + [False] * 3
    assert limited.may_keep("0"), "an address that has its own budget keeps it"


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("192.0.2.7:40000", "192.0.2.7"),
        ("[2001:db8::7]:40000", "[2001:db8::7]"),
        ("/dev/ttyS0", "/dev/ttyS0"),
    ],
)
def test_a_peer_s_host_is_its_address_without_the_port(peer: str, host: str) -> None:
    """Each connection comes from another port, so a peer's limits count by its host."""
    arrival = Arrival(listener="x", transport="tcp", peer=peer, established=NEVER, received=NEVER)
    assert arrival.host == host


def test_connections_stay_within_the_process_s_descriptors() -> None:
    """If the machine allows few open files, databases and operators still get theirs."""
    program = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (700, 700))\n"
        "from vetlla.domain.clock import ManualClock\n"
        "from vetlla.receiver.budget import SPARE_FILES, Budget\n"
        "from vetlla.receiver.counters import Counters\n"
        "from vetlla.settings.limits import Limits\n"
        "budget = Budget(Limits(connections=20_000), Counters(), ManualClock())\n"
        "held = [budget.connect(str(number)) for number in range(700)]\n"
        "print(held.count(None) + SPARE_FILES, resource.getrlimit(resource.RLIMIT_NOFILE))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "700 (700, 700)"
    assert "limits.descriptors" in done.stdout
