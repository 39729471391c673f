"""Reads an Eview data report (command 0x01), which holds many records and alarms anywhere among them.

    01 IMEI, 24 status (opens a record), 02 alarm, then keys that name a place, steps, heart rate ...

Records have no separators. In practice 0x24 opens one, and a key that names a place belongs to the record before it.
Every alarm (0x02) of a message is read, with any keys around it. It has the place of its own record, or no place.
A message becomes one signal for each alarm bit (most urgent first), for each place that no alarm has, for each
measurement with a time of its own, and for the rest: the device's last state and unknown keys. Only a message without
any content is a heartbeat, which the intake counts and does not keep.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import NO_MEASUREMENTS, NOTHING, Phase, Signal
from vetlla.protocols.codes.tables import EVIEW
from vetlla.protocols.eview.body import read_alarm, read_call, read_charge, read_place, read_status, read_values
from vetlla.protocols.framing.fields import NO_ACCOUNT, believed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from vetlla.domain.signals import AccountId, Event, Position
    from vetlla.protocols.eview.body import Whereabouts

NAME: Final = "eview"
MAX_EVENTS: Final = 512
"""Most signals of one message. 8 KiB hold about 400 records; the least urgent of more signals stay in the raw bytes."""

_ALARM, _STATUS, _CHARGE, _CALL = 0x02, 0x24, 0x14, 0x25
_SILENT: Final = frozenset({0x01, 0x10, 0x37})
"""IMEI, heartbeat, and the number of barks that a pet's collar counted."""
_GPS: Final = "gps"
_REPORT, _POSITION, _ALIVE = EVIEW.event("01"), EVIEW.event("key24"), EVIEW.event("key10")
_UNREADABLE: Final = "key02"
_VALUES: Final[Mapping[int, tuple[str, int]]] = {
    0x30: ("steps", 8),
    0x31: ("activity", 8),
    0x40: ("heart_rate", 5),
    0x41: ("spo2", 5),
}
_HEALTH: Final = frozenset({0x40, 0x41})
_NO_READING: Final = (0, 1)
_HISTORY, _CHARGING = 1 << 7, 1 << 4
_LIFE_BITS: Final = (12, 2, 11, 3, 18, 19, 21, 22, 23, 30, 4, 5, 6, 7)
_ALARM_BITS: Final = (*_LIFE_BITS, 13, 14, 24, 25, 0, 8, 17, 20, 10, 9, 1, 15, 16, 31)
"""Most urgent first. 26 to 29 only say in which direction the fences 4 to 7 were crossed."""
_FENCES: Final = {4: 26, 5: 27, 6: 28, 7: 29}


class _Record:
    """The content of one 0x24 and the keys after it; a message without 0x24 is one record of unknown time."""

    __slots__ = ("at", "buffered", "details", "is_placed", "measurements", "position")

    def __init__(self, at: datetime | None = None, word: int | None = None) -> None:
        self.at, clock = believed(at)
        self.buffered = bool(word and word & _HISTORY)
        self.position: Position | None = None
        self.is_placed = False
        self.measurements: dict[str, float] = {}
        self.details = dict(clock)
        if word is not None:
            self.measurements = {"battery": word >> 24, "gsm": word >> 19 & 0x1F}
            if word & _CHARGING:
                self.details["charging"] = "yes"

    def put(self, place: Whereabouts) -> None:
        """Add what a key says about the place; coordinates of a satellite fix replace all others.

        Several beacons or cells stand side by side; the one to which the coordinates belong comes first.
        """
        self.is_placed = True
        if place.position is not None and (self.position is None or place.position.source == _GPS):
            self.position = place.position
            self.measurements = {**self.measurements, **place.measurements}
            self.details = side_by_side(place.details, self.details)
        else:
            self.measurements = {**place.measurements, **self.measurements}
            self.details = side_by_side(self.details, place.details)


