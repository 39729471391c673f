"""Alarms with short marks, and what the escalation has done to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.rigs.core import Core, signal, small
from vetlla.domain.signals import Kind

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from vetlla.receiver.control.messages.queue import AlarmFields
    from vetlla.settings.model import Settings


WARN_S, MAX_S, LEASE_S, HOLD_S = 0.02, 0.04, 0.03, 0.1


def hasty(directory: Path, **more: object) -> Settings:
    limits = {"t3_warn_s": WARN_S, "t3_max_s": MAX_S, "lease_s": LEASE_S, "hold_s": HOLD_S, "chain_window_s": 1000.0}
    return small(directory, queue=limits | more)


def battery(account: str = "1") -> Any:  # noqa: ANN401 - a Signal
    return signal(account, "302", kind=Kind.BATTERY_LOW)


async def alarm(rig: Core, number: int = 1) -> AlarmFields:
    await rig.sync()
    return rig.desk.find(number).fields(rig.clock.now())


async def escalated(rig: Core, number: int = 1) -> int:
    times: int = (await alarm(rig, number))["escalated"]
    return times


async def nothing() -> AsyncGenerator[Any, None]:
    """Yield one empty event, so that a watcher that has read it is connected."""
    yield {}


async def passes(rig: Core, seconds: float) -> None:
    """Let time pass, and do everything that is due by then."""
    rig.clock.advance(seconds)
    await rig.fall_due()


def causes(rig: Core) -> dict[str, int]:
    """Return how often alarms went before a supervisor, by cause."""
    found: dict[str, int] = {}
    for (_, cause), times in rig.counters.escalations.items():
        if times:
            found[cause.value] = found.get(cause.value, 0) + times
    return found
