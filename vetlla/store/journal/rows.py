"""Turns values into rows. Only this module knows the order of the journal's columns; ``stored.py`` is the way back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias
from zlib import crc32

from vetlla.domain.alarms import Alarm, AlarmOutcome, State
from vetlla.domain.clock import to_us
from vetlla.domain.signals import Kind, Priority

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from vetlla.domain.signals import Arrival, Position, Reject, Signal

SqlValue: TypeAlias = str | int | bytes | None
Row: TypeAlias = tuple[SqlValue, ...]


_ROWS_AT_ONCE = 100
"""Rows hashed in one step, which costs half as much as hashing each alone."""
_as_json = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would make an encoder for each signal: 1 us


SIGNAL_COLUMNS = (
    "id", "commit_id", "listener", "transport", "peer", "protocol", "receiver", "line", "account", "sequence", "home",
    "kind", "phase", "code", "system", "priority", "device", "area", "text", "occurred_us", "sent_us", "more", "raw",
    "identity", "part", "parts", "sealed_with", "flags", "alarm_id", "established_us", "setup_us", "received_us",
    "received_mono_us",
)  # fmt: skip


_ID, _SETUP, _RECEIVED = map(SIGNAL_COLUMNS.index, ("id", "setup_us", "received_mono_us"))


@dataclass(slots=True, kw_only=True)
class SignalRows:
    """The signals of one transaction, as rows of their table."""

    commit: int
    signals: list[Row] = field(default_factory=list)

    def add_signal(
        self,
        signal: Signal,
        arrival: Arrival,
        *,
        number: int,
        home: str,
        priority: Priority,
        flags: int,
        alarm: int | None,
    ) -> tuple[int | None, int | None, int]:
        """Add a signal. Its number must be above all earlier ones; ``flags`` are those of ``Flag``.

        Return when it occurred and was sent (UTC, by the device's clock), and the checksum of its content
        (``content_of``). The checksum is 0 for a signal without identity, because no other is compared with it.
        """
        # Unpack, because reading all these fields by name takes 1 us more.
        listener, transport, peer, (established_us, established_mono_us), (received_us, received_mono_us) = arrival
        (
            protocol, (receiver, line, account), (kind, phase, code, system), raw, device, area, text, sequence,
            occurred_at, sent_at, position, measurements, details, identity, sealed_with, _, _, _, part, parts,
        ) = signal  # fmt: skip
        occurred_us = None if occurred_at is None else to_us(occurred_at)
        sent_us = None if sent_at is None else to_us(sent_at)
        more = more_of(signal) if position or measurements or details else None
        row = (
            number,
            self.commit,
            listener,
            transport,
            peer,
            protocol,
            receiver,
            line,
            account,
            sequence,
            home,
            kind._value_,
            phase._value_,
            code,
            system,
            priority._value_,
            device,
            area,
            text,
            occurred_us,
            sent_us,
            more,
            raw,
            identity,
            part,
            parts,
            sealed_with,
            flags,
            alarm,
            established_us,
            received_mono_us - established_mono_us,
            received_us,
            received_mono_us,
        )
        self.signals.append(row)
        return occurred_us, sent_us, content(text, more) if (text or more) and identity else 0

    def fields_of_signals(self) -> Iterator[dict[str, Any]]:
        """Yield the values of each signal, by the names of the table's columns."""
        return (dict(zip(SIGNAL_COLUMNS, row, strict=True)) for row in self.signals)

    @property
    def last_signal(self) -> int:
        """Number of the last signal; there must be one."""
        return self.signals[-1][_ID]  # type: ignore[return-value] # an integer

    def established_before(self, mono_us: int) -> Iterator[int]:
        """Yield the numbers of the signals whose communication was established before a monotonic instant."""
        return (row[_ID] for row in self.signals if row[_RECEIVED] - row[_SETUP] < mono_us)  # type: ignore[misc, operator] # integers


def digest(rows: Iterable[Row]) -> str:
    """Return the SHA-256 over whole rows of ``signals`` in the order of ``SIGNAL_COLUMNS``, as hex."""
    hasher, rows = hashlib.sha256(), iter(rows)
    while some := "".join(map(ascii, islice(rows, _ROWS_AT_ONCE))):
        hasher.update(some.encode("ascii"))
    return hasher.hexdigest()


def content(text: Any, more: Any) -> int:  # noqa: ANN401 - texts, which the database returns untyped
    """Return a checksum of a signal's content besides its event and its times."""
    return crc32(f"{text}\0{more or ''}".encode()) if text or more else 0


def more_of(signal: Signal) -> str | None:
    """Return the data of a signal that has no column of its own, as JSON; None if there is none."""
    if not (signal.position or signal.measurements or signal.details):
        return None
    more = {
        "position": signal.position and _position_values(signal.position),
        "measurements": dict(signal.measurements),
        "details": dict(signal.details),
    }
    return _as_json(more)


def _position_values(position: Position) -> dict[str, float | str | int | None]:
    return {
        "latitude": position.latitude,
        "longitude": position.longitude,
        "altitude_m": position.altitude_m,
        "accuracy_m": position.accuracy_m,
        "source": position.source,
        "at_us": None if position.at is None else to_us(position.at),
    }


def reject_row(arrival: Arrival, reject: Reject) -> Row:
    """Return the row of one reject without its id, in the order of the table."""
    receiver, line, account = reject.id or ("", "", "")
    return (
        arrival.received.utc_us,
        arrival.listener,
        arrival.transport,
        arrival.peer,
        reject.protocol,
        reject.reason.value,
        receiver,
        line,
        account,
        reject.text,
        reject.raw,
    )


ALARM_COLUMNS = Alarm._fields


def alarm_row(alarm: Alarm) -> Row:
    """Return the row of one alarm in the order of ``ALARM_COLUMNS``."""
    values: tuple[Any, ...] = alarm
    # A list, because a tuple made from a generator takes half as much time again.
    return tuple([value._value_ if isinstance(value, Enum) else value for value in values])


def alarm_from(row: sqlite3.Row) -> Alarm:
    """Return the alarm of a row of table ``alarms``."""
    values = {name: row[name] for name in ALARM_COLUMNS}
    values["kind"] = Kind(row["kind"])
    values["priority"] = Priority(row["priority"])
    values["state"] = State(row["state"])
    values["outcome"] = None if row["outcome"] is None else AlarmOutcome(row["outcome"])
    for name in ("unknown_account", "on_test", "runaway"):
        values[name] = bool(row[name])
    return Alarm(**values)
