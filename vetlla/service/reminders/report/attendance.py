"""What the report says about appointments: answers, places freed, and who did not come.

A share of no-shows is counted over the appointments of which the source says that the citizen came or did not come. All
others stand beside it: cancelled ones, and those that the office never marked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import HOUR_US
from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.domain.reminder_counts import CANCELLED, Presence, Reminding
from vetlla.service.reminders.report.intervals import Share, difference, share

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vetlla.domain.figures import CellValue
    from vetlla.domain.reminder_counts import AppointmentCount, FreedPlace, ReportPeriod

_DAY_HOURS: Final = 24
"""A place that is free a whole day before can be booked by another citizen."""
_SHORT_HOURS: Final = 2
_TENTH: Final = Decimal("0.1")
_SHARE: Final = (
    FigureColumn("no_show_share", Form.SHARE),
    FigureColumn("low", Form.SHARE),
    FigureColumn("high", Form.SHARE),
)


def count(some: Iterable[AppointmentCount], *presences: Presence) -> int:
    """Return how many appointments there are, or how many with one of these ends."""
    return sum(one.appointments for one in some if not presences or one.presence in presences)


def no_show(some: Sequence[AppointmentCount], *, unmarked: bool) -> Share:
    """Return the share of no-shows among those known to have come or not.

    ``unmarked``: an appointment that is still booked after its end counts as a no-show.
    """
    absent = count(some, Presence.NO_SHOW, *((Presence.UNMARKED,) if unmarked else ()))
    return share(absent, absent + count(some, Presence.CAME))


def ends(some: Sequence[AppointmentCount]) -> FigureTable:
    """Return how the appointments of the period ended."""
    columns = (FigureColumn("end", Form.WORD), FigureColumn("appointments"), FigureColumn("share", Form.SHARE))
    whole = count(some)
    rows = [(one.value, count(some, one), share(count(some, one), whole).value) for one in Presence]
    return FigureTable(name="ends", columns=columns, rows=(*rows, ("total", whole, share(whole, whole).value)))


def answers(some: Iterable[AppointmentCount]) -> FigureTable:
    """Return what the reminded citizens answered. The last decision counts: who confirms and cancels has cancelled."""
    columns = (FigureColumn("answer", Form.WORD), FigureColumn("appointments"), FigureColumn("share", Form.SHARE))
    reminded = [one for one in some if one.reminding is Reminding.REMINDED]
    found: Counter[str] = Counter()
    for one in reminded:
        if one.presence in CANCELLED:
            found[one.presence.value] += one.appointments
        else:
            found["confirmed" if one.is_confirmed else "no_answer"] += one.appointments
    whole = count(reminded)
    names = ("confirmed", *(one.value for one in Presence if one in CANCELLED), "no_answer")
    rows = [(name, found[name], share(found[name], whole).value) for name in names]
    return FigureTable(name="answers", columns=columns, rows=(*rows, ("total", whole, share(whole, whole).value)))


def freed(places: Iterable[FreedPlace]) -> FigureTable:
    """Return the places that cancellations freed, and how long before the hour."""
    columns = (
        FigureColumn("by", Form.WORD),
        FigureColumn("freed"),
        FigureColumn("day_before"),
        FigureColumn("hours_before"),
        FigureColumn("just_before"),
        FigureColumn("median_hours", Form.HOURS),
        FigureColumn("too_late"),
    )
    found: dict[Presence, list[int]] = {one: [] for one in Presence if one in CANCELLED}
    for place in places:
        found[place.presence].append(place.before_us)
    every = [one for some in found.values() for one in some]
    named = [*((presence.value, some) for presence, some in found.items()), ("total", every)]
    rows = tuple((name, *_before(some)) for name, some in named)
    return FigureTable(name="freed", columns=columns, rows=rows)


def _before(places: Iterable[int]) -> tuple[CellValue, ...]:
    all_of_them = list(places)
    hours = [Decimal(one) / HOUR_US for one in all_of_them if one > 0]
    early = sum(one >= _DAY_HOURS for one in hours)
    short = sum(one < _SHORT_HOURS for one in hours)
    middle = Decimal(median(hours)).quantize(_TENTH) if hours else None
    return len(hours), early, len(hours) - early - short, short, middle, len(all_of_them) - len(hours)


def by_group(some: Iterable[AppointmentCount], *, unmarked: bool) -> FigureTable:
    """Return the no-shows of the confirmed, the reminded, the held back, and the others with the reason."""
    columns = (
        FigureColumn("group", Form.WORD),
        FigureColumn("why", Form.WORD),
        FigureColumn("appointments"),
        *_known_columns(),
    )
    groups: dict[tuple[str, str], list[AppointmentCount]] = defaultdict(list)
    for one in some:
        groups[_group(one), one.why].append(one)
    keys = sorted(groups, key=lambda key: (_GROUPS.index(key[0]), key[1]))
    rows = tuple((*key, count(groups[key]), *_known(groups[key], unmarked=unmarked)) for key in keys)
    return FigureTable(name="groups", columns=columns, rows=rows)


_GROUPS: Final = ("confirmed", "no_answer", "not_reached", "not_sent", "none", "held_back")


def _group(one: AppointmentCount) -> str:
    if one.reminding is Reminding.REMINDED:
        return "confirmed" if one.is_confirmed else "no_answer"
    return one.reminding.value


def by_office(some: Iterable[AppointmentCount], *, unmarked: bool) -> FigureTable:
    """Return one row for each office."""
    columns = (
        FigureColumn("office", Form.NAME),
        FigureColumn("appointments"),
        FigureColumn("reminded"),
        FigureColumn("confirmed"),
        FigureColumn("cancelled_by_citizen"),
        *_known_columns(),
    )
    rows = []
    for office, its in _by_office(some).items():
        reminded = [one for one in its if one.reminding is Reminding.REMINDED]
        confirmed = sum(one.appointments for one in reminded if one.is_confirmed and one.presence not in CANCELLED)
        cancelled = count(its, Presence.CANCELLED_BY_CITIZEN)
        known = _known(its, unmarked=unmarked)
        rows.append((office, count(its), count(reminded), confirmed, cancelled, *known))
    return FigureTable(name="offices", columns=columns, rows=tuple(rows))


def _by_office(some: Iterable[AppointmentCount]) -> dict[str, list[AppointmentCount]]:
    offices: dict[str, list[AppointmentCount]] = defaultdict(list)
    for one in some:
        offices[one.office].append(one)
    return dict(sorted(offices.items()))


def compared(
    before: Sequence[AppointmentCount],
    after: Sequence[AppointmentCount],
    periods: tuple[ReportPeriod, ReportPeriod],
    *,
    unmarked: bool,
) -> FigureTable:
    """Return the no-shows of two periods, all offices together and each apart, and their difference in points."""
    columns = (
        FigureColumn("office", Form.NAME),
        FigureColumn("first", Form.DAY),
        FigureColumn("last", Form.DAY),
        FigureColumn("appointments"),
        *_known_columns(),
        FigureColumn("change", Form.POINTS),
        FigureColumn("change_low", Form.POINTS),
        FigureColumn("change_high", Form.POINTS),
    )
    earlier_by, later_by = _by_office(before), _by_office(after)
    names = sorted({*earlier_by, *later_by})
    pairs = [("total", before, after)]
    pairs += [(name, earlier_by.get(name, []), later_by.get(name, [])) for name in names if len(names) > 1]
    rows: list[tuple[CellValue, ...]] = []
    for name, earlier, later in pairs:
        change = difference(no_show(later, unmarked=unmarked), no_show(earlier, unmarked=unmarked))
        for period, its, told in zip(periods, (earlier, later), ((None,) * 3, change), strict=True):
            known = _known(its, unmarked=unmarked)
            rows.append((name, period.first, period.last, count(its), *known, *told))
    return FigureTable(name="compared", columns=columns, rows=tuple(rows))


def _known_columns() -> tuple[FigureColumn, ...]:
    return (FigureColumn("came"), FigureColumn("no_show"), FigureColumn("not_known"), *_SHARE)


def _known(some: Sequence[AppointmentCount], *, unmarked: bool) -> tuple[CellValue, ...]:
    """Return who came, who did not, of how many that is not known, and the share with its interval."""
    rate = no_show(some, unmarked=unmarked)
    left = (Presence.RESET, Presence.OTHER) if unmarked else (Presence.UNMARKED, Presence.RESET, Presence.OTHER)
    return count(some, Presence.CAME), rate.part, count(some, *left), rate.value, rate.low, rate.high
