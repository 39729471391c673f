r"""Ademco 685 automation output: the 685 itself, MX8000 in its 685 mode, AES, and the gateways that emulate them.

    LF RG AAAA 18 QXYZ GG TCCC CR       Contact ID: qualifier E R P, code, partition, contact (C) or user (U)
    LF RG AAAA E CR                     3x1, 4x1: event;  LF RG AAAA E Z CR  and  LF RG AAAA EZ CR  are 4x2
    LF RG AAAA NNNN NNNN N CR           Ademco High Speed: eight channels and a status
    LF RG LINE text CR                  the receiver's own status; RCVA and RCVB likewise
    LF 00 OKAY @ CR                     heartbeat

    R G     receiver and line card, one hexadecimal character each; two each on a 7810iR
    CAPS    another end: LF RG AAAA NNNA, where NNN is 16 times the event, plus the zone, and A ends the frame
    06 15   our answers

There is no checksum. A frame ends at CR, or at the LF of the next one. The sources are the manuals of 685 and MX8000,
and lines that an RS-232 logger shows. docs/protocols/ademco685.md says what it was tested with.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import Event, Kind, Phase, Reason
from vetlla.protocols.codes.tables import NO_ALARM, Report
from vetlla.protocols.decoder import PortOption
from vetlla.protocols.framing.charset import readable
from vetlla.protocols.framing.foreign import HEAD, ForeignProtocolGuard
from vetlla.protocols.framing.line_receiver import (
    LineReceiverDecoder,
    of_system,
    signals_of,
)
from vetlla.protocols.framing.records import Record, Records, Shape
from vetlla.protocols.payloads import contact_id, line_formats

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from vetlla.domain.signals import Signal
    from vetlla.protocols.decoder import Decoder, KeyLookup
    from vetlla.protocols.framing.damage import Damage
    from vetlla.protocols.framing.records import Unshaped

NAME: Final = "ademco685"
TITLE: Final = "Ademco 685"
MAX_FRAME: Final = 256
"""The longest known frame has 28 bytes; a system's text may be longer."""
MAX_PENDING: Final = 2 * MAX_FRAME + HEAD

_NO, _YES = "no", "yes"
OPTIONS: Final = (PortOption("caps", (_NO, _YES), "frames end in A, after one number for event and zone"),)

_OPENING: Final = re.compile(rb"[0-9A-F]{2,4} (?:OKAY|RCV[AB]|LINE|[0-9A-F]{3,6} [0-9A-F])")
_HEAD: Final = rb"([0-9A-F]{1,2})([0-9A-F]{1,2}) "
_BEAT: Final = re.compile(rb"%bOKAY @? *" % _HEAD)
_SYSTEM: Final = re.compile(rb"%b(RCV[AB]|LINE)(?![0-9A-Z]) *([\x20-\x7e]*)" % _HEAD)
_CONTACT_ID: Final = re.compile(
    rb"%b([0-9A-F]{3,6}) [159]8 ?([ERP136])([0-9]{3}) ([0-9A-F]{2}) [CU]?([0-9A-F]{2,4}) *" % _HEAD
)
_HIGH_SPEED: Final = re.compile(rb"%b([0-9A-F]{3,6}) ([0-9]{4}) ([0-9]{4}) ([0-9]) *" % _HEAD)
_DIGITS: Final = re.compile(rb"%b([0-9A-F]{3,6}) ([0-9A-F]) ?([0-9A-F]?) *" % _HEAD)
_INTACT: Final = re.compile(rb"[0-9A-Z]{2,4} [\x20-\x7e]{2,}|[0-9A-Z]B[0-9A-Za-z]{8,14}")
"""A line whose bytes are whole. The second form is ITI's, which has no blanks."""
_NAMED: Final = re.compile(rb"%b([0-9A-F]{3,6})(?![0-9A-Z])" % _HEAD)
_HEX: Final = rb"[0-9A-F]"
_CAPS: Final = Shape("caps", ((_HEX, 1, 1), (_HEX, 1, 1), b" ", (_HEX, 4, 4), b" ", (rb"[0-9]", 3, 3), b"A"))
_LARGEST: Final = 255
"""Largest number of CAPS: event and zone have four bits each."""


