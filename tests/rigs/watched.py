"""Helpers for the tests of supervision: a supervised home, its reports, and its state and ledger afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.rigs.core import Core, signal
from vetlla.domain.accounts import Account
from vetlla.domain.signals import Kind
from vetlla.receiver.supervision.fleet import name_of
from vetlla.service.supervision.rules import Health
from vetlla.store.journal.ledger import unpack

if TYPE_CHECKING:
    from vetlla.domain.signals import Signal
    from vetlla.domain.supervision import DayOf

INTERVAL_S = 900
LOST_AFTER_S = 3 * INTERVAL_S + 6
"""Three intervals, the tolerance of 5 s, and time for a slot of the wheel."""
HOME = Account(account="1234", home="H-1", interval_s=INTERVAL_S, ucr_interval_s=INTERVAL_S)
DAY_S = 86_400


def beat(account: str = "1234") -> Signal:
    return signal(account, "NULL", kind=Kind.HEARTBEAT)


def presence(device: str = "U1", account: str = "1234") -> Signal:
    return signal(account, "hb", kind=Kind.PRESENCE, device=device)


def will(account: str = "1234") -> Signal:
    """Return the last will that a broker sends when the connection of a terminal broke."""
    return signal(account, "lost", kind=Kind.PATH_TROUBLE, device="", from_broker=True)


async def wait(rig: Core, seconds: float) -> None:
    """Let time pass in one step, check deadlines, and write the journal."""
    rig.clock.advance(seconds)
    while rig.supervision.look():
        pass
    await rig.sync()
    await rig.sync()


async def alive(rig: Core) -> None:
    """Let the receiver record that it is alive, as it does every few seconds."""
    rig.commit.pulse()
    await rig.sync()


def state(rig: Core, account: str = "1234", device: str = "") -> Health:
    name = name_of(Account(account=account), device)
    (number,) = (one for one in rig.supervision.fleet if rig.supervision.fleet.name(one) == name)
    return Health(rig.supervision.fleet.state[number])


def verdicts(rig: Core) -> list[tuple[str, str, int | None]]:
    rows = rig.read(
        "SELECT u.account, u.device, v.state, v.incident FROM verdicts AS v JOIN units AS u ON u.id = v.unit"
        " ORDER BY v.id"
    )
    return [
        (f"{row['account']}/{row['device']}".rstrip("/"), Health(row["state"]).word, row["incident"]) for row in rows
    ]


async def why(rig: Core) -> list[str]:
    return [alarm["why"] for alarm in await rig.open_alarms()]


def ledger(rig: Core, day: str) -> dict[int, DayOf]:
    """Return a day of the fleet, by device."""
    rows = rig.read("SELECT stretch, columns FROM ledger WHERE day = ?", day)
    return {one.unit: one for row in rows for one in unpack(row["stretch"], row["columns"]) if one.allowed_misses}


def fleet_of(count: int, **said: Any) -> list[Account]:  # noqa: ANN401 - fields of an account
    return [Account(account=f"{n:04}", home=f"H{n}", interval_s=INTERVAL_S, **said) for n in range(count)]
