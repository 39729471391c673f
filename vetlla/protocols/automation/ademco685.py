"""Writes Ademco 685 frames; ``ademco685.py`` of the protocols has their picture and reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, assert_never

from vetlla.domain.errors import UsageError
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
from vetlla.protocols.codes.tables import CONTACT_ID

if TYPE_CHECKING:
    from vetlla.protocols.automation.fields import LineForm
    from vetlla.protocols.automation.reports import LineReport, Unwritable

_USER: Final = "user"
_STATUS: Final = re.compile(r"[0-9A-Z]{1,8}")


class Ademco685Writer:
    """Writes frames with one width of account. The start is always LF, the end CR."""

    def __init__(self, form: LineForm) -> None:
        """Take the settings. Raises UsageError if a 685 cannot have one of them."""
        self._head_width = fields.chosen("line_width", form.line_width, 1, 1, 2)
        self._account_width = fields.chosen("account_width", form.account_width, 4, 4, 6)
        fields.end_mark(form.end, "cr")
        if form.header:
            raise UsageError("Ademco 685 has no B32 header", remedy="leave it out")

    def write(self, report: LineReport) -> bytes | Unwritable:
        """Return the whole frame of a report, or what it cannot carry."""
        try:
            return f"\n{self._body(report)}\r".encode("ascii")
        except FieldError as error:
            return error.unwritable

    def _body(self, report: LineReport) -> str:
        match report:
            case EventReport(event=event):
                return self._event(report, event)
            case CallerId():
                raise FieldError("number", "Ademco 685 carries no caller ID")
            case TwoWayAudio():
                raise FieldError("event", "Ademco 685 carries no report of a line in speech")
            case OwnStatus(code=code, number=number):
                if not _STATUS.fullmatch(code + number):
                    raise FieldError("code", "the receiver's status is not up to eight letters and digits")
                return f"{self._head(report)} LINE {code}{number}"
            case Heartbeat():
                return f"{'00' * self._head_width} OKAY @"
            case _:
                assert_never(report)

    def _event(self, report: EventReport, event: ContactId | SiaData) -> str:
        if isinstance(event, SiaData):
            raise FieldError("event", "Ademco 685 carries no SIA; translate the event to Contact ID")
        code, area, device = fields.event_fields(event)
        letter = "U" if CONTACT_ID.find(event.code).address == _USER else "C"
        account = account_of(report.account, self._account_width)
        return f"{self._head(report)} {account} 18 {code} {area} {letter}{device}"

    def _head(self, report: EventReport | OwnStatus) -> str:
        width = self._head_width
        return hexadecimal("receiver", report.receiver, width) + hexadecimal("line", report.line, width)
