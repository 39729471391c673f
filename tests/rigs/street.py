"""A service with emergencies in the street: homes of two bases, units, and a journal with alarms some minutes old."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.rigs import journals
from vetlla.domain.alarms import AlarmOutcome, State
from vetlla.domain.clock import SECOND_US, ManualClock, SystemClock, to_datetime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOMES = """\
code,district,base,level,alone,active
H1,01,NORD,2,yes,2018-01-01/
H2,02,PONENT,3,no,2018-01-01/
H3,02,NORD,3,no,2018-01-01/
"""
CLOCK = SystemClock()


def write_alarms(state_dir: Path, *alarms: tuple[int, str, float, float | None]) -> None:
    """Write alarms into the journal: number, home, and how many minutes ago each was opened and closed."""
    now_us = CLOCK.now().utc_us
    with journals.journal(state_dir, CLOCK) as scribe:
        batch = scribe.batch()
        for number, home, opened, closed in alarms:
            opened_us = now_us - round(opened * 60) * SECOND_US
            ended: dict[str, Any] = {}
            if closed is not None:
                closed_us = now_us - round(closed * 60) * SECOND_US
                ended = {"state": State.CLOSED, "closed_us": closed_us, "outcome": AlarmOutcome.FALSE_ALARM}
            batch.alarms[number] = journals.alarm(
                number, CLOCK, home=home, established_us=opened_us - 1000, opened_us=opened_us, first_signal=0, **ended
            )
        scribe.write(batch)


def write_call(state_dir: Path, alarm: int, minutes: float) -> None:
    """Write into the journal a signal that joined an alarm this number of minutes ago."""
    clock = ManualClock(to_datetime(CLOCK.now().utc_us - round(minutes * 60) * SECOND_US))
    with journals.journal(state_dir, clock) as scribe:
        scribe.write(scribe.signals([journals.report()], alarm=alarm))


def furnish(run: Callable[..., Any], folder: Path) -> None:
    """Register the homes and three units; ``run`` runs a command and raises an error if it fails."""
    file = folder / "homes.csv"
    file.write_text(HOMES, encoding="utf-8")
    run("inventory", "import", file, "--what", "homes")
    for unit, base in (("UMO-01", "PONENT"), ("UMO-02", "CENTRE"), ("UMO-03", "NORD")):
        run("dispatch", "units", "add", unit, "--base", base, "--at", "3h")
