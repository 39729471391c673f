"""MiniFinder Pico / Eview EV-07S text over TCP: 2G and 3G pendants (Pico, Atto, EV-07P, SOSbuddy, MySOS).

    !1,867273023933661,V07S.5701.1621,100;                                         login: IMEI, firmware, battery
    !D,08/07/15,04:55:13,40.428257,-3.704932,0,0,180001,680.0,8,8,13,0;            position now; !B the same, stored
    !5,17,V,50;                                                                    heartbeat: GSM 0-31, fix, battery

    D B C   day/month/year, time (UTC), latitude, longitude, speed km/h, course, flags (hex), altitude m, battery %,
            satellites used and in view, HDOP
    flags   0 GPS fix, 1 network fix, 2 GPS fault, 6 SOS, 7 over speed, 8 fall, 9-11 geofence, 12 low battery,
            14 15 motion, 16-20 GSM signal, 22 charging

The sources are protocol rev 1.26 (first pages) and Traccar's decoder. A second server confirmed the alarm bits, but no
frame with one is public. Only the login names the device; all later messages on the connection belong to it. The
protocol has no acknowledgement, no sequence number and no checksum. The flags stay set in one message after the other,
and the queue joins these to the home's open alarm. docs/protocols/minifinder.md says what it was tested with.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import AccountId, Signal
from vetlla.protocols.codes.tables import MINIFINDER
from vetlla.protocols.framing.charset import readable
from vetlla.protocols.framing.delimited import Delimited
from vetlla.protocols.framing.fields import NO_ACCOUNT, believed, measured, moment, number, place
from vetlla.protocols.framing.foreign import HEAD, ForeignProtocolGuard

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vetlla.domain.signals import Item, Position, Verdict
    from vetlla.protocols.decoder import KeyLookup
    from vetlla.protocols.framing.delimited import Piece

NAME: Final = "minifinder"
MAX_FRAME: Final = 1024
"""The longest known message, the settings with their telephone numbers, has about 300 bytes."""
MAX_PENDING: Final = MAX_FRAME + HEAD


_MARK: Final = b"!"
_OPENING: Final = rb"![0-9A-Z],"
_DATE: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2})", re.ASCII)
_TIME: Final = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})", re.ASCII)
_FLAGS: Final = re.compile(r"\s*[0-9A-Fa-f]{1,16}\s*", re.ASCII)
_IMEI: Final = re.compile(r"\d{15}", re.ASCII)

_REPORTS: Final = frozenset("BCD")
"""Messages that carry flags. "A" is older and has date, time and place, and two fields that no source describes."""
_ALARM_BITS: Final = (6, 8, 9, 10, 11, 12, 7)
"""Most urgent first."""
_GPS_FIX, _NETWORK_FIX = 1, 2
_STATES: Final = {"gps": (1 << 2, "fault"), "charging": (1 << 22, "yes")}
_NO_FLAGS: Final = 0
_LAST: Final = "last"
_UNREADABLE: Final = "flags"


class MinifinderDecoder:
    """Decodes one connection; the protocol has no answers."""

    def __init__(self, _: KeyLookup) -> None:
        self._cutter = Delimited(_OPENING, rb";", longest_opening=3, max_frame=MAX_FRAME)
        self._guard = ForeignProtocolGuard(NAME, "MiniFinder Pico", re.compile(_OPENING))
        self._who = NO_ACCOUNT

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes, cut anywhere; return the items that they complete."""
        return self._guard.look(data) + self._items(self._cutter.feed(data))

    def finish(self) -> list[Item]:
        """Take the end of the stream; return the last items."""
        return self._guard.finish() + self._items(self._cutter.finish())

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:  # noqa: ARG002 the contract's
        """Return b"", because rev 1.26 lists no acknowledgement at all."""
        return b""

    def _items(self, pieces: Sequence[Piece]) -> list[Item]:
        items: list[Item] = []
        for piece in pieces:
            if isinstance(piece, bytes):
                items += self._signals(piece, readable(piece[1:-1]).split(","))
            elif alarms := self._alarms(piece.raw):
                items += alarms
            elif not self._guard.is_foreign:
                items.append(piece.reject(NAME, self._who))
        return items

    def _alarms(self, raw: bytes) -> list[Signal]:
        """Return the alarms of a message that was cut off; its last field may be incomplete."""
        fields = readable(raw[1:]).split(",")[:-1]
        if not raw.startswith(_MARK) or not fields or not _flags(fields):
            return []
        signals = self._signals(raw, fields)
        return signals if any(signal.event.code.startswith("bit") for signal in signals) else []

    def _signals(self, raw: bytes, fields: Sequence[str]) -> list[Signal]:
        """Return one signal for each alarm bit of a message, or one signal for the whole message."""
        kind = fields[0]
        if kind == "1":
            self._who = AccountId("", "", fields[1].strip()) if _IMEI.fullmatch(fields[1].strip()) else NO_ACCOUNT
        if kind in _REPORTS or kind == "A":
            return self._report(raw, fields)
        signal = Signal(
            protocol=NAME,
            id=self._who,
            event=MINIFINDER.event(kind),
            raw=raw,
            text="" if kind in "15" else ",".join(fields[1:]),
            measurements=_link(fields),
        )
        return [signal]

    def _report(self, raw: bytes, fields: Sequence[str]) -> list[Signal]:
        read = _flags(fields)
        flags = read or _NO_FLAGS
        # Flags that cannot be read may hide an alarm, so a person must know of such a device.
        plain = _UNREADABLE if read is None and fields[0] in _REPORTS else fields[0]
        codes = [f"bit{bit}" for bit in _ALARM_BITS if flags >> bit & 1] or [plain]
        at, clock = believed(_moment(fields))
        # Without a fix the time may be that of the last fix. A live alarm would look hours old, or like a retry.
        is_known = at is not None and flags & _GPS_FIX and self._who is not NO_ACCOUNT
        is_buffered = fields[0] == "B"
        signal = Signal(
            protocol=NAME,
            id=self._who,
            event=MINIFINDER.event(codes[0]),
            raw=raw,
            occurred_at=at if is_buffered or _source(fields, flags) != _LAST else None,
            position=_position(fields, flags, at),
            measurements=_measurements(fields, flags),
            details={**_details(fields, flags), **clock},
            buffered=is_buffered,
            parts=len(codes),
        )
        return [
            signal._replace(
                event=MINIFINDER.event(code), part=part, identity=_identity(signal, code) if is_known else b""
            )
            for part, code in enumerate(codes, 1)
        ]


