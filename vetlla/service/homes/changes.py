"""What a new value of a home or a person says about the past, as facts to record.

A dated field (level, district ...) has its new value from the given day until the next day for which a fact of that
field is recorded. A list of periods (active, suspended, programmes) is replaced as a whole, because its periods say
themselves on which days they hold. A fact is a correction if it was recorded as one, or if its list changes what the
registry answered about days before the given one.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.homes import ALWAYS, HOME_FIELDS, PERSON_FIELDS, DatedChange, Home, Period, Programme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from vetlla.domain.homes import Fields, Person


class Overtaken(NamedTuple):
    """A change that is not recorded without the word that it is a correction."""

    field: str
    since: date
    """Day from which the registry has another value of the field."""

    @property
    def reason(self) -> str:
        """What is wrong with the change."""
        return f"another value holds from {self.since} on: correct the days before it with --correct"


def changes(
    before: Home | Person | None, after: Home | Person, since: date, *, correct: bool = False, note: str = ""
) -> list[DatedChange]:
    """Return the facts that make ``before``, the values on the day ``since``, the values ``after``.

    The first facts of a home or a person set every field. They hold since always, as nothing else is known of the days
    before; its active periods say on which days it is in the service.
    """
    fields = HOME_FIELDS if isinstance(after, Home) else PERSON_FIELDS
    if before is None:
        return [DatedChange(ALWAYS, {field: getattr(after, field) for field in fields.dated + fields.lists}, note=note)]
    if before == after:
        return []
    found: defaultdict[date, dict[str, Any]] = defaultdict(dict)
    for field in _differing(fields.dated, before, after):
        found[since][field] = getattr(after, field)
    for field in _differing(fields.lists, before, after):
        found[first_change(getattr(before, field), getattr(after, field)) or since][field] = getattr(after, field)
    return [
        DatedChange(day, values, correction=correct or day < since, note=note) for day, values in sorted(found.items())
    ]


def overtaken(
    found: Iterable[DatedChange], fields: Fields, next_day: Callable[[str, date], date | None], today: date
) -> list[Overtaken]:
    """Return the changes of dated fields for which the registry has another value from a later day on.

    ``next_day`` returns the next day after one from which a field has a recorded value. A value for days to come is a
    plan, and stays one.
    """
    return [
        Overtaken(field, later)
        for change in found
        if change.since != ALWAYS and not change.correction
        for field in fields.dated
        if field in change.values and (later := next_day(field, change.since)) is not None and later <= today
    ]


def first_change(
    before: Sequence[Period] | Sequence[Programme], after: Sequence[Period] | Sequence[Programme]
) -> date | None:
    """Return the first day on which two lists of periods or programmes differ; None if they have the same days."""
    edges: set[date] = set()
    for one in (*before, *after):
        period = _period(one)
        edges.add(period.since)
        if period.until is not None and period.until < _LAST:
            edges.add(period.until + timedelta(days=1))
    return next((day for day in sorted(edges) if _on(before, day) != _on(after, day)), None)


_LAST = ALWAYS.max


def _on(parts: Sequence[Period] | Sequence[Programme], day: date) -> set[str]:
    """Return the names of the programmes of a day, or "" for a period."""
    return {one.name if isinstance(one, Programme) else "" for one in parts if _period(one).covers(day)}


def _period(one: Period | Programme) -> Period:
    return one.period if isinstance(one, Programme) else one


def _differing(fields: Sequence[str], before: Home | Person, after: Home | Person) -> list[str]:
    return [field for field in fields if getattr(before, field) != getattr(after, field)]
