"""Reads SIA DC-05 "Contact ID" as DC-09 carries it (ADM-CID), without message type and check digit.

    [#acct|] Q XYZ GG CCC        #1234|1131 01 015

    Q     qualifier: 1 new event or opening, 3 restore or closing, 6 still present (status)
    XYZ   event code; tables/contact_id.csv holds those of DC-05-2016, with 4xx read as 1 = opening, 3 = closing
    GG    partition, 00 = none
    CCC   zone or user

Digits may be B..F, and a text may follow. A code that no table knows keeps its class. Devices also write:

    acct MT Q XYZ GG CCC S    all 16 digits of DC-05, with or without account and check digit S (Teknim, Climax Mobile);
                              MT is the message type: 18, 98, since 2016 also 58. Teknim's S is wrong, so it is ignored
    E101 R101 P101            letters for 1, 3 and 6, as receivers print them
    1101,1,3                  other separators, or several; between separators GG and CCC have any number of digits
    ... 003|1101 01 004       several events in one frame

The account is never read as the event. Digits that may be either are not read. The decoder then reports unreadable
data, which has priority LIFE.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import NOTHING, Event, Phase
from vetlla.protocols.codes.tables import CONTACT_ID, Report
from vetlla.protocols.framing.charset import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

QUALIFIERS: Final = {"1": Phase.NEW, "3": Phase.RESTORE, "6": Phase.STATUS}
LETTERS: Final = {"E": "1", "R": "3", "P": "6"}
MESSAGE_TYPES: Final = frozenset({b"18", b"58", b"98"})

_PLAIN: Final = re.compile(
    rb"(?:#?([0-9A-Za-z]{0,16})\|)?([136][0-9]{3}) ?([0-9A-F]{2}) ?([0-9A-F]{3})"
    rb"((?:[\s|]{1,8}(?![ERPerp]?[0-9]|[#\s|])[\s\S]*)?)"
)
"""Matches nearly every frame with a known code: one event, perhaps with a text. ``_read_all`` reads the others."""

_GAP: Final = rb"[\s,;:./_-]{1,8}"
"""Separators between two fields. They are bounded, or thousands of blanks would be tried in every combination."""
_ANY: Final = rb"[\s,;:./_-]{0,8}"
_ACCOUNT: Final = re.compile(rb"[\s|]{0,8}#?\s{0,8}([0-9A-Za-z]{0,16})\s{0,8}\|")
_NAME: Final = re.compile(rb"\s{0,8}#?([0-9A-Za-z]{1,16})" + _GAP)
"""An account without a bar."""
GLUED_MIN: Final = 3
"""Digits of the shortest account that DC-09 allows. Fewer digits directly before the event belong to the event."""
_GLUED_NAME: Final = re.compile(rb"([0-9A-Fa-f]{4})(?=(?:18|58|98)[136ERPerp][0-9A-Fa-f]{8,9}(?![0-9A-Za-z]))")
"""The account of DC-05 before everything else, without separators."""
_TYPE: Final = re.compile(_ANY + rb"(?:18|58|98)" + _ANY)
_EVENT: Final = re.compile(
    rb"%b([0-9A-FRPa-frp])(%b)([0-9A-Fa-f]{3})"
    rb"(?:%b([0-9A-Fa-f]{1,4})%b([0-9A-Fa-f]{1,8}(?![0-9A-Za-z])|[0-9]{1,8}(?![0-9]))"
    rb"|%b([0-9A-Fa-f]{2})%b([0-9A-Fa-f]{3,4}(?![0-9A-Za-z])|[0-9]{3}(?![0-9])))" % (_ANY, _ANY, _GAP, _GAP, _ANY, _ANY)
)
"""Fields of any length between separators, or of standard length with or without separators."""
_CHECK: Final = re.compile(_GAP + rb"[0-9A-Fa-f](?![0-9A-Za-z])")
_GLUED_WITH_CHECK: Final = len("XYZGGCCCS")
_GAP_BEHIND: Final = re.compile(_GAP)
_MORE_DIGITS: Final = re.compile(_ANY + rb"[0-9]")


class _Reading(NamedTuple):
    """The fields of an event, and where they end."""

    qualifier: str
    code: str
    area: bytes
    device: bytes
    end: int
    account: str = ""
    """An account without a bar before the event, if it is not the caller's."""
    is_typed: bool = False

    @property
    def is_known(self) -> bool:
        """Return True if the standard has the qualifier, and the standard or a maker has the code."""
        return self.qualifier in QUALIFIERS and self.code in CONTACT_ID.known

    def says(self, other: _Reading) -> bool:
        """Return True if both are the same event, whatever its zone."""
        return (self.qualifier, self.code) == (other.qualifier, other.code)

    def report(self, account: str) -> Report:
        details = NOTHING if self.qualifier in QUALIFIERS else {"qualifier": self.qualifier}
        event = _event(self.qualifier, self.code)
        return Report(event, self.account or account, self.device.decode(), self.area.decode(), "", details)


def _event(qualifier: str, code: str) -> Event:
    return Event(CONTACT_ID.find(code).kind, QUALIFIERS.get(qualifier, Phase.NEW), code, CONTACT_ID.system)


_EVENTS: Final = {(q + code).encode(): _event(q, code) for code in CONTACT_ID.known for q in QUALIFIERS}
"""Event by qualifier and code, as the frame has them; each event is made once."""


