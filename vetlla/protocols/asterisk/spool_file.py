"""Reads the text of one spool file: its metadata, its lines of digits, and whether all of it is there.

``app_alarmreceiver.c`` writes a file in one of two forms. Asterisk opens it empty, under its final name, and fills it.
A full disk leaves it empty or cut off, because Asterisk does not check whether the last write succeeded.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from vetlla.domain.printable import printable
from vetlla.protocols.framing.charset import readable

UNKNOWN: Final = "<unknown>"
"""What Asterisk writes if it has no number or no name of the caller."""
CALL_PREFIX: Final = "call-"
"""Beginning of the name of a file that the dialplan writes at the end of each call; the UNIQUEID follows."""
TEXT_MAX: Final = 64
"""Characters of a caller's number or name that are kept. Asterisk cuts both off at 80 bytes."""

_METADATA: Final = "[metadata]"
_EVENTS: Final = "[events]"
_LAST_KEY: Final = "TIMESTAMP"
_KEYS: Final = frozenset({"PROTOCOL", "CHECKSUM", "CALLINGFROM", "CALLERNAME", _LAST_KEY})
_EVENT_KEY: Final = "event"
_DIGITS: Final = re.compile(r"[0-9*#A-D_ ]{7,}")
_UNIQUE_ID: Final = re.compile(r"(?:[\w.:-]{1,100}-)?([0-9]{9,11})\.([0-9]{1,10})", re.ASCII)
"""Asterisk's name for a channel: the system's name if one is set, the second of the set-up, and a number."""
_STANDARD: Final = re.compile(
    r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([0-9]{1,2}), ([0-9]{4}) @ ([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:UTC|GMT)"
)
"""The standard format of the time. Another abbreviation than UTC can mean several zones, so it is not read."""
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NAMING_ZONE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}(?:Z|[+-][0-9]{2}:?[0-9]{2})")


class SpoolFile(NamedTuple):
    """What a file says."""

    format: str
    """PROTOCOL, such as ADEMCO_CONTACT_ID; "" if it is missing."""
    has_checksums: bool
    caller: str
    """The caller's number; "" if Asterisk knows none."""
    caller_name: str
    unique_id: str
    """Asterisk's name for the call's channel, if the dialplan has put it into the caller's name; else ""."""
    at: datetime | None
    """TIMESTAMP, if it names its zone."""
    lines: tuple[str, ...]
    """The lines of digits, as Asterisk wrote them."""
    is_named: bool
    """True if it is a file of AlarmReceiver: at least one of its keys is there."""
    is_complete: bool
    """True if the metadata is whole and the last line has its end."""


def read_file(payload: bytes) -> SpoolFile:
    """Return what a file says. Never raises; a file of another program has ``is_named`` False."""
    text = readable(payload)
    values: dict[str, str] = {}
    events: list[str] = []
    is_begun = False
    for raw in text.split("\n"):
        line = raw.strip()
        key, equals, value = line.partition("=")
        if not line:
            is_begun = is_begun or _LAST_KEY in values
        elif line == _EVENTS:
            is_begun = True
        elif equals and key == _EVENT_KEY:
            is_begun = True
            events.append(value)
        elif is_begun:
            events.append(line)
        elif equals and key in _KEYS:
            values.setdefault(key, value)
        elif _DIGITS.fullmatch(line):
            events.append(line)  # of a form that no known version writes
    name = _known(values.get("CALLERNAME", ""))
    unique_id = name if setup_s(name) is not None else ""
    return SpoolFile(
        format=_known(values.get("PROTOCOL", "")),
        has_checksums=values.get("CHECKSUM", "yes") != "no",
        caller=_known(values.get("CALLINGFROM", "")),
        caller_name="" if unique_id else name,
        unique_id=unique_id,
        at=_moment(values.get(_LAST_KEY, "")),
        lines=tuple(events),
        is_named=bool(values),
        is_complete=_is_complete(text, values, is_begun=is_begun),
    )


def call_of(name: str) -> str | None:
    """Return the UNIQUEID in the name of a file that the dialplan wrote; None for any other file."""
    return printable(name.removeprefix(CALL_PREFIX))[:TEXT_MAX] if name.startswith(CALL_PREFIX) else None


def setup_s(unique_id: str) -> int | None:
    """Return the second of UTC in which a call was set up, from its UNIQUEID; None for any other text."""
    found = _UNIQUE_ID.fullmatch(unique_id)
    return int(found[1]) if found else None


def _is_complete(text: str, values: dict[str, str], *, is_begun: bool) -> bool:
    if not text.endswith("\n"):
        return False
    # Without sections, the blank line after the last key is the beginning of the events.
    return is_begun and (_EVENTS in text or not text.lstrip().startswith(_METADATA)) and _LAST_KEY in values


def _known(value: str) -> str:
    value = value.strip()
    return "" if value == UNKNOWN else printable(value)[:TEXT_MAX]


def _moment(text: str) -> datetime | None:
    """Return a time whose zone is certain as aware UTC; None for any other text."""
    try:
        if _NAMING_ZONE.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
        if found := _STANDARD.fullmatch(text):
            month = _MONTHS.index(found[1]) + 1
            day, year, hour, minute, second = (int(found[place]) for place in range(2, 7))
            return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except (ValueError, OverflowError):
        pass
    return None
