"""Turns the journal's rows into values for readers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vetlla.domain.clock import to_datetime
from vetlla.domain.signals import (
    NO_MEASUREMENTS,
    NOTHING,
    AccountId,
    Event,
    Flag,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A signal as the journal keeps it: its content, the intake's decisions, and what happened to it since.

    Stamps are in microseconds UTC. Those of the commit are None if the receiver was killed before it could write them.
    Those of the alarm are None if there is no alarm, or if it is not answered or closed yet.
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
    """Number of repetitions of the report."""
    established_us: int
    received_us: int
    committed_us: int | None
    ready_us: int | None
    answered_us: int | None
    closed_us: int | None
    t2_us: int | None
    """From established to ready, by the monotonic clock."""
    t3_us: int | None
    """From ready until its alarm was answered, or closed without an answer. It is 0 for a signal that joined an
    answered alarm, and for a routine report, which the receiver itself answers."""


def stored_from(row: sqlite3.Row) -> Stored:
    """Return the signal of a row of ``signals`` with the stamps of its commit and alarm (``history.py`` joins them)."""
    return Stored(
        id=row["id"],
        commit=row["commit_id"],
        signal=signal_from(row)._replace(raw=row["frame_raw"] or b""),
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
        t2_us=t2_us(row),
        t3_us=t3_us(row),
    )


def t2_us(row: sqlite3.Row) -> int | None:
    """Return *t2*: set-up of the connection, then receipt to ready, each measured within one machine start."""
    ready_mono_us: int | None = row["ready_mono_us"]
    return None if ready_mono_us is None else int(row["setup_us"]) + ready_mono_us - int(row["received_mono_us"])


def t3_us(row: sqlite3.Row) -> int | None:
    """Return *t3* as ``Stored.t3_us`` describes it."""
    ready_us, ready_mono_us, alarm_ready_mono_us = row["ready_us"], row["ready_mono_us"], row["alarm_ready_mono_us"]
    if ready_us is None:
        return None
    if row["alarm_id"] is None:
        return 0
    if row["t3_us"] is None:
        return None
    if alarm_ready_mono_us is not None and row["alarm_boot"] == row["boot"]:
        ended_us: int = alarm_ready_mono_us + row["t3_us"] - ready_mono_us
    else:  # the machine was restarted meanwhile, so only the wall clock can be used
        ended_us = (row["answered_us"] or row["closed_us"]) - ready_us
    return max(0, ended_us)


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
    """A reject as the journal keeps it."""

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
