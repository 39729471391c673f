"""What an Eview data report (command 0x01) says: many records in one message, alarms anywhere among them.

    01 IMEI, 24 status (opens a record), 02 alarm, then keys that name a place, steps, heart rate ...

Records have no separators: 0x24 opens one in practice, and what names a place belongs to the record before it. Alarms
stand by themselves: every 0x02 of a message is read, whatever the keys around it are like; its place is that of its own
record or none. A message becomes one signal for each alarm bit (most urgent first), for each place no alarm has, for
each measurement with a time of its own, and for what is left: the device's last state, keys that nobody knows. Only a
message that says nothing at all is a heartbeat, which the intake counts and does not keep.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.protocols.codes import EVIEW
from vetlla.protocols.eview_body import read_alarm, read_call, read_charge, read_place, read_status, read_values
from vetlla.protocols.terminals import NOBODY, believed
from vetlla.signals import NO_MEASUREMENTS, NOTHING, Event, Phase, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from vetlla.protocols.eview_body import Place
    from vetlla.signals import Position

NAME: Final = "eview"
MAX_EVENTS: Final = 512
"""Signals of one message. 8 KiB have room for some 400 records; the least urgent beyond are left in the raw bytes."""

_ALARM, _STATUS, _CHARGE, _CALL = 0x02, 0x24, 0x14, 0x25
_SILENT: Final = frozenset({0x01, 0x10, 0x37})
"""IMEI, heartbeat, and the barks a pet's collar counted."""
_GPS: Final = "gps"
_REPORT, _POSITION, _UNREADABLE, _ALIVE = "01", "key24", "key02", "key10"
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

    def __init__(self, at: datetime | None = None, word: int | None = None) -> None:
        self.at, clock = believed(at)
        self.buffered = bool(word and word & _HISTORY)
        self.position: Position | None = None
        self.is_placed = False
        self.measurements: dict[str, float] = {}
        self.details = dict(clock)
        if word is not None:
            self.measurements |= {"battery": word >> 24, "gsm": word >> 19 & 0x1F}
            if word & _CHARGING:
                self.details["charging"] = "yes"

    def put(self, place: Place) -> None:
        """Add what a key says about the place; coordinates of a satellite fix come before all others.

        Several beacons or cells are told side by side, the one that the coordinates are of in front.
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
    """Return both, side by side where they say different things under one name."""
    both = {name: f"{first[name]}, {said}" if first.get(name, said) != said else said for name, said in then.items()}
    return {**first, **both}


class _Alarm(NamedTuple):
    """One bit of one 0x02; its time is its own, and its record is the one before it."""

    code: str
    urgency: int
    phase: Phase | None
    at: datetime | None
    clock: Mapping[str, str]
    record: _Record


class _Reading(NamedTuple):
    """A measurement with a time of its own, or a call."""

    key: int
    at: datetime | None
    details: Mapping[str, str]
    measurements: Mapping[str, float] = NO_MEASUREMENTS


class _Message:
    """The keys of one message, sorted into what they say."""

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
        # Without a record before it an alarm belongs to the only one there is; of several it is nobody's guess.
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
            if status is None:  # whatever it says, what follows is not of the record before it
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
        """Keep what cannot be read."""
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
    """Say whether a 0x02 has an alarm bit, or cannot be read; 0 says that there is none."""
    alarm = read_alarm(value)
    return alarm is None or any(alarm[0] >> bit & 1 for bit in _ALARM_BITS)


def _read_alarms(value: bytes, record: _Record) -> Iterator[_Alarm]:
    """Return the alarms of one 0x02. One that is too short to be read is an alarm of a kind nobody knows."""
    alarm = read_alarm(value)
    if alarm is None:
        yield _Alarm(_UNREADABLE, len(_LIFE_BITS), None, None, NOTHING, record)
        return
    code, told = alarm
    at, clock = believed(told)
    for urgency, bit in enumerate(_ALARM_BITS):
        if code >> bit & 1:
            is_entered = bit in _FENCES and code >> _FENCES[bit] & 1
            yield _Alarm(f"bit{bit}", urgency, Phase.RESTORE if is_entered else None, at, clock, record)


def report(blank: Signal, keys: Sequence[tuple[int, bytes]]) -> list[Signal]:
    """Return the signals of a data report, alarms first; ``keys`` are those behind the command."""
    message = _Message(keys)
    alarms = message.alarms[:MAX_EVENTS]
    signals = [_alarm_signal(blank, alarm) for alarm in alarms]
    told = {id(alarm.record) for alarm in alarms}
    signals += [
        _located(blank, record)._replace(event=_event(_POSITION), occurred_at=record.at)
        for record in message.records
        if record.is_placed and id(record) not in told
    ]
    signals += [
        blank._replace(
            event=_event(f"key{reading.key:02X}"),
            occurred_at=reading.at,
            measurements=reading.measurements,
            details={**blank.details, **reading.details},
        )
        for reading in message.readings
    ]
    left = _left(blank, message, told)
    if left is not None:
        del signals[MAX_EVENTS - 1 :]
        signals.append(left)
    del signals[MAX_EVENTS:]
    signals = signals or [blank._replace(event=_event(_ALIVE))]
    return [
        signal._replace(identity=signal.identity or _identity(signal, part), part=part, parts=len(signals))
        for part, signal in enumerate(signals, 1)
    ]


def _left(blank: Signal, message: _Message, told: AbstractSet[int]) -> Signal | None:
    """Return what is told by nothing else: keys that nobody knows, and how the device is by its last record."""
    last = message.records[-1] if message.records else None
    if last is not None and not last.is_placed and id(last) not in told:
        blank = _located(blank, last)._replace(occurred_at=last.at)
    elif not message.details and not blank.details:
        return None
    return blank._replace(details=side_by_side(blank.details, message.details))


def _event(code: str) -> Event:
    row = EVIEW.find(code)
    return Event(row.kind, row.phase, code, EVIEW.system)


def _located(blank: Signal, record: _Record) -> Signal:
    return blank._replace(
        position=record.position,
        measurements=record.measurements,
        details={**blank.details, **record.details},
        buffered=record.buffered,
    )


def _alarm_signal(blank: Signal, alarm: _Alarm) -> Signal:
    event = _event(alarm.code)
    signal = _located(blank, alarm.record)._replace(
        event=event if alarm.phase is None else event._replace(phase=alarm.phase),
        occurred_at=alarm.at or alarm.record.at,
    )
    signal = signal._replace(details={**signal.details, **alarm.clock})
    if alarm.at is None or signal.id is NOBODY:
        return signal
    # A stored alarm comes again in another frame, among other records: its own time is what it has in common with it.
    said = f"{NAME}\0{signal.id.account}\0{alarm.code}\0{alarm.at.isoformat()}"
    return signal._replace(identity=blake2b(said.encode(), digest_size=16).digest())


def _identity(signal: Signal, part: int) -> bytes:
    """Return what a repeated frame has in common with the first: all of it.

    Without a time in it two frames may be the same and mean two events (numbers start anew after a restart): such a
    one is never a retry.
    """
    if signal.occurred_at is None or signal.id is NOBODY:
        return b""
    said = f"{NAME}\0{signal.id.account}\0{signal.event.code}\0{part}\0".encode()
    return blake2b(said + signal.raw, digest_size=16).digest()
