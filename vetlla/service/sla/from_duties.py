"""The figures of the service levels whose cases are duties.

A duty counts in one month. Which month is that of ANS ``n`` is the parameter ``sla.month.n``, else ``sla.month``: the
month in which its clock runs out (``due``), or the one in which it was opened (``opened``). The tender does not say it.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.duties import DutyVerdict
from vetlla.domain.service_levels import BreachReason, GroupedBy, LevelBreach, LevelGroup
from vetlla.service.duties.kinds import ClockKind
from vetlla.service.parameters import Basis
from vetlla.service.sla.comparing import figure, share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date
    from decimal import Decimal

    from vetlla.domain.service_levels import LevelFigure, LevelPart, PartName
    from vetlla.service.duties.calendar import ServiceCalendar
    from vetlla.service.duties.standing import Standing
    from vetlla.service.parameters import Reading


class CountedBy(StrEnum):
    """Which month a duty counts in."""

    DUE = "due"
    OPENED = "opened"


class CasePlace(NamedTuple):
    """Where a duty belongs: its home and the base of that home; empty if there is none."""

    home: str
    base: str


class DutyCases(NamedTuple):
    """What the figures of a level are made of."""

    month: date
    begin_us: int
    end_us: int
    """Last moment of the month."""
    calendar: ServiceCalendar
    place_of: Callable[[Standing], CasePlace]


def counted_by(reading: Reading, ans: int) -> CountedBy:
    """Return which month the duties of a level count in. Raises ConfigError for another word."""
    return reading.choice(f"sla.month.{ans}", CountedBy, "sla.month")


def required_share(reading: Reading, ans: int) -> Decimal:
    """Return the percentage that a level demands: ``sla.share.n``, else ``sla.share``."""
    return reading.money(f"sla.share.{ans}", "sla.share")


def counts_at(one: Standing, by: CountedBy) -> int | None:
    """Return the moment whose month a duty counts in; None while its clock stands, because that is not known."""
    if by is CountedBy.OPENED or one.terms.kind.clock is ClockKind.NONE:
        return one.duty.opened_us
    if one.due_us is not None:
        return one.due_us
    # Without a due time nothing was promised, or the clock stood when the duty ended.
    return one.ended.told.at_us if one.ended else None


def is_of_month(at_us: int | None, cases: DutyCases) -> bool:
    """Return True if a moment is known and in the month."""
    return at_us is not None and cases.begin_us <= at_us <= cases.end_us


def counting(standings: Iterable[Standing], by: CountedBy, cases: DutyCases) -> Iterator[tuple[int, Standing]]:
    """Yield the duties that count in the month, each after the moment that puts it there, whatever their verdict."""
    for one in standings:
        at = counts_at(one, by)
        if at is not None and is_of_month(at, cases):
            yield at, one


def from_duties(
    ans: int,
    standings: Iterable[Standing],
    groups: Sequence[tuple[PartName, frozenset[str]]],
    reading: Reading,
    cases: DutyCases,
) -> LevelFigure:
    """Return the figures of a level: one part for each group, which has a name and the kinds of duty in it.

    A duty that was called off in time is no case. One whose clock still runs is counted as undecided.
    """
    by, threshold = counted_by(reading, ans), required_share(reading, ans)
    part_of = {kind: name for name, kinds in groups for kind in kinds}
    kept: Counter[PartName] = Counter()
    all_cases: Counter[PartName] = Counter()
    by_group: dict[tuple[GroupedBy, str], list[int]] = {}
    breaches: list[LevelBreach] = []
    assumed: set[str] = set()
    undecided: Counter[PartName] = Counter()
    for at, one in counting(standings, by, cases):
        if one.verdict is DutyVerdict.CANCELLED:
            continue
        assumed.update(not_agreed(one))
        if one.verdict is DutyVerdict.OPEN:
            undecided[part_of[one.duty.kind]] += 1
            continue
        name, is_kept = part_of[one.duty.kind], one.verdict is DutyVerdict.KEPT
        place = cases.place_of(one)
        all_cases[name] += 1
        kept[name] += is_kept
        for key in ((GroupedBy.DAY, cases.calendar.date_of(at).isoformat()), (GroupedBy.BASE, place.base)):
            counts = by_group.setdefault(key, [0, 0])
            counts[0] += is_kept
            counts[1] += 1
        if not is_kept:
            breaches.append(breach_of(one, place.home))
    parts: list[LevelPart] = [share(name, kept[name], all_cases[name], threshold) for name, _ in groups]
    return figure(
        ans,
        cases.month,
        parts,
        breaches,
        undecided=undecided.total(),
        undecided_by_part=tuple(undecided[name] for name, _ in groups),
        assumed=tuple(sorted(assumed.union(reading.assumed()))),
        groups=tuple(LevelGroup(*key, *counts) for key, counts in sorted(by_group.items())),
    )


def not_agreed(one: Standing) -> Iterator[str]:
    """Yield the names of the parameters behind the clock of a duty that no contract says."""
    for entry in (one.terms.limit, *one.terms.asked):
        if entry is not None and entry.basis is not Basis.CONTRACT:
            yield entry.name


def breach_of(one: Standing, home: str) -> LevelBreach:
    """Return a breached duty as a case of its level."""
    duty, promise, judging = one.duty, one.promise, one.judging
    begun = promise.told.begin_us if promise and promise.told.begin_us is not None else duty.opened_us
    return LevelBreach(
        what=duty.kind,
        number=str(duty.id),
        home=home,
        subject="" if duty.subject == home else duty.subject,
        reason=_reason(one),
        begun_us=begun,
        due_us=one.due_us,
        at_us=judging.told.at_us if judging else None,
        limit_us=one.terms.limit_us,
        measured_us=one.elapsed_us if judging else None,
        is_worse=one.is_worse,
    )


def _reason(one: Standing) -> BreachReason:
    judging = one.judging
    if judging is None:
        return BreachReason.NOT_DONE
    if judging.told.event not in one.terms.judged:
        return BreachReason.FAILED
    if one.terms.kind.clock is ClockKind.INTERVAL:
        return BreachReason.OUTSIDE
    return BreachReason.LATE if one.due_us is not None else BreachReason.FAILED
