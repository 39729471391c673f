"""Reads lines of DTMF digits as AlarmReceiver() passes them on: Contact ID, Express, High Speed and Super Fast.

    AAAA 18 Q XYZ GG CCC S      Contact ID, 16 digits; also 98, and since 2016 58
    AAAA 17 E S                 Express 4+1, 8 digits, or 7 without S
    AAAA 27 E Z S               Express 4+2, 9 digits, or 8 without S
    AAAA 55 NNNNNNNN N S        High Speed, 16 digits
    AAAA 56 NNNNNNNN N          Super Fast, 15 digits

A telephone's keys stand for the hexadecimal digits: ``*`` B, ``#`` C, ``A`` D, ``B`` E, ``C`` F; D is not used. The sum
of all digits with S, where 0 counts as ten, is divisible by 15. Some programs write ``_`` in the place of S.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import Event, Kind, Phase
from vetlla.protocols.codes.tables import Report, code_of
from vetlla.protocols.payloads import contact_id, line_formats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME: Final = "asterisk"

_AS_HEX: Final = str.maketrans("*#ABC", "BCDEF")
_WEIGHTS: Final = {digit: weight for weight, digit in enumerate("1234567890*#ABC", 1)}
_DIVISOR: Final = 15
_DIGITS: Final = re.compile(r"[0-9*#ABC]*")
_NO_CHECK: Final = "_"
_TYPE_AT: Final = slice(4, 6)
_ACCOUNT: Final = re.compile(r"[0-9*#ABC]{4}")
_QUALIFIERS: Final = frozenset("136")


class Digits(NamedTuple):
    """The digits of one event."""

    sent: str
    """As the telephone sent them."""
    reports: tuple[Report, ...]
    is_read: bool = True
    """False if no format fits, so that the reports only say that something came."""


class _Format(NamedTuple):
    length: int
    """Number of digits without the check digit."""
    has_check: bool
    read: Callable[[str], list[Report]]
    """Takes the digits after the type, as hexadecimal digits."""


def split(line: str, *, has_checksums: bool = True) -> Iterator[Digits]:
    """Yield the events of a line: usually one, and several if they follow each other without a separator.

    ``has_checksums`` is False if the file says that its events have no check digit. No digit is dropped: digits in no
    known format are yielded as one report that could not be read.
    """
    rest = "".join(line.split())
    while rest:
        form = _FORMATS.get(rest[_TYPE_AT])
        size = _size(form, rest, has_checksums=has_checksums) if form is not None else 0
        if form is None or not size:
            yield _unread(rest)
            return
        digits, rest = rest[:size], rest[size:]
        yield _read(form, digits)


def _size(form: _Format, digits: str, *, has_checksums: bool) -> int:
    """Return how many of the first digits are one event; 0 if they are none."""
    least, most = form.length, form.length + form.has_check
    if len(digits) < least or not _DIGITS.fullmatch(digits[:least]):
        return 0
    check = digits[least:most]
    if not check or (not has_checksums and len(digits) % most) or check not in {*_WEIGHTS, _NO_CHECK}:
        return least
    return most


def _read(form: _Format, digits: str) -> Digits:
    body, check = digits[: form.length], digits[form.length :]
    account, fields = body[:4].translate(_AS_HEX), body[6:].translate(_AS_HEX)
    details = {} if body.isdecimal() else {"digits": digits}
    if form.has_check:
        if check in {"", _NO_CHECK}:
            details["checksum"] = "missing"
        elif sum(_WEIGHTS[one] for one in digits) % _DIVISOR:
            details["checksum"] = "wrong"
    reports = [report._replace(account=account, details={**report.details, **details}) for report in form.read(fields)]
    return Digits(digits, tuple(reports))


def _unread(digits: str) -> Digits:
    """Return digits in no known format as a report that may be a call. Each format begins with an account of four."""
    account = digits[:4].translate(_AS_HEX) if _ACCOUNT.match(digits) and len(digits) > len("AAAATT") else ""
    event = Event(Kind.UNREADABLE, Phase.NEW, code_of(digits[_TYPE_AT] if account else ""), NAME)
    text = f"{len(digits)} characters in no known format"
    return Digits(digits, (Report(event, account, text=text, details={"digits": digits[:_SHOWN]}),), is_read=False)


_SHOWN: Final = 64
"""Digits in no known format that are shown; the bytes of the file keep all."""


def _contact_id(fields: str) -> list[Report]:
    qualifier, code, area, device = fields[0], fields[1:4], fields[4:6], fields[6:9]
    details = {} if qualifier in _QUALIFIERS else {"qualifier": qualifier}
    return [Report(contact_id.event_of(qualifier.encode(), code.encode()), "", device, area, "", details)]


def _express(fields: str) -> list[Report]:
    return [line_formats.numbered(fields[0].encode(), fields[1:].encode())]


def _high_speed(fields: str) -> list[Report]:
    return line_formats.high_speed(fields[:8].encode(), fields[8:].encode())


_FORMATS: Final = {
    **dict.fromkeys(("18", "58", "98"), _Format(15, has_check=True, read=_contact_id)),
    "17": _Format(7, has_check=True, read=_express),
    "27": _Format(8, has_check=True, read=_express),
    "55": _Format(15, has_check=True, read=_high_speed),
    "56": _Format(15, has_check=False, read=_high_speed),
}
"""By the message type, the two digits after the account. Asterisk detects the format by them, too."""
