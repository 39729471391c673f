"""The faults of tender 20220428, section 17 (and 13.2.d, 18, 20.2.d, 22), in the order of the text."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.domain.sanctions import FaultClass

if TYPE_CHECKING:
    from collections.abc import Mapping


class Reached(StrEnum):
    """How a fault comes into the ledger."""

    COUNTED = "counted"
    """It follows from other months or faults, so that only the ledger can say it."""
    FOUND = "found"
    """The record or other faults show it; a case that they do not show is recorded by hand."""
    RECORDED = "recorded"
    """By hand alone."""


class FaultKind(NamedTuple):
    """A fault that the contract knows."""

    fault: str
    fault_class: FaultClass
    words: str
    """What it is, for people who read English."""
    clause: str = "17"
    reached: Reached = Reached.RECORDED

    @property
    def is_counted(self) -> bool:
        """Return True if only the ledger can say it."""
        return self.reached is Reached.COUNTED


_MINOR: Final = (
    "Formal or documentary obligation not kept that is not typified as graver",
    "Occasional delay, negligence or carelessness without important detriment",
    "Required report not delivered in term without justified cause",
    "Report delivered with errors, or with incorrect or inconsistent information",
    "Slight incorrectness with applicants, users or their contacts",
    "Incident not told in the terms of the city's protocol on incidents",
    "Uniform with the logo of the city and of the contractor not worn",
    "Yearly satisfaction survey not paid as the city says",
    "Change of the platform that the city asked for not in production, or late without reason",
    "Sanctionable obligations under no service level missed 1 to 3 times",
)
_GRAVE: Final = (
    "Formal or documentary obligation not kept that is not typified as very grave",
    "Negligence, or defective and inexcusable fulfilment",
    "Lack of punctuality that seriously harms or distorts the service",
    "Vexatious treatment that is not very grave",
    "Secrecy of personal data not kept, not in a very grave matter",
    "Person excluded from the service without justified cause",
    "Serious breach of duties in general, or three minor faults in six months",
    "Deficient professional action",
    "Economic obligations, or those towards the staff, not met",
    "Pilots of cognitive decline or unwanted loneliness missed, defective, or not well evaluated",
    "Tests of technology (smartwatch, remote fall detector, voice extender, device of choice) missed or defective",
    "No new service director two months after the vacancy",
    "No new head of home intervention two months after the vacancy",
    "No training or advice in the use of the software for the city's staff",
    "Resistance to inspection, such as to remote access to the software",
    "Technical documentation not issued in term without justified cause",
    "Maximum time of arrival and access of type I or II exceeded by more than 50 %",
    "Sanctionable obligations under no service level missed 4 to 9 times",
    "Three months within a year in which an obligation or a monthly standard was not kept",
    "Criminal compliance not kept",
)
_VERY_GRAVE: Final = (
    "Offered improvement that was scored not kept",
    "Service abandoned without justified cause",
    "Data of the activities false or falsified",
    "Secrecy of personal data not kept in a very grave matter",
    "Important detriment of the offered quality",
    "Conduct that is a crime",
    "Offences against a user, or vexatious treatment",
    "Directives of the administration not followed, or its inspection impeded",
    "Three grave faults in six months",
    "Terminals not reprogrammed to the number that the city determines",
    "Keys lost, not returned, or not destroyed",
    "Keys not used properly",
    "Keys used for another purpose, or without an emergency",
    "Sanctionable obligations under no service level missed more than 9 times",
    "More than six months within a year in which an obligation or a monthly standard was not kept",
    "Special execution condition not kept",
    "Pay below the offer, or documents of pay not presented in term",
    "Grave risk for the environment, terms of payment of subcontractors, UN resolutions, others of the PCAP",
)
_COUNTED: Final = frozenset({"S28", "S29", "S39", "S44", "S45"})
_FOUND: Final = frozenset({"S03", "S04", "S06", "S10", "S17", "S26", "S27", "S31", "S41", "S42", "S43", "S46", "S47"})
CONSECUTIVE: Final = "R5"
ALTERNATE: Final = "R7"
DEDUCTION: Final = "20.2.d"
EQUALITY: Final = "18.equality"
CONCILIATION: Final = "18.conciliation"
PROTOCOLS: Final = "Device or protocol changed or added without handing its open protocol over before"
_EQUALITY: Final = "Equality plan or measures not handed over, after the city's advice"
_CONCILIATION: Final = (
    "Document of measures of conciliation not handed over, after the city's advice; it may be a cause of termination"
)


def _reached(fault: str) -> Reached:
    if fault in _COUNTED:
        return Reached.COUNTED
    return Reached.FOUND if fault in _FOUND else Reached.RECORDED


def _all() -> dict[str, FaultKind]:
    classes = (
        *((FaultClass.MINOR, words) for words in _MINOR),
        *((FaultClass.GRAVE, words) for words in _GRAVE),
        *((FaultClass.VERY_GRAVE, words) for words in _VERY_GRAVE),
    )
    numbered = [
        FaultKind(f"S{place:02}", one, words, reached=_reached(f"S{place:02}"))
        for place, (one, words) in enumerate(classes, start=1)
    ]
    others = (
        FaultKind("S49", FaultClass.VERY_GRAVE, PROTOCOLS, "13.2.d"),
        FaultKind(CONSECUTIVE, FaultClass.TERMINATION, "Not kept in 5 consecutive months", "22", Reached.COUNTED),
        FaultKind(ALTERNATE, FaultClass.TERMINATION, "Not kept in 7 alternate months", "22", Reached.COUNTED),
        FaultKind(EQUALITY, FaultClass.PENALTY, _EQUALITY, "18", Reached.FOUND),
        FaultKind(CONCILIATION, FaultClass.PENALTY, _CONCILIATION, "18", Reached.FOUND),
        FaultKind(DEDUCTION, FaultClass.DEDUCTION, "Found in a control, no infraction: deducted", DEDUCTION),
    )
    return {kind.fault: kind for kind in (*numbered, *others)}


DUTY_OF_PENALTY: Final = {EQUALITY: "equality_plan", CONCILIATION: "conciliation_document"}
"""The kind of duty whose breach is each penalty of section 18."""
FAULTS: Final[Mapping[str, FaultKind]] = _all()
"""Number of the fault -> what it is."""


def fault_kind(text: str) -> FaultKind:
    """Return the fault that a person names, in any case of letters. Raises UsageError for an unknown one."""
    by_key = {name.upper(): kind for name, kind in FAULTS.items()}
    found = by_key.get(text.strip().upper())
    if found is None:
        raise UsageError(f"there is no fault {text!r}", remedy="vetlla sanctions faults lists them")
    return found


def recordable(text: str) -> FaultKind:
    """Return the fault that a person wants to record. Raises UsageError if only the ledger can say it."""
    found = fault_kind(text)
    if found.is_counted:
        raise UsageError(
            f"{found.fault} follows from other months or faults, which the ledger counts",
            remedy="record what happened (S10 for each missed obligation); vetlla sanctions ledger shows the rest",
        )
    if found.fault_class is FaultClass.PENALTY:
        kind = DUTY_OF_PENALTY[found.fault]
        raise UsageError(
            f"{found.fault} grows each month, from a duty of the kind {kind}",
            remedy=f"record the city's advice and its new term: vetlla duties open {kind} service --at DAY --to DAY",
        )
    return found
