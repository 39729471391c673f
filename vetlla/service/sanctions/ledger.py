"""The ledger: every fault of the contract that the facts come to, and what one more breach would add."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.sanctions import NO_FIGURES, FaultCase
from vetlla.domain.service_levels import LevelVerdict
from vetlla.service.sanctions.counted import accumulated, missed_obligations
from vetlla.service.sanctions.penalties import penalties
from vetlla.service.sanctions.repeated import TOGETHER, repeated, series
from vetlla.service.sanctions.single import MISSED_OBLIGATION, single

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from vetlla.domain.sanctions import ContractFault, FaultFacts
    from vetlla.service.sanctions.terms import SanctionTerms

OBLIGATION = "obligation"


class Outlook(NamedTuple):
    """What one more breach in a month would mean."""

    about: str
    """``ANS 5``, or ``obligation`` for an obligation under no service level."""
    verdict: LevelVerdict | None
    """What the month comes to so far; None for the obligation."""
    missed: int
    """Months of the year that were missed, this one included if it is; of obligations how often one was missed."""
    would_add: tuple[ContractFault, ...]
    """The faults that would be reached by it, and are not without it."""


def ledger(facts: FaultFacts, terms: SanctionTerms) -> list[ContractFault]:
    """Return the faults in the order of their days."""
    found = [*single(facts, terms), *penalties(facts, terms), *repeated(facts, terms)]
    found += missed_obligations(facts.cases, terms)
    found += accumulated(found, terms)
    return sorted(found, key=lambda one: (one.day, one.fault, one.about, [case.number for case in one.cases]))


def outlook(facts: FaultFacts, terms: SanctionTerms, on: date) -> list[Outlook]:
    """Return what a breach of each level in the last month of the facts would mean, and a missed obligation on a day.

    A level that is not kept already adds nothing: the month counts once.
    """
    month = facts.last
    before = {_key(one) for one in ledger(facts, terms)}
    counts = {one.about: _of_year(one.missed(), terms.year_of_months(month)) for one in series(facts, terms)}
    together = counts.get(TOGETHER)
    found: list[Outlook] = []
    for ans in facts.levels:
        now = facts.months.get(month, {}).get(ans, NO_FIGURES)
        worse = now._replace(verdict=LevelVerdict.NOT_KEPT, breaches=now.breaches + 1)
        then = facts._replace(months={**facts.months, month: {**facts.months.get(month, {}), ans: worse}})
        about = f"ANS {ans}"
        missed = counts.get(about, 0) if together is None else together
        found.append(Outlook(about, now.verdict, missed, _added(then, terms, before)))
    case = FaultCase(MISSED_OBLIGATION, on, "recorded", "")
    times = _of_year([one.day for one in facts.cases if one.fault == MISSED_OBLIGATION], terms.year_of_days(on))
    found.append(Outlook(OBLIGATION, None, times, _added(facts._replace(cases=[*facts.cases, case]), terms, before)))
    return found


def _of_year(days: Iterable[date], begin: date) -> int:
    return sum(day >= begin for day in days)


def _added(facts: FaultFacts, terms: SanctionTerms, before: set[tuple[str, str, date]]) -> tuple[ContractFault, ...]:
    return tuple(one for one in ledger(facts, terms) if _key(one) not in before)


def _key(one: ContractFault) -> tuple[str, str, date]:
    return one.fault, one.about, one.day
