"""Months in which a standard or an obligation was not kept: S29, S45, and the causes of termination of section 22.

A month without a case, and one that was not measured, is never kept. It stands apart: it does not count as missed, and
does not end a run of consecutive months. Two parameters say otherwise.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import last_of_month
from vetlla.domain.sanctions import NO_FIGURES, FaultClass
from vetlla.domain.service_levels import LevelVerdict
from vetlla.service.calendar import months_of
from vetlla.service.sanctions.catalogue import ALTERNATE, CONSECUTIVE, FAULTS
from vetlla.service.sanctions.making import fault
from vetlla.service.sanctions.terms import (
    ALTERNATE_MONTHS,
    CONSECUTIVE_MONTHS,
    GRAVE_MONTHS,
    VERY_GRAVE_MONTHS,
)
from vetlla.service.sanctions.windows import gathered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from vetlla.domain.sanctions import ContractFault, FaultCase, FaultFacts, LevelMonth
    from vetlla.service.sanctions.terms import SanctionTerms

TOGETHER: Final = "all standards and obligations"
_COUNTED: Final = ("same_standard", "not_measured")


class MonthState(StrEnum):
    """How a month of a series counts."""

    MISSED = "missed"
    KEPT = "kept"
    APART = "apart"


class Series(NamedTuple):
    """What must be kept each month, and how each month counts."""

    about: str
    states: Mapping[date, MonthState]
    """Every month of the ledger, in order."""

    def missed(self) -> list[date]:
        """Return the months that were missed, in order."""
        return [month for month, state in self.states.items() if state is MonthState.MISSED]


class _Rule(NamedTuple):
    """A number of missed months within a time that is a fault."""

    fault: str
    least: int
    since: Callable[[date], date]
    names: tuple[str, ...]
    """The parameters that decide the time."""


def repeated(facts: FaultFacts, terms: SanctionTerms) -> Iterator[ContractFault]:
    """Yield the faults of repeated months, and the causes of termination, of each series."""
    for one in series(facts, terms):
        for rule in _rules(terms):
            yield from _gathered(rule, one, terms)
        for run in runs(one.states):
            if len(run) >= CONSECUTIVE_MONTHS:
                day = last_of_month(run[CONSECUTIVE_MONTHS - 1])
                yield fault(CONSECUTIVE, one.about, day, terms, *_COUNTED, "empty_ends_run", months=run)


def series(facts: FaultFacts, terms: SanctionTerms) -> list[Series]:
    """Return the series of months that are counted: one for each standard and obligation, or one for all together."""
    months = list(months_of(facts.first, facts.last))
    found = [
        Series(
            f"ANS {ans}", {month: _state(facts.months.get(month, {}).get(ans, NO_FIGURES), terms) for month in months}
        )
        for ans in facts.levels
    ]
    found += _of_obligations(facts.cases, months)
    if terms.is_("same_standard", "yes"):
        return found
    return [Series(TOGETHER, {month: _together([one.states[month] for one in found]) for month in months})]


def runs(states: Mapping[date, MonthState]) -> Iterator[list[date]]:
    """Yield the missed months of each run of consecutive ones; months that stand apart neither count nor end it."""
    counted = [(month, state) for month, state in states.items() if state is not MonthState.APART]
    for state, run in groupby(counted, key=lambda one: one[1]):
        if state is MonthState.MISSED:
            yield [month for month, _ in run]


def _rules(terms: SanctionTerms) -> tuple[_Rule, ...]:
    year = terms.year_of_months
    alternate = ("alternate_within", *(["year"] if terms.is_("alternate_within", "year") else []))
    return (
        _Rule("S29", GRAVE_MONTHS, year, ("year",)),
        _Rule("S45", VERY_GRAVE_MONTHS, year, ("year",)),
        _Rule(ALTERNATE, ALTERNATE_MONTHS, terms.alternate, alternate),
    )


def _gathered(rule: _Rule, one: Series, terms: SanctionTerms) -> Iterator[ContractFault]:
    missed = one.missed()
    for window in gathered(missed, rule.since, rule.least):
        months = [missed[place] for place in window.members]
        day = last_of_month(missed[window.reached])
        yield fault(rule.fault, one.about, day, terms, *rule.names, *_COUNTED, months=months)


def _state(one: LevelMonth, terms: SanctionTerms) -> MonthState:
    match one.verdict:
        case LevelVerdict.NOT_KEPT:
            return MonthState.MISSED
        case LevelVerdict.NOT_MEASURED:
            return MonthState.APART if terms.is_("not_measured", "apart") else MonthState.MISSED
        case LevelVerdict.EMPTY:
            return MonthState.APART if terms.is_("empty_ends_run", "no") else MonthState.KEPT
    return MonthState.KEPT


def _of_obligations(cases: Iterable[FaultCase], months: Sequence[date]) -> list[Series]:
    """Return a series for each obligation that was missed. In months without a case nothing was missed."""
    missed: dict[str, set[date]] = {}
    for case in cases:
        if not case.ans and FAULTS[case.fault].fault_class is not FaultClass.DEDUCTION:  # it is no infraction
            missed.setdefault(obligation(case), set()).add(case.day.replace(day=1))
    return [
        Series(about, {month: MonthState.MISSED if month in of_it else MonthState.KEPT for month in months})
        for about, of_it in sorted(missed.items())
    ]


def obligation(case: FaultCase) -> str:
    """Return the name of the obligation that a case missed: its fault, and the kind of duty if it comes from one."""
    return case.fault if case.what == "recorded" else f"{case.fault} {case.what}"


def _together(states: Sequence[MonthState]) -> MonthState:
    """Return how a month counts for all series together: one that is missed decides, then one that is kept."""
    for decisive in (MonthState.MISSED, MonthState.KEPT):
        if decisive in states:
            return decisive
    return MonthState.APART
