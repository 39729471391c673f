"""Values to rows and back: the one place that knows the order of the journal's columns."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from enum import IntFlag
from typing import TYPE_CHECKING, Any, TypeAlias

from vetlla.alarms import Alarm, Outcome, State
from vetlla.clock import to_datetime, to_us
from vetlla.signals import (
    NO_MEASUREMENTS,
    NOTHING,
    AccountId,
    Event,
    Kind,
    Phase,
    Position,
    Priority,
    Reason,
    Reject,
    Signal,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from vetlla.signals import Arrival

SqlValue: TypeAlias = str | int | bytes | None
Row: TypeAlias = tuple[SqlValue, ...]


class Flag(IntFlag):
    """What else is true of a stored signal."""

    BUFFERED = 1
    REPEATED = 2
    UNKNOWN_ACCOUNT = 4
    ON_TEST = 8
    RUNAWAY = 16


SIGNAL_COLUMNS = (
    "id", "commit_id", "listener", "transport", "peer", "protocol", "receiver", "line", "account", "sequence", "home",
    "kind", "phase", "code", "system", "priority", "device", "area", "text", "occurred_us", "sent_us", "more", "raw",
    "identity", "part", "parts", "sealed_with", "flags", "alarm_id", "established_us", "setup_us", "received_us",
    "received_mono_us",
)  # fmt: skip


def signal_row(
    signal: Signal,
    arrival: Arrival,
    *,
    number: int,
    commit: int,
    home: str,
    priority: Priority,
    flags: int,
    alarm: int | None,
) -> Row:
    """Return the row of one signal in the order of ``SIGNAL_COLUMNS``."""
    receiver, line, account = signal.id
    kind, phase, code, system = signal.event
    return (
        number,
        commit,
        arrival.listener,
        arrival.transport,
        arrival.peer,
        signal.protocol,
        receiver,
        line,
        account,
        signal.sequence,
        home,
        kind._value_,
        phase._value_,
        code,
        system,
        priority._value_,
        signal.device,
        signal.area,
        signal.text,
        None if signal.occurred_at is None else to_us(signal.occurred_at),
        None if signal.sent_at is None else to_us(signal.sent_at),
        _more(signal),
        signal.raw,
        signal.identity,
        signal.part,
        signal.parts,
        signal.sealed_with,
        flags,
        alarm,
        arrival.established.utc_us,
        arrival.received.mono_us - arrival.established.mono_us,
        arrival.received.utc_us,
        arrival.received.mono_us,
    )


def _more(signal: Signal) -> str | None:
    if not (signal.position or signal.measurements or signal.details):
        return None
    more = {
        "position": signal.position and _position_values(signal.position),
        "measurements": dict(signal.measurements),
        "details": dict(signal.details),
    }
    return json.dumps(more, ensure_ascii=False)


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


def heartbeat_row(protocol: str, who: AccountId, at_us: int, count: int) -> Row:
    """Return the row that counts heartbeats of one account since the last flush."""
    return (protocol, who.receiver, who.line, who.account, at_us, at_us, count)


ALARM_COLUMNS = tuple(field.name for field in fields(Alarm))


def alarm_row(alarm: Alarm) -> Row:
    """Return the row of one alarm in the order of ``ALARM_COLUMNS``."""
    return tuple(_plain(getattr(alarm, name)) for name in ALARM_COLUMNS)


def _plain(value: Any) -> SqlValue:  # noqa: ANN401 - the fields of Alarm: enums, text, numbers, None
    match value:
        case Priority() | Kind() | State() | Outcome():
            plain: SqlValue = value.value
            return plain
        case bool():
            return int(value)
        case str() | int() | None:
            return value
        case _:
            raise TypeError(f"no column holds {value!r}")


def alarm_from(row: sqlite3.Row) -> Alarm:
    """Return the alarm of a row of table ``alarms``."""
    values = {name: row[name] for name in ALARM_COLUMNS}
    values["kind"] = Kind(row["kind"])
    values["priority"] = Priority(row["priority"])
    values["state"] = State(row["state"])
    values["outcome"] = None if row["outcome"] is None else Outcome(row["outcome"])
    for name in ("unknown_account", "on_test", "runaway"):
        values[name] = bool(row[name])
    return Alarm(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A signal as the journal keeps it: what was said, what the intake made of it, what became of it.

    Stamps in microseconds UTC. Those of the commit are None when the receiver died before it could write them; those of
    the alarm when there is none, or not yet.
    """

    id: int
    commit: int
    signal: Signal
    home: str
    priority: Priority
    flags: Flag
    alarm: int | None
    listener: str
    transport: str
    peer: str
    duplicates: int
    """How many more times the same report came."""
    established_us: int
    received_us: int
    committed_us: int | None
    ready_us: int | None
    answered_us: int | None
    closed_us: int | None
    t2_us: int | None
    """From established to ready, by the monotonic clock."""


