"""Thinkrace "IW" and "TRV" text over TCP: health watches with SOS, fall, pulse, blood pressure and temperature.

    IWAP00355932600077007,8901240204123656505f,310240202365650#         login: IMEI; answered with the time
    IWAP10 080524A2232.9806N11404.9355E000.1061830323.8706000908000502,460,0,9520,3671,01,en,00,HOME|74-DE-..|97#
           yymmdd, fix, ddmm.mmmmN, dddmm.mmmmE, speed km/h, hhmmss (UTC), course, GSM, satellites, battery %, states;
           country, network, area, cell, alarm: 00 none, 01 SOS, 05 06 fall ...; the rest varies
    IWAPFD,353500000000041,1795943100123#                               fall (FD, UB), no movement (ST): IMEI, time
    IWAPJK,2026-11-29 09:05:00,2,74#                                    a reading: 1 pressure, 2 pulse, 3 deg C, 4 SpO2
    TRVAP01...#                                                         a position in the same form, without alarm
    TRVCP01,07800010010000602001206001120124#                           heartbeat: GSM, satellites, battery, states

tables/thinkrace.csv says what each command means, what it measures and how it is answered. Most answers have the same
letters with the next letter for the first: B for A, D for C, Z for Y, as in ``IWBP10#``. A device that answers a
command of another server must get no answer: it would take IWBP31# as the order to switch off, and IWBP17# as the
order to forget its settings.

The sources are Traccar's decoder and its tests, public frames, and servers that were built for real watches; no paper
of the maker was at hand. The login names the device to which all later messages on the connection belong, except those
that name a device themselves. There is no sequence number and no checksum. docs/protocols/thinkrace.md says what it was
tested with.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import AccountId, Kind, Signal, VerdictOutcome
from vetlla.protocols.codes.tables import THINKRACE
from vetlla.protocols.framing.charset import readable
from vetlla.protocols.framing.delimited import Delimited
from vetlla.protocols.framing.fields import NO_ACCOUNT, believed, measured, moment, place, signed
from vetlla.protocols.framing.foreign import HEAD, ForeignProtocolGuard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vetlla.domain.signals import Item, Position, Verdict
    from vetlla.protocols.decoder import KeyLookup
    from vetlla.protocols.framing.damage import Damage
    from vetlla.protocols.framing.delimited import Piece

NAME: Final = "thinkrace"
MAX_FRAME: Final = 4096
"""A position with about thirty Wi-Fi networks; the longest public frame has 240 bytes."""
MAX_PENDING: Final = MAX_FRAME + HEAD

_OPENING: Final = rb"(?:IW|TRV)[A-Y]P[0-9A-Z]{2}"
_LONGEST_HEAD: Final = 7
_HEAD: Final = re.compile(r"(IW|TRV)([A-Y])(P[0-9A-Z]{2})")
_IMEI: Final = re.compile(r"\d{15}", re.ASCII)
_FIX: Final = re.compile(
    r"(\d\d)(\d\d)(\d\d)([AV])(\d\d)(\d\d\.\d+)([NSns])(\d{3})(\d\d\.\d+)([EWOewo])(\d{3}\.\d)(\d\d)(\d\d)(\d\d)"
    r"(?:([\d.]{6})(\d{3})(\d{3})(\d{3}))?",
    re.ASCII,
)
"""Date, fix, place, speed and time. On some watches the rest is in hex, or shorter."""
_LINK: Final = re.compile(r",?(\d{3})(\d{3})(\d{3})", re.ASCII)
_UNIX: Final = re.compile(r"(\d{10})(?:\d{3})?", re.ASCII)
_DATED: Final = re.compile(r"\d{10}|\d{13,14}", re.ASCII)
"""Seconds or milliseconds since 1970, or yyyymmddhhmmss of a zone that the device does not name."""
_WIFI_TAIL: Final = re.compile(rb"[^#]*\|(?:[0-9A-Fa-f]{2}[-:]){5}[0-9A-Fa-f]{2}\|-?\d+[^#]*#\s*")
"""The rest of a list of networks after a name with a "#" in it. The report ended at the "#", and nothing is lost."""

_LOGIN: Final = "AP00"
_POSITIONS: Final = frozenset({"AP01", "AP10", "AP91", "YP03", "YP14"})
_FIXED: Final = "A"
_HEARTBEATS: Final = frozenset({"AP03", "CP01"})
_MEDIA: Final = frozenset({"AP07", "AP42"})
_PRESSURES: Final = ("diastolic", "systolic")
_ALARM: Final = "AP10"
_NO_ALARM: Final = "00"
_SUBJECTS: Final = {_ALARM: 5, "APJK": 2, "APWR": 2}
"""Field that holds the subject of these commands. The table has a row for each subject: AP10.01, APWR.0 ..."""
_SALVAGED: Final = frozenset(
    {
        Kind.PERSONAL_EMERGENCY,
        Kind.FALL,
        Kind.INACTIVITY,
        Kind.WANDERING,
        Kind.GENERAL_ALARM,
        Kind.TAMPER,
        Kind.BATTERY_LOW,
    }
)
"""Kinds that are reported even if the message was cut off."""


class ThinkraceDecoder:
    """Decodes one connection.

    The login is answered with the time, which only ``answer`` knows. So the login is a signal of kind heartbeat, which
    is answered at once; the answer promises nothing.
    """

    def __init__(self, _: KeyLookup) -> None:
        self._cutter = Delimited(_OPENING, rb"#", longest_opening=_LONGEST_HEAD, max_frame=MAX_FRAME)
        self._guard = ForeignProtocolGuard(NAME, "Thinkrace", re.compile(_OPENING))
        self._who = NO_ACCOUNT

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes, cut anywhere; return the items that they complete."""
        return self._guard.look(data) + self._items(self._cutter.feed(data))

    def finish(self) -> list[Item]:
        """Take the end of the stream; return the last items."""
        return self._guard.finish() + self._items(self._cutter.finish())

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:
        """Return the server's form of the message's letters; b"" for a device's answer, and for a refused message."""
        head = _HEAD.match(signal.raw[:_LONGEST_HEAD].decode("latin-1"))
        if verdict.outcome is VerdictOutcome.REFUSED or head is None:
            return b""
        maker, direction, command = head.groups()
        # TRV devices differ in two commands, which have rows of their own.
        row = THINKRACE.known.get(maker + direction + command) or THINKRACE.find(direction + command)
        subject = signal.event.code.partition(".")[2]
        reply = row.answer.format(
            letters=maker + chr(ord(direction) + 1) + command,
            time=now.strftime("%Y%m%d%H%M%S") if "time" in row.answer else "",
            type=subject if subject.isalnum() else "",
        )
        return f"{reply}#".encode() if reply else b""

    def _items(self, pieces: Sequence[Piece]) -> list[Item]:
        items: list[Item] = []
        for piece in pieces:
            if isinstance(piece, bytes):
                items.append(self._signal(piece, readable(piece[:-1])))
            else:
                items += self._damaged(piece)
        return items

    def _damaged(self, damage: Damage) -> list[Item]:
        """Return the alarm of a report that was cut off (its last field may be incomplete), or the damage."""
        text = readable(damage.raw)
        head = _HEAD.match(text)
        if head is not None:
            text = text[: max(head.end(), text.rfind(","))]
            if THINKRACE.event(_code(head[2] + head[3], text[head.end() :].split(","))).kind in _SALVAGED:
                return [self._signal(damage.raw, text)]
        if self._guard.is_foreign or _WIFI_TAIL.fullmatch(damage.raw):
            return []
        return [damage.reject(NAME, self._who)]

    def _signal(self, raw: bytes, text: str) -> Signal:
        head = _HEAD.match(text)
        assert head is not None  # the cutter found it
        command = head[2] + head[3]
        fields = [field.strip() for field in text[head.end() :].split(",")]
        code = _code(command, fields)
        fix = _FIX.match(fields[0]) if command in _POSITIONS else None
        # Without a fix the time may be that of the last fix. An alarm would look hours old, or be taken for a retry.
        stated = moment(*fix.group(1, 2, 3, 12, 13, 14)) if fix and fix[4] == _FIXED else _clock(fields)
        at, clock = believed(stated)
        who = self._meet(command, fields)
        is_dated = at is not None or (fix is None and _DATED.fullmatch(fields[-1]))
        return Signal(
            protocol=NAME,
            id=who,
            event=THINKRACE.event(code),
            raw=raw,
            text="" if fix or command == _LOGIN or command in _MEDIA else text[head.end() :].strip(","),
            occurred_at=at,
            position=_position(fix, at) if fix else None,
            measurements=_fix_measurements(fix) if fix else _measurements(command, code, fields),
            details={**_details(command, fields), **clock},
            identity=_identity(who, raw) if is_dated else b"",
        )

    def _meet(self, command: str, fields: Sequence[str]) -> AccountId:
        """Return the device that a message names, or else the device to which the connection belongs."""
        imei = next(filter(_IMEI.fullmatch, fields[:2]), "")
        named = AccountId("", "", imei) if imei else NO_ACCOUNT
        if command == _LOGIN or self._who is NO_ACCOUNT:
            self._who = named
        return named if imei else self._who