class _Said(NamedTuple):
    """What a frame says: who sent it, and the reports in it; a heartbeat has none."""

    head: tuple[str, str]
    reports: Sequence[Report]


class Ademco685Decoder(LineReceiverDecoder):
    """Decodes one connection to a receiver, or one serial line."""

    def __init__(self, _: KeyLookup, *, caps: bool = False) -> None:
        """Set ``caps`` for a port whose frames end in A, after one number for event and zone."""
        shapes = [(b"0123456789ABCDEF", _CAPS)] if caps else []
        cutter = Records(shapes, max_frame=MAX_FRAME)
        super().__init__(NAME, cutter, ForeignProtocolGuard(NAME, TITLE, _OPENING))

    def _read(self, part: Record | Unshaped) -> Sequence[Signal]:
        return self._signals(part.raw, _caps(part.fields) if isinstance(part, Record) else _read(part.raw))

    def _rescued(self, damage: Damage) -> Sequence[Signal]:
        said = _contact_id(damage.raw) if damage.reason is Reason.TRUNCATED else None
        is_alarm = said is not None and said.reports[0].event.kind not in NO_ALARM
        return self._signals(damage.raw, said) if is_alarm else ()

    def _signals(self, raw: bytes, said: _Said | None) -> Sequence[Signal]:
        if said is None:
            return ()
        if not said.reports:
            return self._heartbeat(*said.head, raw)
        return signals_of(NAME, said.head, raw, said.reports)


def _read(body: bytes) -> _Said | None:
    """Return what a whole line says; None if its bytes were damaged on the line."""
    if (said := _contact_id(body)) is not None:
        return said
    if (found := _BEAT.fullmatch(body)) is not None:
        return _Said(_head(found), ())
    if (found := _HIGH_SPEED.fullmatch(body)) is not None:
        return _Said(_head(found), _named(found, line_formats.high_speed(found[4] + found[5], found[6])))
    if (found := _DIGITS.fullmatch(body)) is not None:
        return _Said(_head(found), _named(found, [line_formats.numbered(found[4], found[5])]))
    if (found := _SYSTEM.fullmatch(body)) is not None:
        event = Event(Kind.FAULT, Phase.NEW, found[3].decode(), NAME)
        return _Said(_head(found), [of_system(Report(event, text=readable(found[4]).strip()), "receiver")])
    return _unknown(body) if _INTACT.fullmatch(body) else None


def _contact_id(body: bytes) -> _Said | None:
    found = _CONTACT_ID.fullmatch(body)
    if found is None:
        return None
    receiver, group, account, qualifier, code, area, device = found.groups()
    event = contact_id.event_of(qualifier, code)
    report = Report(event, account.decode(), device.decode(), area.decode())
    return _Said((receiver.decode(), group.decode()), [report])


def _caps(fields: Sequence[bytes]) -> _Said:
    receiver, group, account, number = (field.decode() for field in fields)
    value = int(number)
    report = line_formats.numbered(b"%X" % (value >> 4), b"%X" % (value & 15))
    if value > _LARGEST:
        report = _unreadable(number)
    return _Said((receiver, group), [report._replace(account=account)])


def _unknown(body: bytes) -> _Said:
    """Return a line of another form. With an account it may be a call for help; without one it is only shown."""
    report = _unreadable(readable(body).strip())
    found = _NAMED.match(body)
    if found is None:
        return _Said(("", ""), [report._replace(event=report.event._replace(kind=Kind.UNKNOWN))])
    return _Said(_head(found), _named(found, [report]))


def _unreadable(text: str) -> Report:
    return Report(Event(Kind.UNREADABLE, Phase.NEW, "", NAME), text=text)


def _head(found: re.Match[bytes]) -> tuple[str, str]:
    return found[1].decode(), found[2].decode()


def _named(found: re.Match[bytes], reports: Sequence[Report]) -> list[Report]:
    account = found[3].decode()
    return [report._replace(account=account) for report in reports]


def tune(given: Mapping[str, str]) -> Callable[[KeyLookup], Decoder]:
    """Return a maker of decoders for a port with these options."""
    caps = given.get("caps") == _YES
    return lambda keys: Ademco685Decoder(keys, caps=caps)
