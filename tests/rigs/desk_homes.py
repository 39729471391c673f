"""Two homes for tests of the desk: reports of their devices, and an operator who works their alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rigs.core import Core, signal
from vetlla.domain.accounts import Account
from vetlla.domain.signals import Kind

if TYPE_CHECKING:
    from typing import Any

    from vetlla.domain.signals import Signal

HOME = [Account(account="1111", home="H1"), Account(account="1112", home="H1"), Account(account="2222", home="H2")]


def battery(account: str = "1111", device: str = "1") -> Signal:
    return signal(account, "302", kind=Kind.BATTERY_LOW, device=device)


async def say(rig: Core, *signals: Signal) -> None:
    for said in signals:
        await rig.submit(said)


async def handle(rig: Core, number: int) -> None:
    """Work an alarm from the claim to the closing."""
    await rig.ask("queue.answer", alarm=number)
    await rig.ask("queue.close", alarm=number, outcome="technical")


def stored(rig: Core) -> list[dict[str, Any]]:
    return rig.read("SELECT id, alarm_id, flags FROM signals ORDER BY id")
