"""What reminders change: appointments that chance held back, compared with those that chance let be reminded of.

The groups are those of the draw (intention to treat): a citizen whose reminder failed, or who opted out, stays in the
group that was to be reminded. So both groups have the same citizens but for chance, and the difference is the effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.domain.reminder_counts import CANCELLED, Presence, Reminding
from vetlla.service.reminders.report import attendance
from vetlla.service.reminders.report.intervals import Difference, Share, difference, needed, share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from decimal import Decimal

    from vetlla.domain.reminder_counts import AppointmentCount, ReportPeriod


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A group that chance made."""

    name: str
    """``held_back`` or ``reminded``."""
    appointments: int
    came: int
    cancelled: int
    not_known: int
    no_show: Share
    """Of those that kept their appointment: they came, or did not come."""
    no_show_of_all: Share
    """Of all whose end is known, also cancelled ones. A reminder makes people cancel, so only this one compares the
    same citizens in both groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmsResult:
    """The two groups, their difference, and how many appointments are missing."""

    period: ReportPeriod
    """The days between the first and the last appointment that was held back: only there chance decided."""
    held_back: Arm
    reminded: Arm
    effect: Difference
    """No-shows of all, reminded less held back: below 0 if reminders help."""
    effect_on_kept: Difference
    """The same for those that kept their appointment."""
    points: Decimal
    """The difference that is to be seen, in percentage points."""
    needed: int | None
    """Appointments with a known end that both groups need together; None if it cannot be said."""
    missing: int | None

    def table(self) -> FigureTable:
        """Return the two groups as rows."""
        columns = (
            FigureColumn("arm", Form.WORD),
            FigureColumn("appointments"),
            FigureColumn("came"),
            FigureColumn("no_show"),
            FigureColumn("cancelled"),
            FigureColumn("not_known"),
            FigureColumn("known"),
            FigureColumn("no_show_share", Form.SHARE),
            FigureColumn("low", Form.SHARE),
            FigureColumn("high", Form.SHARE),
            FigureColumn("kept"),
            FigureColumn("no_show_of_kept", Form.SHARE),
        )
        rows = tuple(
            (
                one.name,
                one.appointments,
                one.came,
                one.no_show.part,
                one.cancelled,
                one.not_known,
                one.no_show_of_all.whole,
                *one.no_show_of_all[2:],
                one.no_show.whole,
                one.no_show.value,
            )
            for one in (self.held_back, self.reminded)
        )
        return FigureTable(name="arms", columns=columns, rows=rows)


def compare_arms(
    counts: Iterable[AppointmentCount], period: ReportPeriod, points: Decimal, *, unmarked: bool = False
) -> ArmsResult:
    """Return the effect of reminders in a period. ``points``: see ``ArmsResult``."""
    drawn = [one for one in counts if one.is_drawn]
    held = _arm("held_back", [one for one in drawn if one.reminding is Reminding.HELD_BACK], unmarked=unmarked)
    told = _arm("reminded", [one for one in drawn if one.reminding is not Reminding.HELD_BACK], unmarked=unmarked)
    size = _needed(held.no_show_of_all, told.no_show_of_all, points)
    return ArmsResult(
        period=period,
        held_back=held,
        reminded=told,
        effect=difference(told.no_show_of_all, held.no_show_of_all),
        effect_on_kept=difference(told.no_show, held.no_show),
        points=points,
        needed=None if size is None else sum(size),
        missing=None if size is None else _missing(size, held.no_show_of_all.whole, told.no_show_of_all.whole),
    )


def _arm(name: str, some: Sequence[AppointmentCount], *, unmarked: bool) -> Arm:
    kept = attendance.no_show(some, unmarked=unmarked)
    cancelled = attendance.count(some, *CANCELLED) if some else 0
    known = kept.whole + cancelled
    return Arm(
        name=name,
        appointments=attendance.count(some),
        came=attendance.count(some, Presence.CAME),
        cancelled=cancelled,
        not_known=attendance.count(some) - known,
        no_show=kept,
        no_show_of_all=share(kept.part, known),
    )


def _needed(held: Share, told: Share, points: Decimal) -> tuple[int, int] | None:
    """Return the sizes of both groups in the ratio that they have now."""
    if not held.whole or not told.whole:
        return None
    return needed(held.part / held.whole, float(points) / 100, told.whole / held.whole)


def _missing(size: tuple[int, int], held: int, told: int) -> int:
    """Return how many more appointments are drawn until both groups are large enough, if their ratio stays."""
    return max(0, sum(size) - held - told)
