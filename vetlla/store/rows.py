"""Values to rows and back: the one place that knows the order of the journal's columns."""

from __future__ import annotations

import json
from dataclasses import fields
from enum import IntFlag
from typing import TYPE_CHECKING, Any, TypeAlias

from vetlla.alarms import Alarm, Outcome, State
from vetlla.clock import iso, to_datetime, to_us
from vetlla.signals import Kind, Priority

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from vetlla.signals import AccountId, Arrival, Position, Reject, Signal

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
        kind.value,
        phase.value,
        code,
        system,
        priority.value,
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
    return json.dumps(
        {
            "position": position_fields(signal.position),
            "measurements": dict(signal.measurements),
            "details": dict(signal.details),
        },
        ensure_ascii=False,
    )


def position_fields(position: Position | None) -> dict[str, Any] | None:
    """Return a position as JSON-ready fields; None where there is none."""
    if position is None:
        return None
    return {
        "latitude": position.latitude,
        "longitude": position.longitude,
        "altitude_m": position.altitude_m,
        "accuracy_m": position.accuracy_m,
        "source": position.source,
        "at": _instant(position.at),
    }


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else iso(to_us(moment))


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


def signal_fields(row: sqlite3.Row) -> dict[str, Any]:
    """Return a stored signal as JSON-ready fields: those that ``vetlla decode`` prints, then what intake added."""
    more = json.loads(row["more"]) if row["more"] else {}
    flags = Flag(row["flags"])
    occurred = row["occurred_us"]
    sent = row["sent_us"]
    return {
        "item": "signal",
        "protocol": row["protocol"],
        "account": row["account"],
        "event": {"kind": row["kind"], "phase": row["phase"], "code": row["code"], "system": row["system"]},
        "device": row["device"],
        "occurred_at": _utc(occurred),
        "position": more.get("position"),
        "text": row["text"],
        "reason": None,
        "raw": row["raw"].hex(),
        "receiver": row["receiver"],
        "line": row["line"],
        "area": row["area"],
        "sequence": row["sequence"],
        "sent_at": _utc(sent),
        "measurements": more.get("measurements", {}),
        "details": more.get("details", {}),
        "part": row["part"],
        "parts": row["parts"],
        "sealed_with": row["sealed_with"],
        "id": row["id"],
        "home": row["home"],
        "priority": Priority(row["priority"]).name,
        "alarm": row["alarm_id"],
        "listener": row["listener"],
        "transport": row["transport"],
        "peer": row["peer"],
        "flags": [flag.name.lower() for flag in Flag if flag in flags and flag.name],
        "established": iso(row["established_us"]),
        "received": iso(row["received_us"]),
        "committed": iso(row["durable_us"]),
        "ready": iso(row["ready_us"]),
        "answered": iso(row["answered_us"]),
        "closed": iso(row["closed_us"]),
        "t2_s": _t2(row),
    }


def _utc(us: int | None) -> str | None:
    # Devices tell whole seconds: print what they said and no more.
    return None if us is None else to_datetime(us).isoformat().replace("+00:00", "Z")


def _t2(row: sqlite3.Row) -> float | None:
    """Seconds from established to ready: connection set-up, then receive to ready on the monotonic clock."""
    if row["ready_mono_us"] is None:
        return None
    micros: int = row["setup_us"] + row["ready_mono_us"] - row["received_mono_us"]
    return micros / 1e6
