"""Eview "minifinder2" over TCP: 4G pendants and watches EV-07B, EV-04, EV-05, MiniFinder and their white labels.

    AB | props | length | CRC | sequence | command  (len key value)...           all integers little-endian
       |   1   |   2    |  2  |    2     |    1     length and CRC cover the command and everything after it

    props     bits 0-3 version, 4 answer wanted, 5-7 encryption (none was ever seen)
    CRC       CRC-16/XMODEM
    command   01 data report, 02 configuration, 03 heartbeat and requests, 04 control, 7E firmware, 7F response
    7F 01 00  our answer: AB 00 03 00 08 C7 seq 7F 01 00, the same for all but requests for time and place

There is no login: a report carries the IMEI in key 01, and a device's answers to commands belong to the IMEI before
them. cutter.py cuts frames, body.py reads keys, report.py reads reports. The sources are Traccar's decoder, the
vendor's preface and real frames; where they differ, the frames count. docs/protocols/eview.md says what it was tested
with.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from fastcrc.crc16 import xmodem

from vetlla.domain.signals import NO_MEASUREMENTS, NOTHING, AccountId, Kind, Signal, VerdictOutcome
from vetlla.protocols.codes.tables import EVIEW
from vetlla.protocols.eview.body import ANSWER_PLACE, ANSWER_TIME, read_keys
from vetlla.protocols.eview.cutter import HEADER, MAX_FRAME, EviewCutter
from vetlla.protocols.eview.report import NAME, report, side_by_side
from vetlla.protocols.framing.charset import readable
from vetlla.protocols.framing.fields import NO_ACCOUNT
from vetlla.protocols.framing.foreign import HEAD, ForeignProtocolGuard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from vetlla.domain.signals import Item, Verdict
    from vetlla.protocols.decoder import KeyLookup
    from vetlla.protocols.framing.delimited import Piece

MAX_PENDING: Final = MAX_FRAME + HEAD

_OPENING: Final = re.compile(rb"\xab[\x00-\x1f][\x00-\xff][\x00-\x20][\x00-\xff]{4}[\x01-\x04\x7e\x7f]")
_ANSWER_WANTED: Final = 0x10
_REPORT, _SERVICE, _RESPONSE = 0x01, 0x03, 0x7F
_IMEI_KEY, _HEARTBEAT_KEY = 0x01, 0x10
_HEARTBEAT: Final = EVIEW.event("03")
_FILLERS: Final = b"\0 "
"""Bytes around texts in fields of a fixed length."""
_TAKEN: Final = b"\x7f\x01\x00"
_REQUESTS: Final = {ANSWER_TIME: "time", ANSWER_PLACE: "place"}
_PLACE: Final = bytes((10, ANSWER_PLACE)) + bytes(9)
"""Zero degrees and a flag, which devices read as "not known" (Traccar)."""
_ENCRYPTED: Final = "the frame is encrypted and cannot be read; switch the device's encryption off"


class EviewDecoder:
    """Decodes one connection.

    A heartbeat and the requests in it (time, place) are one signal of kind heartbeat, because only ``answer`` knows the
    time. The answer promises nothing. The intake sends it without waiting for the disk, because a terminal may have no
    time yet.
    """

    def __init__(self, _: KeyLookup) -> None:
        self._cutter = EviewCutter()
        self._guard = ForeignProtocolGuard(NAME, "Eview", _OPENING)
        self._who = NO_ACCOUNT

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes, cut anywhere; return the items that they complete."""
        return self._guard.look(data) + self._items(self._cutter.feed(data))

    def finish(self) -> list[Item]:
        """Take the end of the stream; return the last items."""
        return self._guard.finish() + self._items(self._cutter.finish())

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        """Return the answer that stops the device from repeating, if it asked for one; b"" for a response."""
        raw = signal.raw
        is_wanted = raw[1] & _ANSWER_WANTED and raw[HEADER] != _RESPONSE
        if not is_wanted or verdict.outcome is VerdictOutcome.REFUSED or signal.part != signal.parts:
            return b""
        head, body = _TAKEN_HEAD, _TAKEN
        if raw[HEADER] == _SERVICE:
            keys, _ = read_keys(raw[HEADER:])
            replies = b"".join([_reply_to(key, now) for key, _ in keys if key in _REQUESTS])
            if replies:
                body = bytes((_SERVICE,)) + replies
                head = _head(body)
        return b"%b%b%b" % (head, raw[6:HEADER], body)

    def _items(self, pieces: Sequence[Piece]) -> list[Item]:
        items: list[Item] = []
        for piece in pieces:
            if isinstance(piece, bytes):
                items += self._signals(piece)
            elif not self._guard.is_foreign:
                items.append(piece.reject(NAME))  # the account of damaged bytes is not known
        return items

    def _signals(self, raw: bytes) -> list[Signal]:
        command = raw[HEADER]
        if raw[1] >> 5:
            text = f"{_ENCRYPTED} (mode {raw[1] >> 5})"
            event = EVIEW.event("")._replace(code=f"{command:02X}")
            if command == _REPORT:  # every SOS comes in a report
                event = event._replace(kind=Kind.UNREADABLE)
            return [Signal(NAME, self._who, event, raw, text=text)]
        sequence = str(raw[6] | raw[7] << 8)
        keys, rest = read_keys(raw[HEADER:])
        kept = {"rest": rest.hex()} if rest else NOTHING
        if command in {_REPORT, _SERVICE}:
            self._meet(keys)
        if command == _REPORT:
            return report(self._who, raw, sequence, keys, kept)
        return [(_service if command == _SERVICE else _other)(self._who, raw, sequence, keys, kept)]

    def _meet(self, keys: Sequence[tuple[int, bytes]]) -> None:
        """Note which device speaks. If its IMEI cannot be read, it is unknown, and not the device that spoke before."""
        for key, value in keys:
            if key == _IMEI_KEY:
                imei = value.strip(_FILLERS)
                self._who = AccountId("", "", imei.decode()) if imei.isalnum() else NO_ACCOUNT
                return