def side_by_side(first: Mapping[str, str], then: Mapping[str, str]) -> dict[str, str]:
    """Return both; different values of one name stand side by side."""
    both = {
        name: f"{first[name]}, {value}" if first.get(name, value) != value else value for name, value in then.items()
    }
    return {**first, **both}


class _Alarm(NamedTuple):
    """One bit of one 0x02, with the alarm's own time and the record before it."""

    code: str
    urgency: int
    phase: Phase | None
    at: datetime | None
    clock: Mapping[str, str]
    record: _Record


class _Reading(NamedTuple):
    """A measurement with a time of its own, or a call; it has no place."""

    key: int
    at: datetime | None
    details: Mapping[str, str]
    measurements: Mapping[str, float] = NO_MEASUREMENTS
    position: Position | None = None
    buffered: bool = False


class _Part(NamedTuple):
    """The content of one signal of a message."""

    event: Event
    at: datetime | None
    said: _Record | _Reading
    details: Mapping[str, str] = NOTHING
    """Details besides those of ``said``."""
    own_at: datetime | None = None
    """An alarm's own time. A stored alarm that comes again in another frame has only this in common with the first."""


class _Message:
    """The keys of one message, sorted by what they say."""

    def __init__(self, keys: Sequence[tuple[int, bytes]]) -> None:
        self.records: list[_Record] = []
        self.readings: list[_Reading] = []
        self.details: Mapping[str, str] = NOTHING
        self._alarms: list[tuple[bytes, _Record | None]] = []
        for key, value in keys:
            self._take(key, value)

    @property
    def alarms(self) -> list[_Alarm]:
        """The alarms, most urgent first, each bit once for each time."""
        if not self._alarms:
            return []
        # An alarm before any record belongs to the only record; with several records it is ambiguous.
        only = self.records[0] if len(self.records) == 1 else _Record()
        found: dict[tuple[str, datetime | None], _Alarm] = {}
        for value, before in self._alarms:
            for alarm in _read_alarms(value, before or only):
                found.setdefault((alarm.code, alarm.at or alarm.record.at), alarm)
        return sorted(found.values(), key=lambda alarm: alarm.urgency)

    def _take(self, key: int, value: bytes) -> None:
        if key == _ALARM and _is_alarm(value):
            self._alarms.append((value, self.records[-1] if self.records else None))
        elif key == _STATUS:
            status = read_status(value)
            self.records.append(_Record(*status) if status else _Record())
            if status is None:  # the keys after it do not belong to the record before it
                self._keep(key, value)
        elif key in _VALUES:
            self._take_values(key, value)
        elif key == _CALL and (call := read_call(value)) is not None:
            at, clock = believed(call.at)
            self.readings.append(_Reading(key, at, {**call.details, **clock}))
        elif key == _CHARGE:
            self._record().measurements.update(read_charge(value))
        elif key not in _SILENT:
            found = read_place(key, value, self.records[-1].at if self.records else None)
            if found is not None:
                self._record().put(found)
            else:
                self._keep(key, value)

    def _keep(self, key: int, value: bytes) -> None:
        """Keep a key that cannot be read, in hex."""
        self.details = side_by_side(self.details, {f"key{key:02X}": value.hex()})

    def _take_values(self, key: int, value: bytes) -> None:
        name, size = _VALUES[key]
        for at, measured in read_values(value, size):
            if key not in _HEALTH or measured not in _NO_READING:
                self.readings.append(_Reading(key, *believed(at), {name: measured}))

    def _record(self) -> _Record:
        if not self.records:
            self.records.append(_Record())
        return self.records[-1]


def _is_alarm(value: bytes) -> bool:
    """Return True if a 0x02 has an alarm bit, or cannot be read; 0 means that there is no alarm."""
    alarm = read_alarm(value)
    return alarm is None or any(alarm[0] >> bit & 1 for bit in _ALARM_BITS)


