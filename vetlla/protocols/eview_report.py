"""What an Eview data report (command 0x01) says: many records in one message, alarms anywhere among them.

    01 IMEI, 24 status (opens a record), 02 alarm, then keys that name a place, steps, heart rate ...

Records have no separators: 0x24 opens one in practice, and what names a place belongs to the record before it. Alarms
stand by themselves: every 0x02 of a message is read, whatever the keys around it are like; its place is that of its own
record or none. A message becomes one signal for each alarm bit (most urgent first), for each place no alarm has, for
each measurement with a time of its own; at least one, so that it can be acknowledged.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.protocols.codes import EVIEW
from vetlla.protocols.eview_body import read_alarm, read_call, read_charge, read_place, read_status, read_values
from vetlla.protocols.terminals import NOBODY, is_set
from vetlla.signals import NO_MEASUREMENTS, NOTHING, Phase, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from vetlla.protocols.eview_body import Place
    from vetlla.signals import AccountId, Event, Position

NAME: Final = "eview"
MAX_EVENTS: Final = 512
"""Signals of one message. 8 KiB have room for some 400 records; the least urgent beyond are left in the raw bytes."""

_ALARM, _STATUS, _CHARGE, _CALL = 0x02, 0x24, 0x14, 0x25
_SILENT: Final = frozenset({0x01, 0x10, 0x37})
"""IMEI, heartbeat, and the barks a pet's collar counted."""
_GPS: Final = "gps"
_REPORT, _POSITION = EVIEW.event("01"), EVIEW.event("key24")
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
    """What one 0x24 and the keys behind it say; a message without 0x24 is one record of unknown time."""

    __slots__ = ("at", "buffered", "details", "is_placed", "measurements", "position")

    def __init__(self, at: datetime | None = None, word: int | None = None) -> None:
        self.at = at if at is not None and is_set(at) else None
        self.buffered = False
        self.position: Position | None = None
        self.is_placed = False
        self.measurements: dict[str, float] = {}
        self.details: dict[str, str] = {}
        if word is not None:
            self.buffered = bool(word & _HISTORY)
            self.measurements = {"battery": word >> 24, "gsm": word >> 19 & 0x1F}
            if word & _CHARGING:
                self.details["charging"] = "yes"
        if at is not None and self.at is None:
            self.details["clock"] = f"not set: {at.isoformat()}"

    def put(self, place: Place) -> None:
        """Add what a key says about the place; coordinates of a satellite fix come before all others."""
        self.is_placed = True
        self.details |= place.details
        self.measurements |= place.measurements
        if place.position is not None and (self.position is None or place.position.source == _GPS):
            self.position = place.position


class _Alarm(NamedTuple):
    """One bit of one 0x02; its time is its own, and its record is the one before it."""

    code: str
    urgency: int
    phase: Phase | None
    at: datetime | None
    record: _Record


class _Reading(NamedTuple):
    """A measurement with a time of its own, or a call; it has no place."""

    key: int
    at: datetime | None
    measurements: Mapping[str, float] = NO_MEASUREMENTS
    details: Mapping[str, str] = NOTHING
    position: Position | None = None
    buffered: bool = False


class _Part(NamedTuple):
    """What one signal of a message says."""

    event: Event
    at: datetime | None
    said: _Record | _Reading
    own_at: datetime | None = None
    """An alarm's own time: a stored alarm comes again in another frame, and has only this in common with itself."""


