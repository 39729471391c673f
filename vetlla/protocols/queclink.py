"""Queclink @Track text over TCP or UDP: lone-worker and GPS pendants (GL200, GL300, GL500, GL520, GL530).

    +RESP:GTSOS,020102,135790246811220,,0,0,1,1,4.3,92,70.0,121.354335,31.222073,20090214013254,0460,...,11F0$
    +BUFF:GT...                     the same, stored while there was no link: a buffered SOS is an SOS
    +ACK:GTHBD,1A0401,135790246811220,,20100214093254,11F0$             heartbeat
    +SACK:11F0$    +SACK:GTHBD,1A0401,11F0$                             our answers: the count, echoed

    head        protocol version (some old models have none), IMEI or 14-digit MEID, name given by whoever set it up
    position    accuracy (0 = last known), speed km/h, azimuth, altitude m, LONGITUDE, LATITUDE, time of the fix (UTC)
    tail        time of sending (local time on some), count of four hex digits

The middle varies by model, so that the head is read from the left, the count from the right, and positions where their
form shows them. After Traccar's decoder, its tests and public frames. No public source shows a fall report or GTFKS as
one: what is not in the table is stored as unknown and shown. Tested with: docs/protocols/queclink.md.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.protocols.charset import readable
from vetlla.protocols.codes import QUECLINK
from vetlla.protocols.delimited import Delimited
from vetlla.protocols.foreign import HEAD, Door
from vetlla.protocols.terminals import NOBODY, believed, measured, moment, number, place
from vetlla.signals import AccountId, Event, Kind, Outcome, Phase, Signal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vetlla.protocols.decoder import KeyLookup
    from vetlla.protocols.delimited import Piece
    from vetlla.signals import Item, Verdict

NAME: Final = "queclink"
MAX_FRAME: Final = 2048
"""Fifteen positions, the most a report is configured to hold, have about 1,300 bytes."""
MAX_PENDING: Final = MAX_FRAME + HEAD

_OPENING: Final = rb"\+(?:RESP|BUFF|ACK):GT[A-Z]{3},"
_HEAD: Final = re.compile(
    r"\+(RESP|BUFF|ACK):(GT[A-Z]{3}),(?:([0-9A-Fa-f]{6}|\d{10})?,)?\s*(\d{15}|[0-9A-Fa-f]{14}),([^,]*),", re.ASCII
)
_TAIL: Final = re.compile(r",(\d{14})?,\s*([0-9A-Fa-f]{4})\s*$", re.ASCII)
_COUNT: Final = re.compile(rb",\s*([0-9A-Fa-f]{4})\s*[$\0]$")
_VERSION: Final = re.compile(rb"[^,]*,([0-9A-Fa-f]{6}|\d{10}),")

_CHARGE: Final = re.compile(r",(100|\d{1,2}),(?:\d{14})?,\s*[0-9A-Fa-f]{4}\s*$", re.ASCII)

_TIME_DIGITS: Final = 14
_HEARTBEAT: Final = "GTHBD"
_LOW_BATTERY: Final = "GTBPL"
_CHARGED: Final = frozenset({"GTFRI", "GTRTL", "GTSOS"})
"""Reports whose third field from the end is a charge; in others it may be the odometer."""
_STORED: Final = "BUFF"
_COMMAND: Final = "ACK"
_ALARMS: Final = frozenset({Kind.PERSONAL_EMERGENCY, Kind.INACTIVITY, Kind.WANDERING, Kind.TEMPERATURE, Kind.UNKNOWN})


class QueclinkDecoder:
    """One connection or one datagram."""

    def __init__(self, _: KeyLookup) -> None:
        self._cutter = Delimited(_OPENING, rb"[$\0]", longest_opening=12, max_frame=MAX_FRAME)
        self._opening = re.compile(_OPENING)
        self._door = Door(NAME, "Queclink @Track", self._opening)

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes, cut anywhere; return what they complete."""
        return self._door.look(data) + self._items(self._cutter.feed(data))

    def finish(self) -> list[Item]:
        """Say that the stream, or the datagram, ended."""
        return self._items(self._cutter.finish())

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:  # noqa: ARG002 the contract's
        """Return the SACK with the count as received; b"" where none can be read, or for an answer to a command.

        It is sent whether or not the device was set to want it: without it those that do send again, then store.
        """
        count = _COUNT.search(signal.raw)
        if count is None or verdict.outcome is Outcome.REFUSED or signal.part != signal.parts:
            return b""
        if not signal.raw.startswith(b"+ACK:"):
            return b"+SACK:%b$" % count[1]
        version = _VERSION.match(signal.raw)
        if signal.event.code != _HEARTBEAT:
            return b""
        return b"+SACK:GTHBD,%b,%b$" % (version[1] if version else b"", count[1])

    def _items(self, pieces: Sequence[Piece]) -> list[Item]:
        items: list[Item] = []
        for piece in pieces:
            if isinstance(piece, bytes):
                items += _signals(piece, readable(piece[:-1]))
                continue
            # A report that was cut off: its last field may be half of one, its alarm is none the less.
            text = readable(piece.raw).rpartition(",")[0] + ","
            signals = _signals(piece.raw, text) if self._opening.match(piece.raw) else []
            if signals and signals[0].event.kind in _ALARMS:
                items += signals
            elif not self._door.is_foreign:
                head = _HEAD.match(text)
                items.append(piece.reject(NAME, AccountId("", "", head[4]) if head else None))
        return items


