"""Opt-outs that a person of the city keeps: one by one, from a file, or from a provider's list."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import to_us
from vetlla.domain.messages import Channel
from vetlla.domain.outbox import MessageReason
from vetlla.store.reminders import audit, citizens, outbox
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence
    from datetime import datetime

BOTH = (Channel.WHATSAPP, Channel.SMS)


class OptOutSource(StrEnum):
    """Where an opt-out comes from."""

    OPERATOR = "operator"
    """A person of the city wrote it down."""
    IMPORT = "import"
    """A file of the city."""
    PROVIDER = "provider"
    """The list of a provider, which keeps its own."""


class OptOut(NamedTuple):
    """A telephone that gets nothing by some channels."""

    phone: str
    """E.164."""
    channels: tuple[Channel, ...] = BOTH
    at: datetime | None = None
    """When the citizen said so; None for now."""
    how: str = ""
    """Where it comes from, if the row itself says so."""


class OptChange(NamedTuple):
    """What a change did."""

    telephones: int
    """How many were given."""
    new: int
    """Opt-outs that were not there before, or that were taken back: one for each telephone and channel."""


def opt_out(db: sqlite3.Connection, some: Sequence[OptOut], source: OptOutSource, by: str, now: datetime) -> OptChange:
    """Keep opt-outs, all or none. They count at once, also for messages that are planned already.

    The audit has their number and no telephone; each opt-out has the time of its record, unless it has its own.
    """
    with atomic(db):
        before = _count(db)
        for one in some:
            person = citizens.citizen_id(db, one.phone, "", now)
            if person is not None:
                citizens.opt_out(db, person, one.channels, one.at or now, one.how or source.value)
        change = OptChange(len(some), _count(db) - before)
        audit.record(db, now, by, "opted out", subject="opt-outs", detail={"source": source, **change._asdict()})
    return change


def opt_in(db: sqlite3.Connection, phone: str, channels: Iterable[Channel], by: str, now: datetime) -> OptChange:
    """Take opt-outs of a telephone back; messages that they stopped, and that are still of use, are planned again."""
    with atomic(db):
        before = _count(db)
        person = citizens.known_phone(db, phone)
        if person is not None:
            citizens.opt_in(db, person, channels)
            outbox.reinstate(db, person, MessageReason.OPTED_OUT, now)
        change = OptChange(1, before - _count(db))
        audit.record(db, now, by, "opted in", subject="opt-outs", detail={"taken_back": change.new})
    return change


def _count(db: sqlite3.Connection) -> int:
    return len(citizens.opt_outs(db))


def opt_out_rows(db: sqlite3.Connection) -> list[tuple[str, str, int, str]]:
    """Return telephone ("" if only WhatsApp's id is known), channel, time in microseconds UTC, and source of all."""
    return [(phone, channel.value, to_us(at), how) for phone, channel, at, how in citizens.opt_outs(db)]
