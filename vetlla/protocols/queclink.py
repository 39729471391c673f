"""Queclink @Track text over TCP or UDP: lone-worker and GPS pendants (GL100 to GL530, GL320M, GL50, GB100 ...).

    +RESP:GTSOS,020102,135790246811220,,0,0,1,1,4.3,92,70.0,121.354335,31.222073,20090214013254,0460,...,11F0$
    +BUFF:GT...                     the same, stored while there was no link: a buffered SOS is an SOS
    +ACK:GTHBD,1A0401,135790246811220,,20100214093254,11F0$             heartbeat
    +SACK:11F0$    +SACK:GTHBD,1A0401,11F0$                             our answers, which echo the count

    head        protocol version (six characters, ten on newer models), IMEI or 14-digit MEID, name from its settings
    position    accuracy (0 = last known), speed km/h, azimuth, altitude m, LONGITUDE, LATITUDE, time of the fix (UTC)
    tail        time of sending (local time on some), count of four hex digits

The oldest, GL100 and GT300, have neither version nor name in front. Their accuracy comes after the altitude, and their
version after the count. They are answered in their own form:

    +RESP:GTSOS,359231030000010,0,0,0,1,4.3,92,70.0,1,121.354335,31.222073,20090101000000,...,11F0,0102120204$
    +SRVACK:11F0$
    AT+GTHBD=HeartBeat,359231030000010,20090101000000,11F0,0102120204$
    +RESP:GTHBD,GPRS ACTIVE,HeartBeat,359231030000010,20090101000000,11F0$

The middle varies by model. So the head is read from the left, the count from the right, and positions are found by
their form. The sources are the maker's papers for GL100, GT300 and GL300, and Traccar's decoders with their tests. Only
GT300's paper has a report of a fall (GTMSA). docs/protocols/queclink.md says what it was tested with.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import AccountId, Event, Kind, Phase, Signal, VerdictOutcome
from vetlla.protocols.codes.tables import QUECLINK
from vetlla.protocols.framing.charset import readable
from vetlla.protocols.framing.delimited import Delimited
from vetlla.protocols.framing.fields import NO_ACCOUNT, believed, measured, moment, number, place
from vetlla.protocols.framing.foreign import HEAD, ForeignProtocolGuard

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vetlla.domain.signals import Item, Verdict
    from vetlla.protocols.decoder import KeyLookup
    from vetlla.protocols.framing.delimited import Piece

NAME: Final = "queclink"
MAX_FRAME: Final = 2048
"""A report is configured to hold at most fifteen positions, which have about 1,300 bytes."""
MAX_PENDING: Final = MAX_FRAME + HEAD

_OPENING: Final = rb"(?:\+(?:RESP|BUFF|ACK):|AT\+)GT[0-9A-Z]{3}[,=]"
_PREFIX: Final = re.compile(r"(?:\+(RESP|BUFF|ACK):|AT\+)(GT[0-9A-Z]{3})", re.ASCII)
_ID: Final = re.compile(r"\d{15}|[0-9A-Fa-f]{14}", re.ASCII)
_TIME: Final = re.compile(r"\d{14}", re.ASCII)
_COUNT: Final = re.compile(r"[0-9A-Fa-f]{4}", re.ASCII)
_OLD_VERSION: Final = re.compile(r"\d{10}", re.ASCII)
_CHARGE: Final = re.compile(r"100|\d{1,2}", re.ASCII)
_TERMINATORS: Final = (b"$", b"\0")

_HEARTBEAT: Final = "GTHBD"
_CHARGED: Final = frozenset({"GTFRI", "GTRTL", "GTSOS", "GTPNL", "GTNMR", "GTWIF"})
"""Reports whose last field before the time of sending is the battery's charge; in others it may be the odometer."""
_ENDS: Final = frozenset({"GTNMR", "GTGEO"})
"""Reports whose type may show an end: 1 means "moving again", or "back in the fence" (paper for GL300, 3.3.1.1)."""
_ENDED: Final = "1"
_CELLS: Final = "GTGSM"
_FOR_SOS: Final = "SOS"
"""First field of a report of cells, after the ID or the name. It names the report for which no place was found."""
_STORED: Final = "BUFF"
_COMMAND: Final = "ACK"
_ALARMS: Final = frozenset(
    {
        Kind.PERSONAL_EMERGENCY,
        Kind.FALL,
        Kind.INACTIVITY,
        Kind.WANDERING,
        Kind.TEMPERATURE,
        Kind.GENERAL_ALARM,
        Kind.UNKNOWN,
    }
)
"""Kinds that are reported even if the report was cut off."""


