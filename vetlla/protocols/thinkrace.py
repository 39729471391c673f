"""Thinkrace "IW" and "TRV" text over TCP: health watches with SOS, fall, pulse, blood pressure and temperature.

    IWAP00355932600077007,8901240204123656505f,310240202365650#         login: IMEI; answered with the time
    IWAP10 080524A2232.9806N11404.9355E000.1061830323.8706000908000502,460,0,9520,3671,01,en,00,HOME|74-DE-..|97#
           yymmdd, fix, ddmm.mmmmN, dddmm.mmmmE, speed km/h, hhmmss (UTC), course, GSM, satellites, battery %, states;
           country, network, area, cell, alarm: 00 none, 01 SOS, 05 06 fall; the rest varies
    TRVAP01...#                                                         a position in the same form, without alarm
    TRVCP01,07800010010000602001206001120124#                           heartbeat: GSM, satellites, battery, states

Answered are the same letters with the next one for the first, B for A, D for C, Z for Y: ``IWBP10#``. After Traccar's
decoder, its tests and public frames; no vendor paper was at hand. Only the login names the device: all behind it on the
connection is its. There is no sequence and no checksum. Tested with: docs/protocols/thinkrace.md.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from vetlla.protocols.charset import readable
from vetlla.protocols.codes import THINKRACE
from vetlla.protocols.delimited import Delimited
from vetlla.protocols.foreign import HEAD, Door
from vetlla.protocols.terminals import NOBODY, believed, measured, moment, place
from vetlla.signals import AccountId, Outcome, Signal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from vetlla.protocols.damage import Damage
    from vetlla.protocols.decoder import KeyLookup
    from vetlla.protocols.delimited import Piece
    from vetlla.signals import Item, Position, Verdict

NAME: Final = "thinkrace"
MAX_FRAME: Final = 4096
"""A position with some thirty Wi-Fi networks; the longest public frame has 240 bytes."""
MAX_PENDING: Final = MAX_FRAME + HEAD


_OPENING: Final = rb"(?:IW|TRV)[A-Y]P[0-9A-Z]{2}"
_HEAD: Final = re.compile(rb"(IW|TRV)([A-Y])(P[0-9A-Z]{2})")
_IMEI: Final = re.compile(r"\d{15}", re.ASCII)
_FIX: Final = re.compile(
    r"(\d\d)(\d\d)(\d\d)([AV])(\d\d)(\d\d\.\d+)([NS])(\d{3})(\d\d\.\d+)([EW])(\d{3}\.\d)(\d\d)(\d\d)(\d\d)"
    r"([\d.]{6})(\d{3})(\d{3})(\d{3})",
    re.ASCII,
)
_LINK: Final = re.compile(r",?(\d{3})(\d{3})(\d{3})", re.ASCII)
_WIFI_TAIL: Final = re.compile(rb"[^#]*\|(?:[0-9A-Fa-f]{2}[-:]){5}[0-9A-Fa-f]{2}\|-?\d+[^#]*#\s*")
"""The rest of a list of networks behind one whose name has a "#" in it: the report ended there, nothing is lost."""

_POSITIONS: Final = frozenset({"AP01", "AP10", "YP03", "YP14"})
_FIXED: Final = "A"
_HEARTBEATS: Final = frozenset({"AP03", "CP01"})
_ALARM: Final = "AP10"
_ALARM_FIELD: Final = 5
_NO_ALARM: Final = "00"


class ThinkraceDecoder:
    """One connection.

    The login is answered with the time, which only ``answer`` knows: so it is a signal, of kind heartbeat, which is
    answered at once and promises nothing.
    """

    def __init__(self, _: KeyLookup) -> None:
        self._cutter = Delimited(_OPENING, rb"#", longest_opening=7, max_frame=MAX_FRAME)
        self._door = Door(NAME, "Thinkrace", re.compile(_OPENING))
        self._who = NOBODY

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes, cut anywhere; return what they complete."""
        return self._door.look(data) + self._items(self._cutter.feed(data))

    def finish(self) -> list[Item]:
        """Say that the stream ended."""
        return self._items(self._cutter.finish())

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        """Return the message's own letters as the server's; b"" for the device's answers and for what is refused."""
        head = _HEAD.match(signal.raw)
        if verdict.outcome is Outcome.REFUSED or head is None:
            return b""
        maker, direction, command = (part.decode() for part in head.groups())
        known = THINKRACE.known.get(maker + direction + command)  # TRV devices differ in two commands
        row = known or THINKRACE.find(direction + command)
        if not row.answer:
            return b""
        letters = maker + chr(ord(direction) + 1) + command
        return (row.answer.format(letters=letters, time=now.strftime("%Y%m%d%H%M%S")) + "#").encode()

    def _items(self, pieces: Sequence[Piece]) -> list[Item]:
        items: list[Item] = []
        for piece in pieces:
            if isinstance(piece, bytes):
                items.append(self._signal(piece, readable(piece[:-1])))
            else:
                items += self._damaged(piece)
        return items

    def _damaged(self, damage: Damage) -> list[Item]:
        """Return the alarm of a report that was cut off (its last field may be half of one), or the damage."""
        if damage.raw.startswith((b"IWAP10", b"TRVAP10")):
            signal = self._signal(damage.raw, readable(damage.raw).rpartition(",")[0])
            if signal.event.code.startswith(f"{_ALARM}."):
                return [signal]
        if self._door.is_foreign or _WIFI_TAIL.fullmatch(damage.raw):
            return []
        return [damage.reject(NAME, self._who)]

    def _signal(self, raw: bytes, text: str) -> Signal:
        head = _HEAD.match(raw)
        assert head is not None  # the cutter found it
        command = (head[2] + head[3]).decode()
        fields = text[head.end() :].split(",")
        if command == "AP00":
            imei = fields[0].strip()
            self._who = AccountId("", "", imei) if _IMEI.fullmatch(imei) else NOBODY
        code = _code(command, fields)
        fix = _FIX.match(fields[0].strip()) if command in _POSITIONS else None
        # Without a fix the time may be that of the last one: an alarm would look hours old, or be taken for a retry.
        at, clock = believed(moment(*fix.group(1, 2, 3, 12, 13, 14)) if fix and fix[4] == _FIXED else None)
        return Signal(
            protocol=NAME,
            id=self._who,
            event=THINKRACE.event(code),
            raw=raw,
            text="" if fix or command == "AP00" else text[head.end() :].strip(","),
            occurred_at=at,
            position=_position(fix, at) if fix else None,
            measurements=_fix_measurements(fix) if fix else _measurements(command, fields),
            details={**_details(command, fields), **clock},
            identity=self._identity(raw) if at else b"",
        )

    def _identity(self, raw: bytes) -> bytes:
        """Return what a retry repeats: the device and the whole dated message. Without a login nobody is told apart."""
        if self._who is NOBODY:
            return b""
        return blake2b(f"{NAME}\0{self._who.account}\0".encode() + raw, digest_size=16).digest()