def _identity(who: AccountId, raw: bytes) -> bytes:
    """Return what a retry repeats: the device and the whole dated message; b"" for a caller without a name."""
    if who is NO_ACCOUNT:
        return b""
    return blake2b(f"{NAME}\0{who.account}\0".encode() + raw, digest_size=16).digest()


def _subject(command: str, fields: Sequence[str]) -> str:
    """Return the subject of a command: the alarm, the kind of reading, or whether the watch is worn; "" if it has none.

    Some servers' papers put the alarm in front as a word: IWAP10SOS,IMEI,time ...
    """
    if command == _ALARM and fields[0].strip().isalpha():
        return fields[0].strip().upper()
    at = _SUBJECTS.get(command, len(fields))
    return fields[at].strip() if at < len(fields) else ""


def _code(command: str, fields: Sequence[str]) -> str:
    """Return the command, with its subject if the table distinguishes subjects, whatever the rest looks like.

    An alarm report without that field is an alarm of an unknown kind.
    """
    subject = _subject(command, fields)
    return command if command not in _SUBJECTS or subject == _NO_ALARM else f"{command}.{subject}"


def _clock(fields: Sequence[str]) -> datetime | None:
    """Return the Unix time at the end of a message that names its device; no time zone can make it wrong."""
    unix = _UNIX.fullmatch(fields[-1]) if any(map(_IMEI.fullmatch, fields[:2])) else None
    return datetime.fromtimestamp(int(unix[1]), UTC) if unix else None