class QueclinkDecoder:
    """Decodes one connection or one datagram."""

    def __init__(self, _: KeyLookup) -> None:
        self._cutter = Delimited(_OPENING, rb"[$\0]", longest_opening=12, max_frame=MAX_FRAME)
        self._opening = re.compile(_OPENING)
        self._guard = ForeignProtocolGuard(NAME, "Queclink @Track", self._opening)

    def feed(self, data: bytes) -> list[Item]:
        """Take the next bytes, cut anywhere; return the items that they complete."""
        return self._guard.look(data) + self._items(self._cutter.feed(data))

    def finish(self) -> list[Item]:
        """Take the end of the stream or of the datagram; return the last items."""
        return self._guard.finish() + self._items(self._cutter.finish())

    def answer(self, signal: Signal, verdict: Verdict, now: datetime) -> bytes:  # noqa: ARG002 the contract's
        """Return an answer with the count as received; b"" if no count can be read, or for an answer to a command.

        It is sent whether or not the device was set to want it. A device that wants it and misses it sends again, then
        stores the report.
        """
        raw = signal.raw
        report = _read(readable(raw[:-1]))
        if not raw.endswith(_TERMINATORS) or not report.serial:
            return b""
        if verdict.outcome is VerdictOutcome.REFUSED or signal.part != signal.parts:
            return b""
        reply = _reply(report)
        end = raw[-1:] if report.is_old else b"$"
        return reply.encode() + end if reply else b""

    def _items(self, pieces: Sequence[Piece]) -> list[Item]:
        items: list[Item] = []
        for piece in pieces:
            if isinstance(piece, bytes):
                items += _signals(piece, _read(readable(piece[:-1])))
                continue
            # This report was cut off. Its last field may be incomplete, but its alarm still counts.
            report = _read(readable(piece.raw).rpartition(",")[0] + ",") if self._opening.match(piece.raw) else None
            signals = _signals(piece.raw, report) if report else []
            if signals and signals[0].event.kind in _ALARMS:
                items += signals
            elif not self._guard.is_foreign:
                items.append(piece.reject(NAME, report.who if report else None))
        return items


class _Report(NamedTuple):
    """The parts of a report. ``fields`` are those between head and count, including the time of sending."""

    prefix: str
    name: str
    version: str
    who: AccountId
    owner: str
    fields: list[str]
    sent: str
    serial: str
    """Its count, which our answer echoes."""
    is_over: bool
    """True if its type says that the condition has ended."""
    is_old: bool
    """True if it has the form of GL100."""


def _read(text: str) -> _Report:
    """Return the parts of a report, whatever is missing or odd in its head and tail.

    Versions are not checked: any field before the one that looks like an IMEI or MEID is a version.
    """
    first, *fields = (field.strip() for field in text.split(","))
    opening = _PREFIX.match(first)
    prefix, name = (opening[1] or "", opening[2]) if opening else ("", "")
    has_version = len(fields) > 1 and _ID.fullmatch(fields[1]) and not _ID.fullmatch(fields[0])
    version = fields.pop(0) if has_version else ""
    number = fields.pop(0) if fields and _ID.fullmatch(fields[0]) else ""
    owner = fields.pop(0) if has_version and fields else ""
    is_old = len(fields) > 1 and not has_version and bool(_OLD_VERSION.fullmatch(fields[-1]))
    if is_old:
        fields.pop()
    count = fields.pop() if fields and _COUNT.fullmatch(fields[-1]) else ""
    sent = fields[-1] if count and fields and _TIME.fullmatch(fields[-1]) else ""
    who = AccountId("", "", number) if number else NO_ACCOUNT
    is_over = bool(has_version) and name in _ENDS and fields[1:2] == [_ENDED]
    return _Report(
        prefix=prefix,
        name=name,
        version=version,
        who=who,
        owner=owner,
        fields=fields,
        sent=sent,
        serial=count,
        is_over=is_over,
        is_old=is_old or not prefix,
    )


def _reply(report: _Report) -> str:
    """Return the answer without its last byte; "" for an answer to a command."""
    is_heartbeat = report.name == _HEARTBEAT
    if report.is_old:
        if is_heartbeat:
            return f"+RESP:GTHBD,GPRS ACTIVE,HeartBeat,{report.who.account},{report.sent},{report.serial}"
        return "" if report.prefix == _COMMAND else f"+SRVACK:{report.serial}"
    if report.prefix != _COMMAND:
        return f"+SACK:{report.serial}"
    return f"+SACK:GTHBD,{report.version},{report.serial}" if is_heartbeat else ""


