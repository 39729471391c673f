"""A month of the ledger of supervision as the receiver writes it: two terminals and a UCR, one day without a record."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from tests.rigs.journals import journal
from vetlla.domain.supervision import STRETCH, DayOf, KeptDevice, LedgerDay, Stretch
from vetlla.service.supervision.rules import Pause

if TYPE_CHECKING:
    from pathlib import Path

UCR = STRETCH
"""A UCR in a block of its own, because sums must span blocks."""
AWAY, SILENT, GONE = date(2026, 10, 7), date(2026, 10, 9), date(2026, 10, 13)
LONG = date(2026, 10, 25)
"""A day of 25 hours, because the clocks are set back."""
DOWN_S = 600


def _length_s(day: date) -> int:
    return 90_000 if day == LONG else 86_400


def _days() -> list[date]:
    return [day for day in (date(2026, 10, 1) + timedelta(days=number) for number in range(31)) if day != GONE]


def _of(unit: int, day: date) -> DayOf:
    observed_s = _length_s(day) - (DOWN_S if day == SILENT else 0)
    if unit == 1:  # a home that is suspended all month
        return DayOf(unit, 900, 3, 0, 0, 0, Pause.SUSPENDED, 4)
    if unit == UCR and day == AWAY:
        return DayOf(unit, 900, 3, observed_s - 3 * 3600, 84, 905, Pause.AWAY, 1)
    longest_s = 9000 if unit == 0 and day == SILENT else 905
    return DayOf(unit, 900, 3, observed_s, 96, longest_s, 0, 1)


def write_ledger(state_dir: Path) -> None:
    """Write October 2026; on one day there was no receiver, and on another it was away for ten minutes."""
    with journal(state_dir) as scribe:
        batch = scribe.batch()
        for number, account, device in ((0, "=4C01", ""), (1, "4C02", ""), (UCR, "4C01", "ucr-7")):
            batch.supervision.units.append(
                KeptDevice(number, account, "", "1", device, 1, 1, 1, 0, 900, 3, "", 0, 0, 0, 0)
            )
        for day in _days():
            for first, units in ((0, (0, 1)), (1, (UCR,))):
                stretch = Stretch(first)
                for unit in units:
                    stretch.put(_of(unit, day))
                batch.supervision.add_stretch(day.isoformat(), stretch)
            batch.supervision.days.append(LedgerDay(day.isoformat(), DOWN_S if day == SILENT else 0, 5.0))
        scribe.write(batch)