def _details(command: str, fields: Sequence[str]) -> dict[str, str]:
    """Return the cells and networks after a position, which are better than nothing if there is no fix."""
    networks = ",".join(fields[1:]) if command in _POSITIONS else ""
    return {"networks": networks} if networks else {}


def _position(fix: re.Match[str], at: datetime | None) -> Position | None:
    """Return the place, sent in degrees and minutes; None for V, which is often the last place or a placeholder."""
    if fix[4] != _FIXED:
        return None
    latitude = int(fix[5]) + float(fix[6]) / 60
    longitude = int(fix[8]) + float(fix[9]) / 60
    return place(
        round(signed(latitude, fix[7]), 6),
        round(signed(longitude, fix[10]), 6),
        source="gps",
        at=at,
    )


def _fix_measurements(fix: re.Match[str]) -> dict[str, float]:
    names = ("speed_kmh", "course", "gsm", "satellites", "battery")
    return measured(zip(names, (field or "" for field in fix.group(11, 15, 16, 17, 18)), strict=True))


def _measurements(command: str, code: str, fields: Sequence[str]) -> Mapping[str, float]:
    """Return the measurements of health messages and heartbeats; 0 means that there was no reading.

    Watches disagree about which of the two pressures comes first; the higher one is the systolic.
    """
    if command in _HEARTBEATS and (link := _LINK.match(",".join(fields))):
        return measured(zip(("gsm", "satellites", "battery"), link.groups(), strict=True))
    readings = ",".join(fields[1:]).replace("|", ",").split(",")
    values = measured((name, text) for name, text in zip(THINKRACE.find(code).measures, readings, strict=False) if name)
    pressures = sorted(values[name] for name in _PRESSURES if name in values)
    if len(pressures) == len(_PRESSURES):
        values.update(zip(_PRESSURES, pressures, strict=True))
    return {name: value for name, value in values.items() if value or name == "battery"}