def _flags(fields: Sequence[str]) -> int | None:
    """Return the flags; None if they are missing or cannot be read."""
    has_flags = fields[0] in _REPORTS and len(fields) > 7 and _FLAGS.fullmatch(fields[7])
    return int(fields[7], 16) if has_flags else None


def _details(fields: Sequence[str], flags: int) -> dict[str, str]:
    """Return the flags as received, because not all are described, and the states in them that are no alarms."""
    received = {"flags": fields[7].strip()} if fields[0] in _REPORTS and len(fields) > 7 else {}
    return received | {name: value for name, (bit, value) in _STATES.items() if flags & bit}


def _link(fields: Sequence[str]) -> dict[str, float]:
    """Return the measurements of a login or heartbeat."""
    names = {"1": {3: "battery"}, "5": {1: "gsm", 3: "battery"}}.get(fields[0], {})
    return measured((name, fields[at]) for at, name in names.items() if at < len(fields))


def _moment(fields: Sequence[str]) -> datetime | None:
    date = _DATE.fullmatch(fields[1].strip()) if len(fields) > 1 else None
    time = _TIME.fullmatch(fields[2].strip()) if len(fields) > 2 else None
    return moment(date[3], date[2], date[1], *time.group(1, 2, 3)) if date and time else None


def _position(fields: Sequence[str], flags: int, at: datetime | None) -> Position | None:
    if len(fields) < 5:
        return None
    altitude = number(fields[8]) if fields[0] in _REPORTS and len(fields) > 8 else None
    return place(number(fields[3]), number(fields[4]), source=_source(fields, flags), at=at, altitude_m=altitude)


def _source(fields: Sequence[str], flags: int) -> str:
    """Return the source of the place; without a fix it is the last known place. The older form names no source."""
    if fields[0] == "A":
        return ""
    if flags & _GPS_FIX:
        return "gps"
    return "lbs" if flags & _NETWORK_FIX else _LAST


def _measurements(fields: Sequence[str], flags: int) -> dict[str, float]:
    if fields[0] not in _REPORTS:
        return {}
    names = ["speed_kmh", "course", "", "", "battery"]
    if fields[0] != "C":  # "C" has fractions there that no source describes
        names += ["satellites", "satellites_in_view", "hdop"]
    values = measured((name, field) for name, field in zip(names, fields[5:], strict=False) if name)
    if values.get("course", 0) > 360:
        values["course"] = 0
    return values | {"gsm": flags >> 16 & 0x1F}


def _identity(signal: Signal, code: str) -> bytes:
    """Return what a retry has in common with the first message: the device, the bit, and all but the message's type.

    A message that is stored and sent again as "B" is the same report.
    """
    prefix = f"{NAME}\0{signal.id.account}\0{code}\0".encode()
    return blake2b(prefix + signal.raw[3:].rstrip(b";"), digest_size=16).digest()