def _read_alarms(value: bytes, record: _Record) -> Iterator[_Alarm]:
    """Yield the alarms of one 0x02. One that is too short to be read is an alarm of an unknown kind."""
    alarm = read_alarm(value)
    if alarm is None:
        yield _Alarm(_UNREADABLE, len(_LIFE_BITS), None, None, NOTHING, record)
        return
    code, stated = alarm
    at, clock = believed(stated)
    for urgency, bit in enumerate(_ALARM_BITS):
        if code >> bit & 1:
            is_entered = bit in _FENCES and code >> _FENCES[bit] & 1
            phase, less_urgent = (Phase.RESTORE, len(_ALARM_BITS)) if is_entered else (None, 0)
            yield _Alarm(f"bit{bit}", urgency + less_urgent, phase, at, clock, record)


def report(
    who: AccountId, raw: bytes, sequence: str, keys: Sequence[tuple[int, bytes]], kept: Mapping[str, str]
) -> list[Signal]:
    """Return the signals of a data report, alarms first.

    ``keys`` are the keys after the command; ``kept`` holds the bytes after them, as a detail of each signal.
    """
    parts = _parts(_Message(keys), kept)
    return [
        Signal(
            NAME,
            who,
            part.event,
            raw,
            sequence=sequence,
            occurred_at=part.at,
            position=part.said.position,
            measurements=part.said.measurements,
            details={**kept, **part.said.details, **part.details},
            identity=_identity(who, raw, part, number),
            buffered=part.said.buffered,
            part=number,
            parts=len(parts),
        )
        for number, part in enumerate(parts, 1)
    ]


def _parts(message: _Message, kept: Mapping[str, str]) -> list[_Part]:
    """Return alarms, most urgent first, then places, then measurements, then the rest."""
    alarms = message.alarms[:MAX_EVENTS]
    alarmed = {id(alarm.record) for alarm in alarms}
    parts = [_alarm_part(alarm) for alarm in alarms]
    placed = [record for record in message.records if record.is_placed]
    parts += [_Part(_POSITION, record.at, record) for record in placed if id(record) not in alarmed]
    parts += [_Part(EVIEW.event(f"key{reading.key:02X}"), reading.at, reading) for reading in message.readings]
    left = _left(message, alarmed, kept)
    if left is not None:
        del parts[MAX_EVENTS - 1 :]
        parts.append(left)
    return parts[:MAX_EVENTS] or [_Part(_ALIVE, None, _Record())]


def _left(message: _Message, alarmed: AbstractSet[int], kept: Mapping[str, str]) -> _Part | None:
    """Return what no other part holds: unknown keys, and the device's state by its last record.

    ``alarmed`` has the ids of the records that the alarms show.
    """
    last = message.records[-1] if message.records else None
    if last is None or last.is_placed or id(last) in alarmed:
        if not message.details and not kept:
            return None
        last = _Record()
    return _Part(_REPORT, last.at, last, side_by_side({**kept, **last.details}, message.details))


def _alarm_part(alarm: _Alarm) -> _Part:
    event = EVIEW.event(alarm.code)
    if alarm.phase is not None:
        event = event._replace(phase=alarm.phase)
    return _Part(event, alarm.at or alarm.record.at, alarm.record, alarm.clock, alarm.at)


def _identity(who: AccountId, raw: bytes, part: _Part, number: int) -> bytes:
    """Return what a repeated alarm has in common with the first: its own time, or else the whole frame.

    Two equal frames without a time may be two events, because numbers start again after a restart. So such a frame is
    never a retry.
    """
    if part.at is None or who is NO_ACCOUNT:
        return b""
    prefix = f"{NAME}\0{who.account}\0{part.event.code}\0"
    if part.own_at is not None:
        return blake2b(f"{prefix}{part.own_at.isoformat()}".encode(), digest_size=16).digest()
    return blake2b(f"{prefix}{number}\0".encode() + raw, digest_size=16).digest()