def _signals(raw: bytes, report: _Report) -> list[Signal]:
    """Return a report's event with the newest position, and one signal for each older position."""
    is_answer = report.prefix == _COMMAND and report.name != _HEARTBEAT
    code = f"{_COMMAND}.{report.name}" if is_answer else report.name
    if report.name == _CELLS and _FOR_SOS in (report.owner, *report.fields[:1]):
        code = f"{_CELLS}.{_FOR_SOS}"
    event = QUECLINK.event(code)
    if report.is_over and not is_answer:
        event = event._replace(phase=Phase.RESTORE)
    groups = [] if report.prefix == _COMMAND else _groups(report.fields)
    known = {"name": report.owner, "send_time": report.sent}
    signal = Signal(
        protocol=NAME,
        id=report.who,
        event=event,
        raw=raw,
        text="" if groups or report.prefix == _COMMAND else ",".join([*report.fields, report.serial]),
        sequence=report.serial,
        measurements=_measurements(report, code),
        details={name: value for name, value in known.items() if value},
        buffered=report.prefix == _STORED,
        parts=len(groups) or 1,
    )
    sent = report.sent or (groups[0].fixed if groups and report.is_old else "")
    signal = signal._replace(identity=_identity(signal, sent, 1))
    if not groups:
        return [signal]
    older = Event(Kind.POSITION, Phase.STATUS, code, QUECLINK.system)
    return [_located(signal, group, event if part == 1 else older, sent, part) for part, group in enumerate(groups, 1)]


class _Group(NamedTuple):
    """One position of a report. The time of the fix comes first, so that positions sort by it."""

    fixed: str
    cell: str
    accuracy: str
    speed: str
    azimuth: str
    altitude: str
    longitude: str
    latitude: str


def _groups(fields: Sequence[str]) -> list[_Group]:
    """Return the positions, newest first. A time after two decimal numbers shows a position."""
    return sorted((_group(fields, at) for at in range(6, len(fields)) if _is_fix(fields, at)), reverse=True)


def _is_fix(fields: Sequence[str], at: int) -> bool:
    return "." in fields[at - 1] and "." in fields[at - 2] and _TIME.fullmatch(fields[at]) is not None


def _group(fields: Sequence[str], at: int) -> _Group:
    """Return the position that ends at a time.

    GL100 has the altitude, always with a decimal point, one field earlier than all other models, and the accuracy in
    its place. Its paper and real frames disagree about which value of the field "fix" means a good fix.
    """
    cell = "-".join(filter(None, fields[at + 1 : at + 5]))
    accuracy, speed, azimuth, altitude = fields[at - 6 : at - 2]
    if "." in azimuth and altitude.isdigit():
        accuracy, speed, azimuth, altitude = altitude, accuracy, speed, azimuth
    return _Group(fields[at], cell, accuracy, speed, azimuth, altitude, *fields[at - 2 : at])


def _located(signal: Signal, group: _Group, event: Event, sent: str, part: int) -> Signal:
    """Return the signal with a position.

    An accuracy of 0 means the last known place. A live report does not get its time, which would make it look hours
    old. For a stored report it is the best sign of its age, because the time of sending may be local time.
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
        identity=_identity(signal, sent, part),
        part=part,
    )


def _measurements(report: _Report, code: str) -> dict[str, float]:
    """Return the fields after the head that the table names, and the charge at the end of a report."""
    named = measured(
        (name, text) for name, text in zip(QUECLINK.find(code).measures, report.fields, strict=False) if name
    )
    rest = report.fields[: -1 if report.sent else None]
    is_charged = report.name in _CHARGED and report.serial and not report.is_old and rest
    return named | (measured([("battery", rest[-1])]) if is_charged and _CHARGE.fullmatch(rest[-1]) else {})


def _identity(signal: Signal, sent: str, part: int) -> bytes:
    """Return what a retry repeats, even if stored meanwhile: device, report, count (it wraps) and time of sending."""
    if signal.id is NO_ACCOUNT or not sent or signal.event.kind is Kind.HEARTBEAT:
        return b""
    parts = (NAME, signal.id.account, signal.event.code, signal.sequence.upper(), sent, str(part))
    return blake2b("\0".join(parts).encode(), digest_size=16).digest()
