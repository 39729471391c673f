"""Penalties of tender 20220428, section 18: one percent of the price of the contract, which grows each month.

The equality plan (or measures) and the document of conciliation are due ten days after the formalisation. A contractor
that gives reasons gets advice and a new term from the city. The penalty is for what is missing after that term.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.clock import last_of_month
from vetlla.domain.sanctions import FaultClass
from vetlla.service.calendar import add_months
from vetlla.service.sanctions.catalogue import FAULTS
from vetlla.service.sanctions.making import fault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from vetlla.domain.sanctions import ContractFault, FaultFacts
    from vetlla.service.sanctions.terms import PenaltyTerms, SanctionTerms


def penalties(facts: FaultFacts, terms: SanctionTerms) -> Iterator[ContractFault]:
    """Yield each penalty with the months of delay that have begun, and what it has come to.

    A month of delay begins on the day after the term, and each month later. Its name is the month of that term's day.
    """
    end = facts.until or last_of_month(facts.last)
    for case in facts.cases:
        if FAULTS[case.fault].fault_class is FaultClass.PENALTY:
            months = _months(case.day, min(case.until or end, end), terms.penalty)
            amount = terms.penalty.euros(min(terms.penalty.most, terms.penalty.monthly * len(months)))
            yield fault(case.fault, case.subject, case.day, terms, months=months, cases=[case], amount=amount)


def _months(term: date, until: date, terms: PenaltyTerms) -> list[date]:
    """Return the months of delay, up to the one in which the penalty reaches its ceiling."""
    found = [term.replace(day=1)]
    while add_months(term, len(found)) < until and terms.monthly * len(found) < terms.most:
        found.append(add_months(found[0], len(found)))
    return found
