"""Makes a fault of the ledger with its class and ceiling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.sanctions import ContractFault, FaultClass
from vetlla.service.sanctions.catalogue import FAULTS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

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
    amount: Decimal | None = None,
) -> ContractFault:
    """Return a fault; ``names`` are the parameters behind it, without ``sanctions``."""
    kind = FAULTS[number]
    ceiling = terms.ceilings.get(kind.fault_class)
    behind_ceiling = ("price",) if kind.fault_class is FaultClass.PENALTY else ("base",)
    assumed = terms.behind(*names, *(() if ceiling is None else behind_ceiling))
    if kind.fault_class is FaultClass.DEDUCTION:
        ceiling = amount = cases[0].amount
    return ContractFault(
        number, kind.fault_class, about, day, tuple(months), tuple(cases), tuple(faults), ceiling, assumed, amount
    )
