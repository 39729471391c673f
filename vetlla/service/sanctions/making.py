"""Makes a fault of the ledger with its class and ceiling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.sanctions import ContractFault, FaultClass
from vetlla.service.sanctions.catalogue import FAULTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from vetlla.domain.sanctions import FaultCase
    from vetlla.service.sanctions.terms import SanctionTerms


def fault(
    number: str,
    about: str,
    day: date,
    terms: SanctionTerms,
    *names: str,
    months: Sequence[date] = (),
    cases: Sequence[FaultCase] = (),
    faults: Sequence[str] = (),
) -> ContractFault:
    """Return a fault; ``names`` are the parameters behind it, without ``sanctions``."""
    kind = FAULTS[number]
    ceiling = terms.ceilings.get(kind.fault_class)
    assumed = terms.behind(*names) if ceiling is None else terms.behind(*names, "base")
    if kind.fault_class is FaultClass.DEDUCTION:
        ceiling = cases[0].amount
    return ContractFault(
        number, kind.fault_class, about, day, tuple(months), tuple(cases), tuple(faults), ceiling, assumed
    )
