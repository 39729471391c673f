"""Writes records of Radionics 6500; ``radionics6500.py`` of the protocols has their picture and reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import UsageError
from vetlla.protocols.automation import fields
from vetlla.protocols.automation.fields import FieldError, account_of, hexadecimal
from vetlla.protocols.automation.reports import ContactId, EventReport, Heartbeat

if TYPE_CHECKING:
    from vetlla.protocols.automation.fields import LineForm
    from vetlla.protocols.automation.reports import LineReport, Unwritable

_LINE: Final = re.compile(r"[0-9A-Z]")
"""1 to 9, A to W for 10 to 32, X and Y."""


class Radionics6500Writer:
    """Writes records of 22 bytes, with one end mark."""

    def __init__(self, form: LineForm) -> None:
        """Take the settings. Raises UsageError if a 6500 cannot have one of them."""
        fields.chosen("line_width", form.line_width, 1, 1, 1)
        fields.chosen("account_width", form.account_width, 4, 4, 4)
        self._end = fields.end_mark(form.end, "dc4", "cr", "lf", "crlf", "none")
        if form.header:
            raise UsageError("Radionics 6500 has no B32 header", remedy="leave it out")

    def write(self, report: LineReport) -> bytes | Unwritable:
        """Return the whole record of a report, or what it cannot carry."""
        try:
            return self._body(report).encode("ascii") + self._end
        except FieldError as error:
            return error.unwritable

    def _body(self, report: LineReport) -> str:
        if isinstance(report, Heartbeat):
            return f"1{hexadecimal('receiver', report.receiver, 2)}0{'@':>12}    "
        if not isinstance(report, EventReport) or not isinstance(report.event, ContactId):
            raise FieldError("event", "Radionics 6500 carries only Contact ID and heartbeats here")
        line = report.line.strip().upper().lstrip("0") or "0"
        if not _LINE.fullmatch(line):
            raise FieldError("line", "the line is not one digit or letter")
        code, area, device = fields.event_fields(report.event)
        receiver, account = hexadecimal("receiver", report.receiver, 2), account_of(report.account, 4)
        return f"a{receiver}{line} {account}18{code}{area}{device}"
