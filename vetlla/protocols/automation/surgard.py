"""Writes Sur-Gard frames; ``surgard/decoder.py`` has their picture and reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, assert_never

from vetlla.protocols.automation import fields
from vetlla.protocols.automation.fields import FieldError, account_of, hexadecimal
from vetlla.protocols.automation.reports import (
    CallerId,
    ContactId,
    EventReport,
    Heartbeat,
    OwnStatus,
    SiaData,
    TwoWayAudio,
)

if TYPE_CHECKING:
    from vetlla.protocols.automation.fields import LineForm
    from vetlla.protocols.automation.reports import LineReport, Unwritable

SIA_MOST: Final = 66
"""Most characters of a panel's data in one frame (SIA protocol 2)."""
ACCOUNT_LEAST: Final = 4
ACCOUNT_MOST: Final = 8
"""Longest account: the "Surgard8" of TRIKDIS. With ten digits an account may look like the event after it."""
_WIDE: Final = 6
"""Characters of the account in a frame of caller ID or of a pulse format; blanks fill it up."""
_NUMBER: Final = 10
"""Characters of a telephone number."""
_B32_SIZE: Final = 4
_HEAD_OF_LETTER: Final = re.compile(r"[0-9A-Z]")
_PLAIN: Final = re.compile(r"[\x20-\x5a\x5c\x5e-\x7e]+")
"""Printable characters without the brackets around them."""
_STATUS: Final = re.compile(r"([A-Z]{2})([0-9]{0,4})")


class SurgardWriter:
    """Writes frames with one width of line and account, and one end mark."""

    def __init__(self, form: LineForm) -> None:
        """Take the settings. Raises UsageError if a Sur-Gard cannot have one of them."""
        self._line_width = fields.chosen("line_width", form.line_width, 1, 1, 7)
        self._account_width = fields.chosen(
            "account_width", form.account_width, ACCOUNT_LEAST, ACCOUNT_LEAST, ACCOUNT_MOST
        )
        self._end = fields.end_mark(form.end, "dc4", "cr", "lf", "crlf", "none")
        self._has_header = form.header

    def write(self, report: LineReport) -> bytes | Unwritable:
        """Return the whole frame of a report, or what it cannot carry."""
        try:
            return self._framed(self._body(report))
        except FieldError as error:
            return error.unwritable

    def _body(self, report: LineReport) -> str:
        match report:
            case EventReport(event=event):
                return self._event(report, event)
            case CallerId(number=number):
                return f"4{self._head(report)}{self._wide(report.account)}{self._number(number)}"
            case TwoWayAudio(line=line):
                # The last of three characters of the zone is the line, as the digit of a line card.
                return f"1{self._head(report)}{'0000':>10} P  {hexadecimal('line', line, 2)}"
            case OwnStatus(code=code, number=number):
                if not _STATUS.fullmatch(code + number):
                    raise FieldError("code", "the receiver's status is not two letters and up to four digits")
                return f"0{self._head(report)}[#0000|N{code}{number:0>4}]"
            case Heartbeat(receiver=receiver):
                line = "1" if self._line_width == 1 else "0" * self._line_width
                return f"1{hexadecimal('receiver', receiver, 2)}{line}{'@':>12}    "
            case _:
                assert_never(report)

    def _event(self, report: EventReport, event: ContactId | SiaData) -> str:
        account = account_of(report.account, self._account_width)
        if isinstance(event, SiaData):
            return f"S{self._head(report)}[#{account}|{_sia(event.text)}]"
        code, area, device = fields.event_fields(event)
        where = area if self._end else fields.of_digits(area)
        return f"5{self._head(report)} 18{account}{code}{where}{device}"

    def _head(self, report: EventReport | CallerId | TwoWayAudio | OwnStatus) -> str:
        receiver = hexadecimal("receiver", report.receiver, 2)
        if self._line_width == 1 and _HEAD_OF_LETTER.fullmatch(letter := report.line.strip().upper()):
            return receiver + letter
        return receiver + hexadecimal("line", report.line, self._line_width)

    def _wide(self, account: str) -> str:
        if self._account_width > _WIDE:
            raise FieldError("account", "a frame of caller ID has no accounts of more than six characters")
        return account_of(account, self._account_width).rjust(_WIDE)

    def _number(self, number: str) -> str:
        digits = number.strip()
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= _NUMBER):
            raise FieldError("number", "the telephone number has other characters than digits, or more than ten")
        if not self._end:
            raise FieldError("number", "a frame of caller ID needs an end mark")
        return digits.rjust(_NUMBER)

    def _framed(self, body: str) -> bytes:
        frame = body.encode("ascii") + self._end
        return with_header(frame) if self._has_header else frame


def with_header(frame: bytes) -> bytes:
    """Return a frame behind its B32 header: the whole length, in four digits of BCD."""
    return b"\0\0" + bytes.fromhex(f"{len(frame) + _B32_SIZE:04d}") + frame


def _sia(text: str) -> str:
    if not _PLAIN.fullmatch(text):
        raise FieldError("text", "the data of the panel have a bracket, or are not printable ASCII")
    if len(text) > SIA_MOST:
        raise FieldError("text", f"the data of the panel have more than {SIA_MOST} characters")
    return text
