"""Faults by themselves: each case that was recorded or found, late arrivals (S27) and the offered share (S31)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import last_of_month
from vetlla.domain.sanctions import FaultCase, FaultClass
from vetlla.service.sanctions.catalogue import FAULTS
from vetlla.service.sanctions.making import fault
from vetlla.service.sanctions.terms import DOCUMENT_FAULTS, SHARE_OF_TENDER, WORSE_PERCENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from vetlla.domain.sanctions import ContractFault, FaultFacts, LevelMonth
    from vetlla.service.sanctions.terms import SanctionTerms

DOCUMENT: Final = "document"
"""Kind of the duty to deliver a document."""
MISSED_OBLIGATION: Final = "S10"
"""Cases of this fault are counted, and the count decides the fault (``obligations``)."""
OFFERED_PART: Final = "share"
"""The part of ANS 11 that compares with the offered share."""
_ARRIVALS: Final = (11, 12)


def single(facts: FaultFacts, terms: SanctionTerms) -> Iterator[ContractFault]:
    """Yield a fault for each case, and those that the figures of ANS 11 and 12 are by themselves.

    Missed obligations are counted (``counted``), and penalties grow (``penalties``).
    """
    for case in facts.cases:
        if case.fault != MISSED_OBLIGATION and FAULTS[case.fault].fault_class is not FaultClass.PENALTY:
            named = DOCUMENT_FAULTS.get(case.fault, "") if case.what == DOCUMENT else ""
            yield fault(case.fault, case.subject, case.day, terms, *filter(None, (named,)), cases=[case])
    for month, levels in sorted(facts.months.items()):
        if facts.first <= month <= facts.last:
            yield from _of_arrivals(month, levels, terms)


def _of_arrivals(month: date, levels: Mapping[int, LevelMonth], terms: SanctionTerms) -> Iterator[ContractFault]:
    day = last_of_month(month)
    for ans in _ARRIVALS:
        found = levels.get(ans)
        if found and _is_too_late(found, terms):
            cases = [FaultCase("S27", day, "emergency", number, ans=ans) for number in found.worse]
            yield fault("S27", f"ANS {ans}", day, terms, "arrival", months=[month], cases=cases)
    of_type_i = levels.get(_ARRIVALS[0])
    if of_type_i and OFFERED_PART in of_type_i.missed and terms.offered_share > SHARE_OF_TENDER:
        yield fault("S31", f"ANS {_ARRIVALS[0]}", day, terms, months=[month])


def _is_too_late(found: LevelMonth, terms: SanctionTerms) -> bool:
    """Return True if one arrival, or their average, exceeds the limit by more than half; equality does not."""
    if terms.is_("arrival", "case"):
        return bool(found.worse)
    mean = found.arrivals
    return mean is not None and mean.total_us * 100 > mean.limit_us * mean.cases * WORSE_PERCENT
