"""What a new value of a home or a person says about the past, as facts to record.

A dated field (level, district ...) has its new value from the given day until the next day for which a fact of that
field is recorded. A list of periods (active, suspended, programmes) is replaced as a whole, because its periods say
themselves on which days they hold. A fact is a correction if it was recorded as one, or if its list changes what the
registry answered about days before the given one.

A file says something new only if its value differs from what imports said before. The next export of an office that
does not know of a change by hand still has the old value: that is no news, and the value recorded by hand stays.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.homes import ALWAYS, HOME_FIELDS, PERSON_FIELDS, DatedChange, Home, Period, Programme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
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


class Repeated(NamedTuple):
    """Fields of a row whose values recorded by hand are other ones than those that imports said."""

    old: list[str]
    """The row repeats what imports said, so it has no news: the value recorded by hand can stay."""
    agreed: list[str]
    """The row has the value recorded by hand. From then on another value is news, also the one of before."""


def repeated(values: Mapping[str, Any], before: Home | Person, imported: Home | Person) -> Repeated:
    """Compare the values of a row with those of its day: ``before`` as it is, ``imported`` as imports alone made it."""
    fields = HOME_FIELDS if isinstance(before, Home) else PERSON_FIELDS
    by_hand = [name for name in _differing(fields.dated + fields.lists, before, imported) if name in values]
    return Repeated(
        [name for name in by_hand if values[name] == getattr(imported, name)],
        [name for name in by_hand if values[name] == getattr(before, name)],
    )


def with_agreed(found: Iterable[DatedChange], agreed: Mapping[str, date], before: Home | Person) -> list[DatedChange]:
    """Return changes, and for each agreed field the fact that an import said its value, too.

    ``agreed`` has the day of the fact that gives the field its value. A fact of the same day with the same value
    changes no answer, whatever is recorded later.
    """
    by_day = {change.since: change for change in found}
    for field, since in agreed.items():
        change = by_day.get(since, DatedChange(since, {}))
        by_day[since] = change._replace(values={**change.values, field: getattr(before, field)})
    return [change for _, change in sorted(by_day.items())]


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
