"""The bracket protocol of 3G and 4G watches and pendants over TCP (SeTracker, 4P-Touch/Beesure, Wonlex, ReachFar).

    [3G*8308373902*0080*AL,230817,095346,A,47.083950,N,15.4821850,E,7.60,273.8,0.0,4,15,44,0,0,00200010,2,255,...]
    [3G*8308373902*0002*AL]                                                        our answer: maker, ID, index echoed

    content   command, ddmmyy, hhmmss (GMT), A|V, latitude, N|S, longitude, E|W, speed km/h, course, altitude m,
              satellites, GSM 0-100, battery %, steps, rolls, status, then cells and Wi-Fi networks
    status    32 bits in hex. Low half states: 0 low battery, 1 2 fences, 3 worn flag, 4 still. High half alarms:
              16 SOS, 17 low battery, 18 left and 19 entered fence, 20 taken off, 21 fall, 22 abnormal heart rate
    short     UD and AL may end in the status right after speed and course

The sources are 4P-Touch's page of the server protocol (2023/2025), public frames and Traccar's decoder, which loses an
SOS after a low battery and takes bit 22 for a fall. Every high bit is an alarm, also in an ordinary position (UD). An
AL without one is an alarm of an unknown kind. cutter.py cuts messages. docs/protocols/watch3g.md says what it was
tested with.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import AccountId, Kind, Signal, VerdictOutcome
from vetlla.protocols.codes.tables import WATCH3G
from vetlla.protocols.framing.charset import readable
from vetlla.protocols.framing.fields import believed, measured, moment, number, place, signed
from vetlla.protocols.framing.foreign import HEAD, ForeignProtocolGuard
from vetlla.protocols.watch3g.cutter import HEADER, MAX_FRAME, OPENING, BracketCutter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from vetlla.domain.signals import Item, Position, Verdict
    from vetlla.protocols.codes.rows import Code
    from vetlla.protocols.decoder import KeyLookup
    from vetlla.protocols.framing.delimited import Piece

NAME: Final = "watch3g"
MAX_PENDING: Final = MAX_FRAME + HEAD

_ALARM: Final = "AL"
"""Opens the name of every alarm command: AL, AL_LTE, AL_WCDMA, ALCUSTOMER1."""
_STORED: Final = "UD2"
"""Opens the name of every command with a position from the watch's memory."""
_LOCATED: Final = ("UD", _ALARM, "WT")
_LOCATED_FORM: Final = re.compile(r"\d{6},\d{6},[AV],", re.ASCII)
"""Date, time and fix after any command. Then a status word may follow, too."""
_IN_CAPITALS: Final = (*_LOCATED, "SOS", "FALL", "HELP")
"""Beginnings of commands that the table has as classes."""
_CALLS: Final = {"SOS": "bit16", "FALLDOWN": "bit21"}
"""Without a position these are answers to commands; with a position they report the alarm in their name."""
_ALARM_BITS: Final = (16, 21, 22, 18, *range(23, 32), 20, 17, 19)
"""Most urgent first. A bit without a name is an alarm, and comes before the bits that are less urgent."""
_UNREADABLE: Final = "status"
_STATES: Final = ("low_battery", "out_of_fence", "in_fence", "wearing_flag", "still")
_STATUS_FIELD: Final = 16
_WHOLE_STATUS: Final = re.compile(r"[0-9A-Fa-f]{8}")
_SHORT_STATUS: Final = re.compile(r"[0-9A-Fa-f]{1,7}")
"""Old models send four digits, which hold only states. Other lengths come from leading zeros that are left out."""
_STATUS_FIELDS: Final[tuple[int, ...]] = (_STATUS_FIELD, 14, 15, 17, 18, *range(8, 14))
"""Fields in which a whole status word is searched, in this order; the last ones are those of short forms."""
_SHORT_FORM: Final = 10
"""The status field of a message that ends in it, right after speed and course."""
_NO_ALTITUDE: Final = re.compile(r"[0-9A-Fa-f]{4,7}")
"""A short status in that field. With fewer digits it may be the altitude of a message that lost its end."""
_DATE: Final = re.compile(r"(\d\d)(\d\d)(\d\d)", re.ASCII)
_MEASURED: Final = ("speed_kmh", "course", "", "satellites", "gsm", "battery", "steps", "rolls")
_FIRST_MEASURED: Final = 8
_SPELLINGS: Final = {code.casefold(): code for code in WATCH3G.known}
_NO_READING: Final = (0, 1)
_MEDIA: Final = frozenset({"TK", "JXTK", "img"})
_CHARGER: Final = "some 4G models also send this when they are taken off the charger"


