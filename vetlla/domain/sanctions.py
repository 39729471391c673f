"""Values of the ledger of faults: what the months and the record say, and which faults of the contract that is.

Tender 20220428 sets the classes and their ceilings in section 17, and in section 22 when the city may end the contract.
Section 18 has a penalty of its own.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.service_levels import LevelVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from decimal import Decimal


class FaultClass(StrEnum):
    """How grave a fault is."""

    MINOR = "minor"
    GRAVE = "grave"
    VERY_GRAVE = "very_grave"
    TERMINATION = "termination"
    """No fault of section 17, but a cause for which the city may end the contract (22)."""
    PENALTY = "penalty"
    """A penalty that grows each month (18), and no fault of section 17."""
    DEDUCTION = "deduction"
    """No infraction, but deducted from the invoice of its month (20.2.d)."""


class Arrivals(NamedTuple):
    """The arrivals of a month, for an average over them."""

    cases: int
    total_us: int
    """Sum of the times until the unit got in."""
    limit_us: int


class LevelMonth(NamedTuple):
    """What the ledger needs of a service level in a month; a closed month and a computed one give the same."""

    verdict: LevelVerdict
    breaches: int = 0
    worse: tuple[str, ...] = ()
    """The breaches that exceed their limit by so much that the contract has a fault for it: numbers of the record."""
    missed: frozenset[str] = frozenset()
    """Names of the parts that were not kept."""
    arrivals: Arrivals | None = None


NO_FIGURES = LevelMonth(LevelVerdict.NOT_MEASURED)
"""A month of which there are no figures. It never counts as kept."""


class FaultCase(NamedTuple):
    """One event that is a fault by itself: recorded by hand, or found in the record."""

    fault: str
    """Its number in the list of faults, such as ``S07``."""
    day: date
    what: str
    """``recorded``, or the kind of the duty that it comes from."""
    number: str
    """Its number in the record, for the command that shows it."""
    subject: str = ""
    """Code of what it is about."""
    note: str = ""
    ans: int = 0
    """The service level that judges the same case; 0 if none does."""
    amount: Decimal | None = None
    """Euros of a deduction, if they are known."""
    until: date | None = None
    """Day on which what was late was delivered or called off; None if that has not happened."""


class FaultFacts(NamedTuple):
    """What the ledger is made of."""

    months: Mapping[date, Mapping[int, LevelMonth]]
    """First day of the month -> number of the level -> its figures."""
    first: date
    """First day of the first month that counts."""
    last: date
    """First day of the last month that counts."""
    cases: Sequence[FaultCase]
    levels: Sequence[int]
    """Numbers of the service levels of the contract. A month without figures of one of them was not measured."""
    until: date | None = None
    """Day up to which cases are known; None for the end of the last month."""


class ContractFault(NamedTuple):
    """A fault, or a cause of termination, with everything that led to it."""

    fault: str
    fault_class: FaultClass
    about: str
    """The level (``ANS 5``), the obligation, or what was counted together."""
    day: date
    """When it was reached: the day of the case, or the last day of the month that completed it."""
    months: tuple[date, ...]
    """The months that led to it, and those that continue it."""
    cases: tuple[FaultCase, ...]
    faults: tuple[str, ...]
    """The faults whose accumulation it is, each as number and day."""
    ceiling: Decimal | None
    """Most euros of a sanction for faults of its class; what is deducted; None if neither is known."""
    assumed: tuple[str, ...]
    """Names of the parameters behind it that no contract says."""
    amount: Decimal | None = None
    """Euros that a penalty has come to, or that are deducted; None for others."""


class RecordedFault(NamedTuple):
    """A fault as a person recorded it."""

    id: int
    fault: str
    at_us: int
    subject: str
    reason: str
    ref: str
    cents: int | None
    by: str
    withdraws: int
    """Number of the record that this one takes back; 0 otherwise."""
    recorded_us: int


class ActionEvent(NamedTuple):
    """An event of a corrective action. The event that opens one has ``action`` 0, and its number is the action's."""

    id: int
    action: int
    event: str
    """``planned``, ``done`` or ``withdrawn``."""
    about: str
    """The fault or the level that it corrects, such as ``S29`` or ``ANS 5``; of ``planned`` alone."""
    what: str
    """What is to be done; of other events a note."""
    who: str
    due: date | None
    at_us: int
    ref: str
    """Where the evidence is."""
    by: str
    recorded_us: int