def stored_from(row: sqlite3.Row) -> Stored:
    """Return the signal of a row of ``signals`` with the stamps of its commit and alarm (``history.py`` joins them)."""
    ready_mono_us = row["ready_mono_us"]
    return Stored(
        id=row["id"],
        commit=row["commit_id"],
        signal=signal_from(row),
        home=row["home"],
        priority=Priority(row["priority"]),
        flags=Flag(row["flags"]),
        alarm=row["alarm_id"],
        listener=row["listener"],
        transport=row["transport"],
        peer=row["peer"],
        duplicates=row["duplicates"] or 0,
        established_us=row["established_us"],
        received_us=row["received_us"],
        committed_us=row["durable_us"],
        ready_us=row["ready_us"],
        answered_us=row["answered_us"],
        closed_us=row["closed_us"],
        # Connection set-up, then receive to ready, each measured within one boot.
        t2_us=None if ready_mono_us is None else row["setup_us"] + ready_mono_us - row["received_mono_us"],
    )


def signal_from(row: sqlite3.Row) -> Signal:
    """Return the signal of a row of ``signals``, equal to the one that was stored."""
    more: Mapping[str, Any] = json.loads(row["more"]) if row["more"] else {}
    flags = row["flags"]
    occurred_us, sent_us = row["occurred_us"], row["sent_us"]
    return Signal(
        protocol=row["protocol"],
        id=AccountId(row["receiver"], row["line"], row["account"]),
        event=Event(Kind(row["kind"]), Phase(row["phase"]), row["code"], row["system"]),
        raw=row["raw"],
        device=row["device"],
        area=row["area"],
        text=row["text"],
        sequence=row["sequence"],
        occurred_at=None if occurred_us is None else to_datetime(occurred_us),
        sent_at=None if sent_us is None else to_datetime(sent_us),
        position=_position(more.get("position")),
        measurements=more.get("measurements") or NO_MEASUREMENTS,
        details=more.get("details") or NOTHING,
        identity=row["identity"],
        sealed_with=row["sealed_with"],
        buffered=bool(flags & Flag.BUFFERED),
        repeated=bool(flags & Flag.REPEATED),
        part=row["part"],
        parts=row["parts"],
    )


def _position(values: dict[str, Any] | None) -> Position | None:
    if values is None:
        return None
    at_us = values.pop("at_us")
    return Position(**values, at=None if at_us is None else to_datetime(at_us))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReject:
    """Evidence as the journal keeps it."""

    id: int
    at_us: int
    listener: str
    transport: str
    peer: str
    reject: Reject


def reject_from(row: sqlite3.Row) -> StoredReject:
    """Return the reject of a row of table ``rejects``."""
    who = AccountId(row["receiver"], row["line"], row["account"])
    return StoredReject(
        id=row["id"],
        at_us=row["at_us"],
        listener=row["listener"],
        transport=row["transport"],
        peer=row["peer"],
        reject=Reject(
            protocol=row["protocol"],
            reason=Reason(row["reason"]),
            raw=row["raw"],
            text=row["text"],
            id=who if any(who) else None,
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of the audit."""

    id: int
    at_us: int
    actor: str
    action: str
    subject: str
    detail: dict[str, Any]
    hash: bytes


def record_from(row: sqlite3.Row) -> Record:
    """Return the record of a row of table ``audit``."""
    return Record(
        id=row["id"],
        at_us=row["at_us"],
        actor=row["actor"],
        action=row["action"],
        subject=row["subject"],
        detail=json.loads(row["detail"]),
        hash=row["hash"],
    )
