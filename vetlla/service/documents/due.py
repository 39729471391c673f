"""The calendar of documents: when each one is due, for every period of the contract.

A due day stays where it is if it is no working day: no clause moves it.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import ConfigError
from vetlla.service.calendar import add_months
from vetlla.service.documents.deliverables import RuleName, TermUnit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from vetlla.service.documents.deliverables import Deliverables, DueRule
    from vetlla.service.duties.calendar import ServiceCalendar
    from vetlla.service.parameters import Reading

_DAY: Final = timedelta(days=1)
_MONTHS: Final = 12


class Contract(NamedTuple):
    """The days of the contract from which terms are counted."""

    formalised: date
    start: date
    end: date


class DocumentDue(NamedTuple):
    """One document for one period."""

    code: str
    period: str
    """A month as 2026-11, a year as 2026, or ``start`` or ``end`` of the contract."""
    begins: date
    """First day of the period: it is owed from then on."""
    since: date
    """First day on which it can be expected: the day after the period that it is about."""
    day: date
    """Last day on which it is in term."""
    rule: DueRule


def contract_of(reading: Reading) -> Contract:
    """Return the days of the contract. Raises ConfigError if it ends before it starts."""
    found = Contract(
        reading.the_date("contract.formalised"), reading.the_date("contract.start"), reading.the_date("contract.end")
    )
    if found.end < found.start:
        raise ConfigError("parameter contract.end is before contract.start", remedy="correct the parameters file")
    return found


def all_due(deliverables: Deliverables, contract: Contract, calendar: ServiceCalendar) -> list[DocumentDue]:
    """Return every document of every period of the contract, the first due first."""
    found = [
        one
        for code in deliverables.codes()
        for rule in deliverables.document(code).due
        if rule.rule in _OCCURRENCES
        for one in _OCCURRENCES[rule.rule](code, rule, contract, calendar)
    ]
    return sorted(found, key=lambda one: one.day)


def term(first: date, rule: DueRule, calendar: ServiceCalendar) -> date:
    """Return the day that lies ``after`` days or months behind a day."""
    after = rule.after or 0
    if rule.unit is TermUnit.WORKING_DAYS:
        return date.fromordinal(calendar.working_after(first.toordinal(), after))
    return add_months(first, after) if rule.unit is TermUnit.MONTHS else first + timedelta(days=after)


def _monthly(code: str, rule: DueRule, contract: Contract, calendar: ServiceCalendar) -> Iterator[DocumentDue]:
    first = contract.start.replace(day=1)
    while first <= contract.end:
        following = add_months(first, 1)
        yield DocumentDue(code, f"{first:%Y-%m}", first, following, term(following - _DAY, rule, calendar), rule)
        first = following


def _yearly(code: str, rule: DueRule, contract: Contract, _: ServiceCalendar) -> Iterator[DocumentDue]:
    for year in range(contract.start.year, contract.end.year + 1):
        begins, following = date(year, 1, 1), date(year + 1, 1, 1)
        if rule.about == "previous":
            yield DocumentDue(code, str(year), begins, following, _day_of(rule, year + 1), rule)
        elif contract.start <= (day := _day_of(rule, year)) <= contract.end:
            yield DocumentDue(code, str(year), begins, begins, day, rule)


def _every(code: str, rule: DueRule, contract: Contract, calendar: ServiceCalendar) -> Iterator[DocumentDue]:
    months = 0
    while (first := add_months(contract.formalised, months)) <= contract.end:
        yield DocumentDue(code, f"{first:%Y-%m}", first, first, term(first, rule, calendar), rule)
        months += rule.months or _MONTHS


def _once(code: str, rule: DueRule, contract: Contract, calendar: ServiceCalendar) -> Iterator[DocumentDue]:
    first = contract.formalised
    yield DocumentDue(code, "start", first, first, term(first, rule, calendar), rule)


def _end(code: str, rule: DueRule, contract: Contract, _: ServiceCalendar) -> Iterator[DocumentDue]:
    before = rule.before or 0
    in_months = rule.unit is TermUnit.MONTHS
    day = _months_before(contract.end, before) if in_months else contract.end - timedelta(days=before)
    yield DocumentDue(code, "end", contract.formalised, min(day, contract.end), day, rule)


def _months_before(end: date, months: int) -> date:
    """Return the day from which ``months`` whole months are left; the last day of a month stays the last one."""
    following = end + _DAY
    return add_months(following, -months) - _DAY if following.day == 1 else add_months(end, -months)


def _day_of(rule: DueRule, year: int) -> date:
    """Return the day of a yearly rule; 29 February is the last of February in other years."""
    month, day = map(int, (rule.on or "").split("-"))
    return date(year, month, min(day, monthrange(year, month)[1]))


_OCCURRENCES: Final[Mapping[RuleName, Callable[[str, DueRule, Contract, ServiceCalendar], Iterator[DocumentDue]]]] = {
    RuleName.MONTHLY: _monthly,
    RuleName.YEARLY: _yearly,
    RuleName.EVERY: _every,
    RuleName.ONCE: _once,
    RuleName.END: _end,
}