class Watch3gDecoder:
    """Decodes one connection, on which every message names its device."""

    def __init__(self, _: KeyLookup) -> None:
        self._cutter = BracketCutter()
        self._guard = ForeignProtocolGuard(NAME, "the watch protocol (3G)", re.compile(OPENING))

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes, cut anywhere; return the items that they complete."""
        return self._guard.look(data) + self._items(self._cutter.feed(data))

    def finish(self) -> list[Item]:
        """Take the end of the stream; return the last items."""
        return self._guard.finish() + self._items(self._cutter.finish())

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:  # noqa: ARG002 the contract's
        """Return the answer that stops the watch from repeating; it repeats an alarm until it is answered.

        Positions are not answered. Without an answer to LK a watch sends nothing else, and restarts after five LK.
        """
        header = HEADER.match(signal.raw)
        if verdict.outcome is VerdictOutcome.REFUSED or signal.part != signal.parts or header is None:
            return b""
        command = _content(signal.raw, header).partition(",")[0]
        reply = WATCH3G.find(_spelled(command)).answer.format(command=command)
        if not reply:
            return b""
        index = header[3] + b"*" if header[3] else b""
        return b"[%b*%b*%b%04x*%b]" % (header[1], header[2], index, len(reply), reply.encode())

    def _items(self, pieces: Sequence[Piece]) -> list[Item]:
        items: list[Item] = []
        for piece in pieces:
            raw = piece if isinstance(piece, bytes) else piece.raw
            header = HEADER.match(raw)
            if isinstance(piece, bytes) and header is not None:
                items += _signals(piece, header, _content(piece, header))
            elif not isinstance(piece, bytes):
                alarms = _salvage(raw, header) if header else []
                if alarms or self._guard.is_foreign:
                    items += alarms
                else:
                    items.append(piece.reject(NAME, _device(header) if header else None))
        return items


def _device(header: re.Match[bytes]) -> AccountId:
    return AccountId("", "", header[2].decode())


def _content(raw: bytes, header: re.Match[bytes]) -> str:
    return readable(raw[header.end() : -1] if raw.endswith(b"]") else raw[header.end() :])


def _spelled(command: str) -> str:
    """Return a command as the table spells it, because makers do not agree on capital letters (PULSE, pulse)."""
    name = command.strip()
    return _SPELLINGS.get(name.casefold()) or (name.upper() if name.upper().startswith(_IN_CAPITALS) else name)


def _split(content: str) -> list[str]:
    command, *fields = (field.strip() for field in content.split(","))
    return [_spelled(command), *fields]


def _is_located(fields: Sequence[str]) -> bool:
    """Return True for a message with a position, whatever its command is."""
    return fields[0].startswith(_LOCATED) or bool(_LOCATED_FORM.match(",".join(fields[1:5])))


def _salvage(raw: bytes, header: re.Match[bytes]) -> list[Signal]:
    """Return the alarms of a message that was cut off; its last field may be incomplete."""
    content, comma, _ = _content(raw, header).rpartition(",")
    fields = _split(content)
    return _signals(raw, header, content) if comma and (_alarms(fields) or fields[0].startswith(_ALARM)) else []


def _signals(raw: bytes, header: re.Match[bytes], content: str) -> list[Signal]:
    """Return one signal for each alarm bit of a message, or one signal for the whole message."""
    fields = _split(content)
    command = fields[0]
    if not _is_located(fields):
        row = WATCH3G.find(command)
        text = "" if command in _MEDIA or row.measures else ",".join(fields[1:])
        measurements = _measurements(row, fields)
        return [Signal(NAME, _device(header), WATCH3G.event(command), raw, text=text, measurements=measurements)]
    # A position without a status word may have lost an alarm with it, so a person must know of such a device.
    plain = command if command.startswith(_ALARM) or _status(fields) else _UNREADABLE
    plain = _CALLS.get(command, plain)
    codes = [f"bit{bit}" for bit in _alarms(fields)] or [plain]
    date, time = (_DATE.fullmatch(field.strip()) for field in (*fields[1:3], "", "")[:2])
    at, clock = believed(moment(*date.group(3, 2, 1), *time.group(1, 2, 3)) if date and time else None)
    signal = Signal(
        protocol=NAME,
        id=_device(header),
        event=WATCH3G.event(codes[0]),
        raw=raw,
        sequence=header[3].decode() if header[3] else "",
        occurred_at=at,
        position=_position(fields, at),
        measurements=_named(_MEASURED, fields[_FIRST_MEASURED : _status_at(fields) or None]),
        details={**_details(raw, header, fields), **clock},
        buffered=command.startswith(_STORED),
        parts=len(codes),
    )
    return [
        signal._replace(event=WATCH3G.event(code), part=part, identity=_identity(signal, fields, code) if at else b"")
        for part, code in enumerate(codes, 1)
    ]


def _status(fields: Sequence[str]) -> str:
    """Return the status word as received; "" if there is none."""
    at = _status_at(fields)
    return fields[at].strip() if at else ""


def _status_at(fields: Sequence[str]) -> int:
    """Return the index of the status word's field; 0 if there is none. Some models have a field more or less.

    A whole word elsewhere comes before a short one in the usual field, which may be the rolls and would hide an alarm.
    """
    last = len(fields) - 1
    for at in _STATUS_FIELDS:
        if at <= last and _WHOLE_STATUS.fullmatch(fields[at].strip()):
            return at
    at, form = (_SHORT_FORM, _NO_ALTITUDE) if last == _SHORT_FORM else (_STATUS_FIELD, _SHORT_STATUS)
    return at if at <= last and form.fullmatch(fields[at].strip()) else 0


def _alarms(fields: Sequence[str]) -> list[int]:
    status = int(_status(fields) or "0", 16) if _is_located(fields) else 0
    return [bit for bit in _ALARM_BITS if status >> bit & 1]


def _details(raw: bytes, header: re.Match[bytes], fields: Sequence[str]) -> dict[str, str]:
    status = _status(fields)
    bits = int(status or "0", 16)
    details = {"status": status} if status else {}
    if states := [name for bit, name in enumerate(_STATES) if bits >> bit & 1]:
        details["states"] = ", ".join(states)
    if len(fields) > 3 and fields[3] == "V":
        details["fix"] = "none"
    if len(fields) > _STATUS_FIELD + 1 and (networks := ",".join(fields[_STATUS_FIELD + 1 :])):
        details["networks"] = networks
    if fields[0].endswith("_LTE") and bits >> 16 == 1:
        details["note"] = _CHARGER
    if not header[4]:
        details["quirks"] = "no-length"
    elif header.end() + int(header[4], 16) + 1 != len(raw):
        details["quirks"] = "wrong-length"
    return details


def _position(fields: Sequence[str], at: datetime | None) -> Position | None:
    """Return the place; None for V, which is often an old place or a placeholder in Shenzhen."""
    if len(fields) < _FIRST_MEASURED or fields[3] != "A":
        return None
    altitude = number(fields[10]) if len(fields) > 10 and _status_at(fields) != _SHORT_FORM else None
    return place(
        _degrees(fields[4], fields[5]), _degrees(fields[6], fields[7]), source="gps", at=at, altitude_m=altitude
    )


def _degrees(text: str, letter: str) -> float | None:
    """Return degrees. A minus sign may stand in place of the letter, or beside it with the same meaning."""
    value = number(text)
    return None if value is None else signed(value, letter)


def _measurements(row: Code, fields: Sequence[str]) -> Mapping[str, float]:
    """Return the measurements after a command; 0 and 1 mean that there was no reading of a vital sign."""
    values = _named(row.measures, fields[1:])
    if row.kind is not Kind.VITALS:
        return values
    return {name: value for name, value in values.items() if value not in _NO_READING}


def _named(names: Sequence[str], fields: Sequence[str]) -> dict[str, float]:
    return measured((name, field) for name, field in zip(names, fields, strict=False) if name)


def _identity(signal: Signal, fields: Sequence[str], code: str) -> bytes:
    """Return what a retry repeats: device, family of command, time and status. There is no number to compare."""
    family = fields[0][:2]
    parts = (NAME, signal.id.account, family, *fields[1:3], signal.details.get("status", ""), code)
    return blake2b("\0".join(parts).encode(), digest_size=16).digest()
