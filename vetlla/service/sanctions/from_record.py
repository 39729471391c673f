"""Faults that duties and keys show.

They are late documents, incidents told late, keys lost or misused, plans of section 18, and obligations without ANS. A
duty that a service level judges, too, is a fault of its own, and its month is counted by that level alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.duties import DutyVerdict
from vetlla.domain.sanctions import FaultCase
from vetlla.service.custody.chain import KEY, Misdeed
from vetlla.service.duties.kinds import ClockKind
from vetlla.service.sanctions.catalogue import CONCILIATION, DUTY_OF_PENALTY, EQUALITY
from vetlla.service.sanctions.single import DOCUMENT, MISSED_OBLIGATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date

    from vetlla.service.custody.chain import CustodyKey
    from vetlla.service.duties.kinds import DutyKinds
    from vetlla.service.duties.standing import Standing

_OF_KIND: Final[Mapping[str, str]] = {
    DOCUMENT: "S03",
    "incident": "S06",
    "key_destruction": "S41",
    **{kind: penalty for penalty, kind in DUTY_OF_PENALTY.items()},
}
"""Kind of duty -> the fault that its breach is (17). A breach of another kind under an ANS is none by itself."""
_DOCUMENT_OF_ADVICE: Final = {DUTY_OF_PENALTY[EQUALITY]: "equality_plan", DUTY_OF_PENALTY[CONCILIATION]: "conciliation"}
"""Kind of the duty that the city's advice opens (18) -> the document that got a new term."""
_REJECTED: Final = "S04"
_OF_MISDEED: Final[Mapping[Misdeed, str]] = {
    Misdeed.LOST: "S41",
    Misdeed.NO_EMERGENCY: "S43",
    Misdeed.NO_ALARM: "S43",
    Misdeed.OTHER_HOME: "S43",
    Misdeed.WRONG_PERSON: "S42",
}


def fault_kinds(kinds: DutyKinds) -> list[str]:
    """Return the kinds of duties whose breach is a fault by itself: those above, and those under no service level."""
    return [
        name
        for name in kinds.names()
        if name in _OF_KIND or (kinds.kind(name).ans is None and kinds.kind(name).clock is not ClockKind.NONE)
    ]


class DocumentFaults(NamedTuple):
    """Which fault a late document is."""

    of_code: Mapping[str, str]
    """Code of a document whose delay is no S03 -> its fault."""
    advised_us: Mapping[str, int]
    """Code of a document of section 18 -> when the city gave a new term for it. Its first term does not count then."""

    def fault(self, code: str, due_us: int) -> str:
        """Return the fault of a document that was not there at the end of its term; empty if it got a new one."""
        if self.advised_us.get(code, due_us + 1) <= due_us:
            return ""
        return self.of_code.get(code, _OF_KIND[DOCUMENT])


def new_terms(standings: Iterable[Standing]) -> dict[str, int]:
    """Return when the city first gave a new term for each document of section 18, by its code."""
    found: dict[str, int] = {}
    for one in standings:
        code = _DOCUMENT_OF_ADVICE.get(one.duty.kind)
        if code is not None and one.duty.events:
            at_us = one.duty.events[0].told.at_us
            found[code] = min(found.get(code, at_us), at_us)
    return found


def of_duty(one: Standing, documents: DocumentFaults, date_of: Callable[[int], date]) -> Iterator[FaultCase]:
    """Yield the faults of a duty of these kinds; ``documents`` says which one a late document is.

    A breach is of the last day on which the duty would have been kept.
    """
    duty, ans = one.duty, one.terms.kind.ans or 0
    if one.verdict is DutyVerdict.BREACHED:
        at_us = one.due_us if one.due_us is not None else one.until_us
        fault = _OF_KIND.get(duty.kind, MISSED_OBLIGATION)
        if duty.kind == DOCUMENT:
            fault = documents.fault(duty.subject, at_us)
        until = date_of(one.ended.told.at_us) if one.ended else None
        if fault:
            yield FaultCase(fault, date_of(at_us), duty.kind, str(duty.id), _subject(one), ans=ans, until=until)
    if duty.kind == DOCUMENT:
        for event in duty.events:
            if event.told.event in one.terms.kind.reopens:
                day = date_of(event.told.at_us)
                yield FaultCase(_REJECTED, day, duty.kind, str(duty.id), _subject(one), "rejected", ans)


def of_key(key: CustodyKey, date_of: Callable[[int], date]) -> Iterator[FaultCase]:
    """Yield the very grave faults that custody finds in the events of a key.

    A return that does not name its receiver is none: custody warns of it, but it proves no fault.
    """
    for event, misdeed in key.misdeeds:
        if misdeed is Misdeed.WRONG_PERSON and not event.told.detail.get("to"):
            continue
        day = date_of(event.told.at_us)
        yield FaultCase(_OF_MISDEED[misdeed], day, KEY, str(key.duty.id), key.home, misdeed.value)


def _subject(one: Standing) -> str:
    return f"{one.duty.subject} {one.duty.ref}".strip()