def _code(command: str, fields: Sequence[str]) -> str:
    """Return the command; of an alarm report with the alarm's code, whatever its position looks like.

    Where that field is missing it is an alarm nobody knows the kind of, not none.
    """
    if command != _ALARM:
        return command
    alarm = fields[_ALARM_FIELD].strip() if len(fields) > _ALARM_FIELD else ""
    return command if alarm == _NO_ALARM else f"{command}.{alarm}"


def _details(command: str, fields: Sequence[str]) -> dict[str, str]:
    """Return the cells and networks behind a position: where there is no fix they tell more than nothing."""
    networks = ",".join(fields[1:]) if command in _POSITIONS else ""
    return {"networks": networks} if networks else {}


def _position(fix: re.Match[str], at: datetime | None) -> Position | None:
    """Return the place: degrees and minutes, not decimal degrees. V is no fix: often the last one, or a placeholder."""
    if fix[4] != _FIXED:
        return None
    latitude = int(fix[5]) + float(fix[6]) / 60
    longitude = int(fix[8]) + float(fix[9]) / 60
    return place(
        round(-latitude if fix[7] == "S" else latitude, 6),
        round(-longitude if fix[10] == "W" else longitude, 6),
        source="gps",
        at=at,
    )


def _fix_measurements(fix: re.Match[str]) -> dict[str, float]:
    names = ("speed_kmh", "course", "gsm", "satellites", "battery")
    return measured(zip(names, fix.group(11, 15, 16, 17, 18), strict=True))


def _measurements(command: str, fields: Sequence[str]) -> Mapping[str, float]:
    """Return what health messages and heartbeats measure; 0 says that there was no reading."""
    if command in _HEARTBEATS and (link := _LINK.match(",".join(fields))):
        return measured(zip(("gsm", "satellites", "battery"), link.groups(), strict=True))
    values = measured(zip(THINKRACE.find(command).measures, fields[1:], strict=False))
    return {name: value for name, value in values.items() if value or name == "battery"}
