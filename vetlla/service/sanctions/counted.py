"""Faults that others add up to: missed obligations (S10, S28, S44), and faults that accumulate (S17, S39)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.sanctions import FaultClass
from vetlla.service.sanctions.making import fault
from vetlla.service.sanctions.single import MISSED_OBLIGATION
from vetlla.service.sanctions.terms import ACCUMULATED, OBLIGATIONS
from vetlla.service.sanctions.windows import ACCUMULATION_MONTHS, gathered, rolling

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vetlla.domain.sanctions import ContractFault, FaultCase
    from vetlla.service.sanctions.terms import SanctionTerms

OBLIGATIONS_TOGETHER: Final = "obligations under no service level"


def missed_obligations(cases: Iterable[FaultCase], terms: SanctionTerms) -> Iterator[ContractFault]:
    """Yield the faults of the obligations under no service level, by how often one was missed within a year."""
    groups: dict[str, list[FaultCase]] = {}
    for case in sorted(cases, key=lambda case: (case.day, case.number)):
        if case.fault == MISSED_OBLIGATION:
            same = terms.is_("same_obligation", "yes")
            about = f"{case.what} {case.subject}".strip() if same else OBLIGATIONS_TOGETHER
            groups.setdefault(about, []).append(case)
    for about, found in groups.items():
        days = [case.day for case in found]
        for number, least in OBLIGATIONS:
            for one in gathered(days, terms.year_of_days, least):
                of_it = [found[place] for place in one.members]
                yield fault(number, about, days[one.reached], terms, "year", "same_obligation", cases=of_it)


def accumulated(faults: Sequence[ContractFault], terms: SanctionTerms) -> list[ContractFault]:
    """Return the faults that three of a lower class within six months are: S17 first, which then counts as grave."""
    grave = _accumulated("S17", FaultClass.MINOR, faults, terms)
    return grave + _accumulated("S39", FaultClass.GRAVE, [*faults, *grave], terms)


def _accumulated(
    number: str, of: FaultClass, faults: Iterable[ContractFault], terms: SanctionTerms
) -> list[ContractFault]:
    found = sorted((one for one in faults if one.fault_class is of), key=lambda one: (one.day, one.fault, one.about))
    each = terms.is_("accumulation", "each")
    windows = gathered([one.day for one in found], rolling(ACCUMULATION_MONTHS), ACCUMULATED, each=each)
    return [
        fault(
            number,
            f"{len(window.members)} {of} faults",
            found[window.reached].day,
            terms,
            "accumulation",
            faults=[name_of(found[place]) for place in window.members],
        )
        for window in windows
    ]


def name_of(one: ContractFault) -> str:
    """Return how a fault is named among those that accumulate."""
    return " ".join(filter(None, (one.fault, f"{one.day}", one.about)))
