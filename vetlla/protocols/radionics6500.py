"""Radionics D6500, and Bosch D6600 and D6100 Conettix in 6500 mode, over a serial line or TCP.

    h aRRL AAAA18QXYZGGCCC t        Contact ID: the account stands before the message type
    h 1RRL      AAAAEEZZZZ t        standard: event of two characters, zone of four, both filled up with blanks
    h 1RR0           @    t         link test, every 60 s

    h       optional header byte, often a blank; t a trailer, usually DC4 (14 hex)
    RR      receiver; L line: 1 to 9, A to W for 10 to 32, X for 33, Y for every line above it
    06 15   our answers

There is no start byte and no checksum. Text (3), ITI (I), Telim (n), Robofon (j), SafeCom (p), Scancom (g) and VONK (V)
are kept as they came. The SIA mode of these receivers is another protocol, whose checksum is not public. The sources
are manuals of Bosch and Radionics. docs/protocols/radionics6500.md says what it was tested with.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import Event, Kind, Phase
from vetlla.protocols.codes.tables import Report, code_of
from vetlla.protocols.framing.charset import readable
from vetlla.protocols.framing.foreign import HEAD, ForeignProtocolGuard
from vetlla.protocols.framing.line_receiver import LineReceiverDecoder, signals_of
from vetlla.protocols.framing.records import Record, Records, Shape
from vetlla.protocols.payloads import contact_id, line_formats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.domain.signals import Signal
    from vetlla.protocols.decoder import KeyLookup
    from vetlla.protocols.framing.records import Field, Unshaped

NAME: Final = "radionics6500"
TITLE: Final = "Radionics 6500"
MAX_FRAME: Final = 512
"""A record has 22 bytes; only texts are longer."""
MAX_PENDING: Final = 2 * MAX_FRAME + HEAD

_OPENING: Final = re.compile(
    rb"[\0\r\n ]{0,8}(?:a[0-9A-F]{2}[0-9A-Z] [0-9A-F]|1[0-9A-F]{2}[0-9A-Z]{1,7} {3}|[3InjpgV][0-9A-F]{2}[0-9A-Z]{1,7} )"
)
_HEX: Final = rb"[0-9A-F]"
_HEAD: Final[tuple[Field, ...]] = ((_HEX, 2, 2), (rb"[0-9A-Z]", 1, 1))
_EVENT: Final[tuple[Field, ...]] = ((rb"[ERP136]", 1, 1), (rb"[0-9]", 3, 3), (_HEX, 2, 2), (_HEX, 3, 3))
_SHAPES: Final = (
    (
        b"a",
        Shape(
            "contact_id",
            (b"a", *_HEAD, b" ", (_HEX, 4, 4), (rb"[159]", 1, 1), b"8", *_EVENT),
        ),
    ),
    (b"1", Shape("heartbeat", (b"1", *_HEAD, b" " * 11 + b"@" + b" " * 4))),
    (
        b"1",
        Shape("basic", (b"1", *_HEAD, b" " * 6, (rb"[ 0-9A-F]", 4, 4), (rb"[0-9A-Z ]", 2, 2), (rb"[0-9A-Z ]", 4, 4))),
    ),
)
_BEAT: Final = re.compile(rb"1([0-9A-F]{2})([0-9A-Z]) {5,}@ *")
_INTACT: Final = re.compile(rb"([0-9A-Za-z])([0-9A-F]{2})([0-9A-Z])[\x20-\x7e]{3,}")
_NAMED: Final = re.compile(rb".{4} {1,10}([0-9A-F]{3,6})(?![0-9A-Za-z])")


class Radionics6500Decoder(LineReceiverDecoder):
    """Decodes one connection to a receiver, or one serial line."""

    def __init__(self, _: KeyLookup) -> None:
        cutter = Records(_SHAPES, max_frame=MAX_FRAME)
        super().__init__(NAME, cutter, ForeignProtocolGuard(NAME, TITLE, _OPENING))

    def _read(self, part: Record | Unshaped) -> Sequence[Signal]:
        raw = part.raw
        if isinstance(part, Record):
            return self._signals(raw, part.fields, _READERS.get(part.name))
        if (found := _BEAT.fullmatch(raw)) is not None:
            return self._signals(raw, found.groups(), None)
        if (found := _INTACT.fullmatch(raw)) is not None:
            return self._signals(raw, (found[2], found[3], raw), _unreadable)
        return ()

    def _signals(self, raw: bytes, fields: Sequence[bytes], read: _Reader | None) -> list[Signal]:
        receiver, line = fields[0].decode(), fields[1].decode()
        if read is None:
            return self._heartbeat(receiver, line, raw)
        return signals_of(NAME, (receiver, line), raw, [read(*fields[2:])])


def _contact_id(account: bytes, _: bytes, qualifier: bytes, code: bytes, area: bytes, device: bytes) -> Report:
    return Report(contact_id.event_of(qualifier, code), account.decode(), device.decode(), area.decode())


def _basic(account: bytes, event: bytes, device: bytes) -> Report:
    return line_formats.pulse(event, device=device)._replace(account=account.decode().strip())


def _unreadable(raw: bytes) -> Report:
    """Return the report of data that cannot be read, which may be a call for help."""
    found = _NAMED.match(raw)
    event = Event(Kind.UNREADABLE, Phase.NEW, code_of(raw[:1].decode()), NAME)
    return Report(event, found[1].decode() if found else "", text=readable(raw).strip())


if TYPE_CHECKING:
    from collections.abc import Callable

    _Reader = Callable[..., Report]

_READERS: Final[dict[str, _Reader]] = {"contact_id": _contact_id, "basic": _basic}
