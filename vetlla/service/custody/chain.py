"""The chain of custody of a key: where it is and who holds it, computed from its events.

Each act is possible in some states only: a key that is out cannot be taken, and one that was returned cannot be
destroyed. An event that was not possible at its time changes nothing, and is shown as impossible.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - NamedTuple
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.codes import code_key
from vetlla.domain.duties import Impossible

if TYPE_CHECKING:
    from vetlla.domain.duties import Duty, DutyEvent

KEY: Final = "key"
"""The kind of duty that is the custody of a key."""


class KeyAct(StrEnum):
    """What happens to a key: the events of the kind ``key``."""

    CEDED = "ceded"
    STORED = "stored"
    """It got another place."""
    TAKEN = "taken"
    BROUGHT_BACK = "brought_back"
    USED = "used"
    LOST = "lost"
    FOUND = "found"
    RETURNED = "returned"
    DESTROYED = "destroyed"


class KeyState(StrEnum):
    """Where a key is."""

    IN_PLACE = "in place"
    OUT = "out"
    LOST = "lost"
    RETURNED = "returned"
    DESTROYED = "destroyed"


class TakingReason(StrEnum):
    """Why a key leaves its place."""

    EMERGENCY = "emergency"
    HAND_OVER = "hand-over"
    CHECK = "check"
    RETURN = "return"


class Misdeed(StrEnum):
    """A very grave fault (tender 20220428, section 17)."""

    LOST = "lost"
    NO_EMERGENCY = "used without an emergency"
    NO_ALARM = "used for an alarm that does not exist"
    OTHER_HOME = "used for an alarm of another home"
    WRONG_PERSON = "returned to a person who is not authorised"


class AlarmCheck(StrEnum):
    """What the journal said about the alarm of an act, when the act was recorded."""

    KNOWN = "known"
    """It exists, and is of the home that the key opens."""
    MISSING = "missing"
    OTHER_HOME = "other home"
    UNCHECKED = "unchecked"
    """The journal could not be read, or the act comes from a file. The alarm counts."""


_OF_CHECK: Final = {AlarmCheck.MISSING: Misdeed.NO_ALARM, AlarmCheck.OTHER_HOME: Misdeed.OTHER_HOME}
MAY_RETURN: Final = "may_return"
"""Detail of a ceding: the codes of those who may get the key back, separated by semicolons."""

_BOTH: Final = frozenset({KeyState.IN_PLACE, KeyState.OUT})
POSSIBLE: Final[Mapping[KeyAct, frozenset[KeyState]]] = {
    KeyAct.STORED: frozenset({KeyState.IN_PLACE}),
    KeyAct.TAKEN: frozenset({KeyState.IN_PLACE}),
    KeyAct.BROUGHT_BACK: frozenset({KeyState.OUT}),
    KeyAct.USED: frozenset({KeyState.OUT}),
    KeyAct.LOST: _BOTH,
    KeyAct.FOUND: frozenset({KeyState.LOST}),
    KeyAct.RETURNED: _BOTH,
    KeyAct.DESTROYED: _BOTH,
}
"""The states in which each act is possible."""
_AFTER: Final[Mapping[KeyAct, KeyState]] = {
    KeyAct.STORED: KeyState.IN_PLACE,
    KeyAct.TAKEN: KeyState.OUT,
    KeyAct.BROUGHT_BACK: KeyState.IN_PLACE,
    KeyAct.USED: KeyState.OUT,
    KeyAct.LOST: KeyState.LOST,
    KeyAct.FOUND: KeyState.IN_PLACE,
    KeyAct.RETURNED: KeyState.RETURNED,
    KeyAct.DESTROYED: KeyState.DESTROYED,
}
_NEXT: Final[Mapping[KeyState, str]] = {
    KeyState.IN_PLACE: "vetlla custody take",
    KeyState.OUT: "vetlla custody bring-back",
    KeyState.LOST: "vetlla custody found",
}
"""What may have happened to a key before, and was not recorded."""


class CustodyKey(NamedTuple):
    """A key, or a set of copies under one code, with what its events make of it."""

    duty: Duty
    state: KeyState
    place: str
    """Its place, or the one that it was taken from."""
    holder: str
    """Code of the person who has it; empty if it is in its place, lost or gone."""
    since_us: int
    """When it came into this state."""
    ceded: Mapping[str, str]
    """Details of its ceding: ``authorisation``, ``may_return`` and ``copies``."""
    misdeeds: tuple[tuple[DutyEvent, Misdeed], ...]
    impossible: tuple[Impossible, ...]
    by_others: tuple[tuple[DutyEvent, str], ...] = ()
    """Uses by a person who did not have the key, each with the holder: who has it may be recorded wrongly."""

    @property
    def code(self) -> str:
        """The code that is written on it."""
        return self.duty.ref

    @property
    def home(self) -> str:
        """The home that it opens."""
        return self.duty.subject

    @property
    def may_return(self) -> tuple[str, ...]:
        """Codes of the people who may get it back."""
        return codes_of(self.ceded.get(MAY_RETURN, ""))

    @property
    def in_custody(self) -> bool:
        """Return True until it is returned or destroyed; a lost key still counts."""
        return self.state not in {KeyState.RETURNED, KeyState.DESTROYED}

    def whereabouts(self) -> str:
        """Return in words where it is."""
        match self.state:
            case KeyState.IN_PLACE:
                return f"is in its place ({self.place})" if self.place else "is in its place"
            case KeyState.OUT:
                return f"is out, and {self.holder} has it"
            case KeyState.LOST:
                return "is lost"
        return f"was {self.state.value}"


def codes_of(text: str) -> tuple[str, ...]:
    """Return the codes of a text that separates them by semicolons."""
    return tuple(code for part in text.split(";") if (code := part.strip()))


def place_key(place: str) -> str:
    """Return what the spellings of one place have in common. A space may matter, as in cabinet A1 and cabinet A 1."""
    return " ".join(place.split()).casefold()


def alarm_check(details: Mapping[str, str]) -> AlarmCheck:
    """Return what the journal said about the alarm that the details of an act name."""
    return AlarmCheck(details.get("alarm_check", AlarmCheck.UNCHECKED))


def details_of(event: DutyEvent) -> Mapping[str, str]:
    """Return what an event says beside its time and person."""
    return event.told.detail


def chain(duty: Duty) -> CustodyKey:
    """Return the key of a duty of the kind ``key``."""
    opening = duty.events[0]
    ceded = details_of(opening)
    state, place, holder, since = KeyState.IN_PLACE, ceded.get("place", ""), "", opening.told.at_us
    misdeeds: list[tuple[DutyEvent, Misdeed]] = []
    impossible: list[Impossible] = []
    by_others: list[tuple[DutyEvent, str]] = []
    for event in duty.events[1:]:
        told = event.told
        if told.event not in _AFTER:
            continue  # a note
        act = KeyAct(told.event)
        key = CustodyKey(duty, state, place, holder, since, ceded, (), ())
        if told.at_us < opening.told.at_us:  # its reference makes it one of this key all the same
            impossible.append(Impossible(event, f"{key.code} was not ceded before that: give its ceding first"))
            continue
        if state not in POSSIBLE[act]:
            impossible.append(Impossible(event, f"{act.value} is not possible, because {key.code} {key.whereabouts()}"))
            continue
        details = details_of(event)
        misdeeds += ((event, misdeed) for misdeed in _misdeeds(act, details, ceded))
        if act is KeyAct.USED and told.by and code_key(told.by) != code_key(holder):
            by_others.append((event, holder))
        if act is not KeyAct.USED:
            state, since = _AFTER[act], told.at_us
            holder = told.by if act is KeyAct.TAKEN else ""
        place = details.get("place", place)
    return CustodyKey(duty, state, place, holder, since, ceded, tuple(misdeeds), tuple(impossible), tuple(by_others))


def _misdeeds(act: KeyAct, details: Mapping[str, str], ceded: Mapping[str, str]) -> list[Misdeed]:
    if act is KeyAct.LOST:
        return [Misdeed.LOST]
    if act is KeyAct.USED and not details.get("alarm", "").isdecimal():
        return [Misdeed.NO_EMERGENCY]
    if act is KeyAct.USED:
        misdeed = _OF_CHECK.get(alarm_check(details))
        return [misdeed] if misdeed else []
    if act is KeyAct.RETURNED and code_key(details.get("to", "")) not in {
        code_key(code) for code in codes_of(ceded.get(MAY_RETURN, ""))
    }:
        return [Misdeed.WRONG_PERSON]
    return []


def by_another(event: DutyEvent, holder: str) -> str:
    """Return what is doubtful about a use by a person who did not have the key."""
    return f"used by {event.told.by}, when {holder} had it: a hand-over is missing, or one of the two is wrong"


def remedy(key: CustodyKey) -> str:
    """Return how to look at a key, and which act was perhaps not recorded."""
    first = _NEXT.get(key.state)
    return f"vetlla custody show {key.code}" + (f"; if that is wrong, first {first} {key.code}" if first else "")