def event_of(qualifier: bytes, code: bytes) -> Event:
    """Return the event of a qualifier, E, R, P, 1, 3 or 6, and three digits, as a line receiver prints them."""
    number = LETTERS.get(letter := qualifier.decode(), letter)
    return _EVENTS.get(number.encode() + code) or _event(number, code.decode())


def parse(data: bytes, caller: str = "") -> list[Report]:
    """Return the events that a payload states, in their order; an empty list if no event can be read.

    ``caller`` is the account of the envelope, by which an account without a bar is recognised. A qualifier that DC-05
    does not define is read as a new event and kept in ``details["qualifier"]``.
    """
    plain = _PLAIN.fullmatch(data)
    if plain is not None:
        account, code, area, device, rest = plain.groups()
        event = _EVENTS.get(code)
        if event is not None:
            text = readable(rest).strip() if rest else ""
            return [Report(event, account.decode() if account else "", device.decode(), area.decode(), text)]
    return _read_all(data, caller)


def _read_all(data: bytes, caller: str) -> list[Report]:
    """Return one event after the other; the bytes after the last one are its text."""
    reports: list[Report] = []
    account = ""
    while data:
        named = _ACCOUNT.match(data)
        body = data[named.end() :] if named else data
        if named and named[1]:
            account = named[1].decode()
        names = [name.encode() for name in (caller.upper(), account.upper()) if name]
        reading = _next_event(body, names) if reports else _first_event(body, names)
        if reading is None:
            break
        reports.append(reading.report(account))
        data = body[reading.end :]
    if reports and data:
        reports[-1] = reports[-1]._replace(text=readable(data).strip())
    return reports


def _next_event(body: bytes, names: list[bytes]) -> _Reading | None:
    """Return an event that follows another one. Its code must be known, because a text may stand there."""
    places = [*(at for at, _ in _own_names(body, names)), 0]
    return next((r for at in places for r in (_typed(body, at), _untyped(body, at)) if r and r.is_known), None)


def _first_event(body: bytes, names: list[bytes]) -> _Reading | None:
    """Return the most certain reading: after the caller's account, of the whole, of a known code, or of bare digits."""
    introduced = list(_introduced(body))
    for at, is_apart in _own_names(body, names):
        for reading in (_typed(body, at), _untyped(body, at)):
            if reading and (reading.is_known or (is_apart and _is_whole(reading, body))):
                is_certain = is_apart or all(reading.says(other) for other in introduced if other.is_known)
                return reading if is_certain else None
    for reading in introduced:
        if _is_whole(reading, body):
            return reading
    for reading in introduced:
        if reading.is_typed and reading.is_known:
            return reading
    bare = _untyped(body, 0)
    return bare if bare and _may_stand_alone(bare, body, names) else None


def _introduced(body: bytes) -> Iterator[_Reading]:
    """Yield the readings after a message type, then those after an account that is not the caller's."""
    names = [(found.end(), found[1].decode()) for found in (_GLUED_NAME.match(body), _NAME.match(body)) if found]
    for at, account in ((0, ""), *names):
        if reading := _typed(body, at, account):
            yield reading
    for at, account in names:
        if reading := _untyped(body, at, account):
            yield reading


def _own_names(body: bytes, names: list[bytes]) -> Iterator[tuple[int, bool]]:
    """Yield where the caller's account ends, before or after the message type, and True if a separator follows it."""
    found = _TYPE.match(body)
    for start in (0, found.end()) if found else (0,):
        front = len(body) - len(body[start:].lstrip(b" #"))
        for name in names:
            end = front + len(name)
            if body[front:end].upper() == name:
                is_apart = _GAP_BEHIND.match(body, end) is not None
                if is_apart or len(name) >= GLUED_MIN:
                    yield end, is_apart


def _typed(body: bytes, at: int, account: str = "") -> _Reading | None:
    """Return the reading of message type, event and check digit."""
    found = _TYPE.match(body, at)
    event = _EVENT.match(body, found.end()) if found else None
    reading = _reading(event, account) if event else None
    if event is None or reading is None:
        return None
    if event.end() - event.start(3) == _GLUED_WITH_CHECK:
        return reading._replace(device=reading.device[:-1], is_typed=True)
    check = _CHECK.match(body, reading.end)
    return reading._replace(end=check.end() if check else reading.end, is_typed=True)


def _untyped(body: bytes, at: int, account: str = "") -> _Reading | None:
    event = _EVENT.match(body, at)
    return _reading(event, account) if event else None


def _reading(event: re.Match[bytes], account: str) -> _Reading | None:
    letter, gap, code, area, device, padded_area, padded_device = event.groups()
    if gap and not area:  # "1 101" goes with "01 003"; with "01003" the 1 is the end of an account
        return None
    qualifier = LETTERS.get(letter.decode().upper(), letter.decode().upper())
    end = event.end()
    return _Reading(qualifier, code.decode().upper(), area or padded_area, device or padded_device, end, account)


def _is_whole(reading: _Reading, body: bytes) -> bool:
    """Return True if the qualifier is 1, 3 or 6 and no digits follow the event."""
    return reading.qualifier in QUALIFIERS and not _MORE_DIGITS.match(body, reading.end)


def _may_stand_alone(reading: _Reading, body: bytes, names: list[bytes]) -> bool:
    """Return True if digits with nothing before them are an event; False if the first four may be an account."""
    if reading.is_known:
        return True
    if _MORE_DIGITS.match(body, reading.end):
        return False
    if reading.qualifier not in QUALIFIERS:
        return reading.code in CONTACT_ID.known
    return (reading.qualifier + reading.code).encode() not in names and reading.area not in MESSAGE_TYPES
