"""Fields of frames of line receivers: each is written whole or not at all, never cut."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from vetlla.domain.errors import UsageError
from vetlla.domain.signals import Phase
from vetlla.protocols.automation.reports import Unwritable

if TYPE_CHECKING:
    from vetlla.protocols.automation.reports import ContactId, LineReport

END_MARKS: Final = {"dc4": b"\x14", "cr": b"\r", "lf": b"\n", "crlf": b"\r\n", "none": b""}
QUALIFIERS: Final = {Phase.NEW: "E", Phase.RESTORE: "R", Phase.STATUS: "P"}
_HEX: Final = re.compile(r"[0-9A-F]+")
_AREA_OF_DIGITS: Final = re.compile(r"[0-9]{2}")


class Writer(Protocol):
    """Writes frames of one dialect."""

    def write(self, report: LineReport) -> bytes | Unwritable:
        """Return the whole frame of a report, or what it cannot carry."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LineForm:
    """How a receiver is programmed to write. A value of None is the usual one of its dialect."""

    line_width: int | None = None
    """Characters of the line field."""
    account_width: int | None = None
    """Characters of the account. A shorter account is filled up with zeros, a longer one cannot be written."""
    end: str | None = None
    """Name of the end mark in ``END_MARKS``."""
    header: bool = False
    """Whether each frame has a B32 header with its length."""


class FieldError(Exception):
    """A value has no place in its field; the writers turn it into an ``Unwritable``."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.unwritable = Unwritable(field, why)


def hexadecimal(field: str, text: str, width: int) -> str:
    """Return a number as hexadecimal digits of this width. Raises FieldError."""
    digits = text.strip().upper() or "0"
    if not _HEX.fullmatch(digits):
        raise FieldError(field, f"the {field} has other characters than 0 to 9 and A to F")
    digits = digits.lstrip("0").rjust(width, "0")
    if len(digits) > width:
        raise FieldError(field, f"the {field} has {len(digits)} digits, and its field has {width}")
    return digits


def account_of(text: str, width: int) -> str:
    """Return an account of this width. Raises FieldError; an account of an event is never empty."""
    if not text.strip():
        raise FieldError("account", "the event has no account")
    return hexadecimal("account", text, width)


def event_fields(event: ContactId) -> tuple[str, str, str]:
    """Return qualifier with code, partition, and zone. Raises FieldError if one has another length."""
    if not (len(event.code) == 3 and event.code.isdecimal() and event.code.isascii()):
        raise FieldError("code", "the code of Contact ID has not three digits")
    area, device = hexadecimal("area", event.area, 2), hexadecimal("device", event.device, 3)
    return QUALIFIERS[event.phase] + event.code, area, device


def of_digits(area: str) -> str:
    """Return a partition for a frame without end mark, whose fields must be known by their characters."""
    return area if _AREA_OF_DIGITS.fullmatch(area) else "00"


def chosen(name: str, value: int | None, usual: int, least: int, most: int) -> int:
    """Return a setting, or its usual value. Raises UsageError if the dialect cannot have it."""
    if value is None:
        return usual
    if not least <= value <= most:
        span = f"from {least} to {most}" if least < most else f"{least}"
        raise UsageError(f"{name} cannot be {value}", remedy=f"give {span}")
    return value


def end_mark(name: str | None, usual: str, *others: str) -> bytes:
    """Return the bytes of an end mark. Raises UsageError if the dialect does not have it."""
    known = (usual, *others)
    if name is not None and name not in known:
        raise UsageError(f"the end mark cannot be {name!r}", remedy=f"use one of: {', '.join(known)}")
    return END_MARKS[name or usual]
