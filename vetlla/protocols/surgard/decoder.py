"""Sur-Gard automation output: MLR2, MLR2000, SLR, System I to 5, and the many receivers and gateways that emulate them.

    5RRL 18AAAAQXYZGGCCC        Contact ID: receiver, line, account, qualifier E R P, code, partition, zone or user
    SRRL[#AAAA|Nri1/BA01]       SIA, one block or several; 3RRL    AAAAAAXXYYYY is its older form
    1RRL      AAAA XGYYY        pulse, 4/2: event character, area, zone or user
    8RRLAAAA CCCC CCCC C        Ademco High Speed: eight channels and a status
    4RRLLLAAAAAANNNNNNNNNN      caller ID of the call; its event is a frame of its own
    0RRL[#0000|Nxxyyyy]         the receiver's own status
    1RRL           @            heartbeat
    1RRL      0000 P  0L        two-way audio: this line is now in speech

    L       one character, three on newer receivers, up to seven by a setting; ``line_width`` says how many
    end     DC4 (14 hex), CR, LF, or nothing; there is no start byte and no checksum
    00 00 hh ll   optional B32 header on TCP: the whole length in BCD
    06 15   our answers, under the same header

frame.py reads frames. The sources are manuals of MLR2-E, MLR2-DG, MLR2000, System III and System 5, and frames that
others captured. docs/protocols/surgard.md says what it was tested with.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import NOTHING, AccountId
from vetlla.protocols.decoder import PortOption
from vetlla.protocols.framing.foreign import HEAD, ForeignProtocolGuard
from vetlla.protocols.framing.line_receiver import (
    ACCOUNT,
    SYSTEM,
    LineReceiverDecoder,
    signals_of,
)
from vetlla.protocols.framing.records import Record, Records
from vetlla.protocols.surgard.frame import MAX_FRAME, NAME, WIDTHS, is_damaged, read_line, read_record, shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vetlla.domain.signals import Signal
    from vetlla.protocols.decoder import Decoder, KeyLookup
    from vetlla.protocols.framing.records import Unshaped
    from vetlla.protocols.surgard.frame import SurgardFrame

TITLE: Final = "Sur-Gard"
MAX_PENDING: Final = 2 * MAX_FRAME + HEAD
"""An unfinished frame, the bytes that are no frame before it, and the first bytes of the connection."""

_LINE_WIDTH: Final = "line_width"
OPTIONS: Final = (
    PortOption(
        _LINE_WIDTH,
        tuple(map(str, range(8))),
        "characters of the line field; the others before the account are its first digits",
    ),
)

_OPENING: Final = re.compile(
    rb"(?:\0\0[\x00-\x10][\x00-\x99])?(?:[5Q][0-9A-F]{2}[0-9A-Z]{1,7} ?[159]8[0-9A-F ]"
    rb"|[13][0-9A-F]{2}[0-9A-Z]{1,7} {3}|[S0][0-9A-F]{2}[0-9A-Z]{1,7}\[|8[0-9A-F]{7,13} [0-9]{4} )"
)
_BCD: Final = rb"[\x00-\x09\x10-\x19\x20-\x29\x30-\x39\x40-\x49\x50-\x59\x60-\x69\x70-\x79\x80-\x89\x90-\x99]"
_B32: Final = re.compile(rb"\0\0(?:\0(?![\x00-\x08])|[\x01-\x10])%b" % _BCD)
_B32_SIZE: Final = 4
_B32_ANSWER: Final = b"\0\0\0\x05"
_SHORTEST: Final = 12
"""Fewest bytes of a message that may have been repeated: a caller ID has more."""
_LINES_MAX: Final = 1024
"""Most lines and callers that are remembered. A receiver has 24 to 96 lines."""


class SurgardDecoder(LineReceiverDecoder):
    """Decodes one connection to a receiver, or one serial line.

    ``line_width``: characters of the line field. Those after them are the first digits of the account, which some
    receivers put there (VisorALARM). None takes the whole field as the line.
    """

    def __init__(self, _: KeyLookup, *, line_width: int | None = None) -> None:
        self._line_width = line_width
        widths = WIDTHS if line_width is None else sorted({*WIDTHS, line_width})
        cutter = Records(shapes(widths), max_frame=MAX_FRAME, header=_B32)
        super().__init__(NAME, cutter, ForeignProtocolGuard(NAME, TITLE, _OPENING))
        self._callers: dict[AccountId, str] = {}
        """Telephone numbers of the calls that go on now."""
        self._on_line: dict[tuple[str, str], str] = {}
        """Account that reported last on each line."""

    def _read(self, part: Record | Unshaped) -> Sequence[Signal]:
        if isinstance(part, Record):
            if is_damaged(part.name, part.fields):
                return ()
            return self._signals(part.raw, read_record(part.name, part.fields))
        raw = _once(part.raw)
        frame = read_line(_without_header(raw), self._line_width)
        return () if frame is None else self._signals(raw, frame)

    def _framed(self, answer: bytes, raw: bytes) -> bytes:
        return _B32_ANSWER + answer if raw.startswith(b"\0") else answer

    def _signals(self, raw: bytes, frame: SurgardFrame) -> list[Signal]:
        receiver, line = frame.receiver, frame.line
        if frame.is_heartbeat:
            self._callers.clear()  # the receiver has been idle, so that the calls have ended
            return self._heartbeat(receiver, line, raw)
        reports = frame.reports
        if self._line_width is not None and len(line) > self._line_width:
            line, digits = line[: self._line_width], line[self._line_width :]
            reports = [
                report._replace(account=digits + report.account) if report.account else report for report in reports
            ]
        details = self._joined(frame, AccountId(receiver, line, reports[0].account), reports[0].details)
        return signals_of(NAME, (receiver, line), raw, reports, details=details)

    def _joined(self, frame: SurgardFrame, who: AccountId, details: Mapping[str, str]) -> Mapping[str, str]:
        """Return what earlier frames of the same call add to this one: its caller, or the home that is in speech."""
        receiver, line, account = who
        if not account:
            home = self._on_line.get((receiver, line)) if SYSTEM in details and ACCOUNT not in details else None
            return {ACCOUNT: home} if home and details[SYSTEM] != "receiver" else NOTHING
        self._on_line[receiver, line] = account
        number = frame.caller
        key = who._replace(account=account.lstrip("0"))
        if number:
            self._callers[key] = number
        elif self._callers:
            number = self._callers.get(key, "")
        if len(self._callers) > _LINES_MAX or len(self._on_line) > _LINES_MAX:
            self._callers.clear()
            self._on_line.clear()
        return {"caller": number} if number else NOTHING


def _once(raw: bytes) -> bytes:
    """Return one copy of a message that a receiver repeated without an end mark; other bytes as they are."""
    period = (raw + raw).find(raw, 1)
    return raw[:period] if period >= _SHORTEST else raw


def _without_header(raw: bytes) -> bytes:
    return raw[_B32_SIZE:] if raw.startswith(b"\0") else raw


def tune(given: Mapping[str, str]) -> Callable[[KeyLookup], Decoder]:
    """Return a maker of decoders for a port with these options."""
    width = int(given[_LINE_WIDTH]) if _LINE_WIDTH in given else None
    return lambda keys: SurgardDecoder(keys, line_width=width)
