"""Faults that duties and keys show.

They are late documents, incidents told late, keys lost or misused, plans of section 18, and obligations without ANS. A
duty that a service level judges, too, is a fault of its own, and its month is counted by that level alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.duties import DutyVerdict
from vetlla.domain.sanctions import FaultCase
from vetlla.service.custody.chain import KEY, Misdeed
from vetlla.service.duties.kinds import ClockKind
from vetlla.service.sanctions.catalogue import DUTY_OF_PENALTY
from vetlla.service.sanctions.single import DOCUMENT, MISSED_OBLIGATION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
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


def of_duty(one: Standing, documents: Mapping[str, str], date_of: Callable[[int], date]) -> Iterator[FaultCase]:
    """Yield the faults of a duty of these kinds; ``documents`` has the codes of those whose delay is no S03.

    A breach is of the last day on which the duty would have been kept.
    """
    duty, ans = one.duty, one.terms.kind.ans or 0
    if one.verdict is DutyVerdict.BREACHED:
        fault = _OF_KIND.get(duty.kind, MISSED_OBLIGATION)
        if duty.kind == DOCUMENT:
            fault = documents.get(duty.subject, fault)
        at_us = one.due_us if one.due_us is not None else one.until_us
        until = date_of(one.ended.told.at_us) if one.ended else None
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