def _signals(raw: bytes, text: str) -> list[Signal]:
    """Return what a report says: its event with the newest position, and one signal for each position before that."""
    prefix, _, report = text[1:].partition(":")
    report = report[:5]
    head = _HEAD.match(text)
    tail = _TAIL.search(text)
    code = report if prefix != _COMMAND or report == _HEARTBEAT else f"{_COMMAND}.{report}"
    event = QUECLINK.event(code)
    groups = _groups(text) if prefix != _COMMAND else []
    known = {"name": head[5] if head else "", "send_time": tail[1] or "" if tail else ""}
    signal = Signal(
        protocol=NAME,
        id=AccountId("", "", head[4]) if head else NOBODY,
        event=event,
        raw=raw,
        text="" if groups or prefix == _COMMAND or not head else text[head.end() :],
        sequence=tail[2] if tail else "",
        measurements=_battery(report, text, head),
        details={name: said for name, said in known.items() if said},
        buffered=prefix == _STORED,
        parts=len(groups) or 1,
    )
    signal = signal._replace(identity=_identity(signal, 1))
    if not groups:
        return [signal]
    older = Event(Kind.POSITION, Phase.STATUS, code, QUECLINK.system)
    return [_located(signal, group, event if part == 1 else older, part) for part, group in enumerate(groups, 1)]


class _Group(NamedTuple):
    """One position as it stands in a report; its fields sort by the time of the fix."""

    fixed: str
    cell: str
    accuracy: str
    speed: str
    azimuth: str
    altitude: str
    longitude: str
    latitude: str


def _groups(text: str) -> list[_Group]:
    """Return the positions, newest first: where a time stands behind two decimal numbers."""
    fields = text.split(",")
    return sorted(
        (
            _Group(fields[at], "-".join(filter(None, fields[at + 1 : at + 5])), *fields[at - 6 : at])
            for at in range(6, len(fields))
            if len(fields[at]) == _TIME_DIGITS and "." in fields[at - 1] and "." in fields[at - 2]
        ),
        reverse=True,
    )


def _located(signal: Signal, group: _Group, event: Event, part: int) -> Signal:
    """Return the signal with a position.

    An accuracy of 0 is the last place known. Its time is no news about a live report, which would look hours old by
    it; of a stored one it is the best that is known about its age, since the time of sending may be local time.
    """
    digits = group.fixed
    at, clock = believed(moment(digits[:4], digits[4:6], digits[6:8], digits[8:10], digits[10:12], digits[12:]))
    is_last = not number(group.accuracy)
    names = (("speed_kmh", group.speed), ("course", group.azimuth))
    return signal._replace(
        event=event,
        occurred_at=at if not is_last or signal.buffered or event.kind is Kind.POSITION else None,
        position=place(
            number(group.latitude),
            number(group.longitude),
            source="last" if is_last else "gps",
            at=at,
            altitude_m=number(group.altitude),
        ),
        measurements={**signal.measurements, **measured(names)} if part == 1 else measured(names),
        details={**signal.details, **({"cells": group.cell} if group.cell else {}), **clock},
        identity=_identity(signal, part),
        part=part,
    )


def _battery(report: str, text: str, head: re.Match[str] | None) -> dict[str, float]:
    """Return the charge: volts in front of a low-battery report's position, per cent third from a position's end."""
    if report == _LOW_BATTERY and head:
        return measured([("battery_v", text[head.end() :].partition(",")[0])])
    found = _CHARGE.search(text) if report in _CHARGED else None
    return measured([("battery", found[1])]) if found else {}


def _identity(signal: Signal, part: int) -> bytes:
    """Return what a retry repeats, stored meanwhile or not: device, report, count (it wraps) and time of sending."""
    sent = signal.details.get("send_time")
    if signal.id is NOBODY or not sent or signal.event.kind is Kind.HEARTBEAT:
        return b""
    said = (NAME, signal.id.account, signal.event.code, signal.sequence.upper(), sent, str(part))
    return blake2b("\0".join(said).encode(), digest_size=16).digest()