def _service(
    who: AccountId, raw: bytes, sequence: str, keys: Sequence[tuple[int, bytes]], kept: Mapping[str, str]
) -> Signal:
    """Return a heartbeat with its requests."""
    charges = [value[0] for key, value in keys if key == _HEARTBEAT_KEY and value]
    asked = [_REQUESTS[key] for key, _ in keys if key in _REQUESTS]
    return Signal(
        NAME,
        who,
        _HEARTBEAT,
        raw,
        sequence=sequence,
        measurements={"battery": charges[0]} if charges else NO_MEASUREMENTS,
        details={**kept, "asks": ", ".join(asked)} if asked else kept,
    )


def _other(
    who: AccountId, raw: bytes, sequence: str, keys: Sequence[tuple[int, bytes]], kept: Mapping[str, str]
) -> Signal:
    """Return a message of the device about itself, with its keys as received and the texts among them."""
    texts = (readable(value.strip(_FILLERS)) for _, value in keys)
    details = kept
    for key, value in keys:
        details = side_by_side(details, {f"key{key:02X}": value.hex()})
    return Signal(
        NAME,
        who,
        EVIEW.event(f"{raw[HEADER]:02X}"),
        raw,
        text=", ".join(text for text in texts if text and text.isprintable()),
        sequence=sequence,
        details=details,
    )


def _reply_to(key: int, now: datetime) -> bytes:
    if key == ANSWER_TIME:
        return bytes((5, ANSWER_TIME)) + int(now.timestamp()).to_bytes(4, "little")
    return _PLACE if key == ANSWER_PLACE else b""


def _head(body: bytes) -> bytes:
    """Return the bytes before the sequence number of an answer."""
    return b"\xab\x00" + len(body).to_bytes(2, "little") + xmodem(body).to_bytes(2, "little")


_TAKEN_HEAD: Final = _head(_TAKEN)