class _Message:
    """The keys of one message, sorted into what they say."""

    def __init__(self, keys: Sequence[tuple[int, bytes]]) -> None:
        self.records: list[_Record] = []
        self.readings: list[_Reading] = []
        self.details: dict[str, str] = {}
        self._alarms: list[tuple[bytes, _Record | None]] = []
        for key, value in keys:
            self._take(key, value)

    @property
    def alarms(self) -> list[_Alarm]:
        """The alarms, most urgent first, each bit once for each time."""
        if not self._alarms:
            return []
        # Without a record before it an alarm belongs to the only one there is; of several it is nobody's guess.
        only = self.records[0] if len(self.records) == 1 else _Record()
        found: dict[tuple[str, datetime | None], _Alarm] = {}
        for value, before in self._alarms:
            for alarm in _read_alarms(value, before or only):
                found.setdefault((alarm.code, alarm.at or alarm.record.at), alarm)
        return sorted(found.values(), key=lambda alarm: alarm.urgency)

    def _take(self, key: int, value: bytes) -> None:
        if key == _ALARM:
            self._alarms.append((value, self.records[-1] if self.records else None))
        elif key == _STATUS and (status := read_status(value)) is not None:
            self.records.append(_Record(*status))
        elif key in _VALUES:
            self._take_values(key, value)
        elif key == _CALL and (call := read_call(value)) is not None:
            self.readings.append(_Reading(key, call.at, details=call.details))
        elif key == _CHARGE:
            self._record().measurements.update(read_charge(value))
        elif key not in _SILENT:
            found = read_place(key, value, self.records[-1].at if self.records else None)
            if found is not None:
                self._record().put(found)
            else:
                self.details[f"key{key:02X}"] = value.hex()

    def _take_values(self, key: int, value: bytes) -> None:
        name, size = _VALUES[key]
        for at, measured in read_values(value, size):
            if key not in _HEALTH or measured not in _NO_READING:
                self.readings.append(_Reading(key, at if at is not None and is_set(at) else None, {name: measured}))

    def _record(self) -> _Record:
        if not self.records:
            self.records.append(_Record())
        return self.records[-1]


def _read_alarms(value: bytes, record: _Record) -> Iterator[_Alarm]:
    """Return the alarms of one 0x02. One that is too short to be read is an alarm of a kind nobody knows."""
    alarm = read_alarm(value)
    if alarm is None:
        yield _Alarm(_UNREADABLE, len(_LIFE_BITS), None, None, record)
        return
    code, at = alarm
    at = at if at is not None and is_set(at) else None
    for urgency, bit in enumerate(_ALARM_BITS):
        if code >> bit & 1:
            is_entered = bit in _FENCES and code >> _FENCES[bit] & 1
            yield _Alarm(f"bit{bit}", urgency, Phase.RESTORE if is_entered else None, at, record)


def report(who: AccountId, raw: bytes, sequence: str, keys: Sequence[tuple[int, bytes]]) -> list[Signal]:
    """Return the signals of a data report, alarms first; ``keys`` are those behind the command."""
    message = _Message(keys)
    parts = _parts(message)[:MAX_EVENTS]
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
            details={**message.details, **part.said.details},
            identity=_identity(who, raw, part, number),
            buffered=part.said.buffered,
            part=number,
            parts=len(parts),
        )
        for number, part in enumerate(parts, 1)
    ]


def _parts(message: _Message) -> list[_Part]:
    """Return alarms, most urgent first, then places, then measurements; of a message without any what else it says."""
    alarms = message.alarms[:MAX_EVENTS]
    told = {id(alarm.record) for alarm in alarms}
    parts = [_alarm_part(alarm) for alarm in alarms]
    placed = [record for record in message.records if record.is_placed]
    parts += [_Part(_POSITION, record.at, record) for record in placed if id(record) not in told]
    parts += [_Part(EVIEW.event(f"key{reading.key:02X}"), reading.at, reading) for reading in message.readings]
    if not parts:
        record = message.records[-1] if message.records else _Record()
        parts.append(_Part(_REPORT, record.at, record))
    return parts


def _alarm_part(alarm: _Alarm) -> _Part:
    event = EVIEW.event(alarm.code)
    if alarm.phase is not None:
        event = event._replace(phase=alarm.phase)
    return _Part(event, alarm.at or alarm.record.at, alarm.record, alarm.at)


def _identity(who: AccountId, raw: bytes, part: _Part, number: int) -> bytes:
    """Return what a repeated alarm has in common with the first: its own time, or else all of the frame.

    Without a time in it two frames may be the same and mean two events (numbers start anew after a restart): such a
    one is never a retry.
    """
    if part.at is None or who is NOBODY:
        return b""
    said = f"{NAME}\0{who.account}\0{part.event.code}\0"
    if part.own_at is not None:
        return blake2b(f"{said}{part.own_at.isoformat()}".encode(), digest_size=16).digest()
    return blake2b(f"{said}{number}\0".encode() + raw, digest_size=16).digest()
