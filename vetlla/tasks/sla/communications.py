"""The figures of ANS 5 to 7: how fast communications are ready and answered, and whether calls are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.calls import CallOutcome, Direction
from vetlla.domain.communications import Communication, CommunicationSource
from vetlla.domain.service_levels import LISTED_AT_MOST, BreachReason, LevelBreach
from vetlla.service.calls.joining import joined
from vetlla.service.calls.proofs import Proof, lacks
from vetlla.service.calls.report import figures, limits_of
from vetlla.service.sla.communications import Seen, t2_figure, t3_figure
from vetlla.service.sla.comparing import figure, share
from vetlla.service.sla.from_duties import required_share
from vetlla.store.calls import queries as stored_calls
from vetlla.store.journal.communications import communications

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.domain.calls import PhoneCall
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.tasks.sla.month import MonthRecord


def of_t2(record: MonthRecord, ans: int) -> LevelFigure:
    """Return the figures of ANS 5 from the signals of the journal."""
    return t2_figure(ans, of_terminals(record), record.reading(), _seen(record))


def of_t3(record: MonthRecord, ans: int) -> LevelFigure:
    """Return the figures of ANS 6 from the signals of the journal and the calls of the PBX that came in."""
    return t3_figure(ans, all_communications(record), record.reading(), _seen(record))


def of_proofs(record: MonthRecord, ans: int) -> LevelFigure:
    """Return the figures of ANS 7: calls in and out that are registered, recorded, and kept in the file of a home.

    The journal stores each signal with its home before it is acknowledged, so the signals need no such proof. It is
    not measured if no call of the month was imported.
    """
    reading = record.reading()
    listed: list[LevelBreach] = []
    found = figures(_with_breaches(calls_of(record), listed), limits_of(reading), record.rules.calendar.zone)
    threshold = required_share(reading, ans)
    parts = [
        share("registered", found.registered, found.all, threshold),
        share("recorded", found.recorded, found.talks, threshold),
        share("filed", found.filed, found.all, threshold),
    ]
    missing = sum(part.denominator - part.numerator for part in parts)
    names = {entry.name for entry in reading.not_agreed() if not entry.name.startswith("calls.")}
    return figure(ans, record.month, parts if found.all else [], listed, missing, assumed=tuple(sorted(names)))


_REASONS: Final = {
    Proof.REGISTERED: BreachReason.NOT_REGISTERED,
    Proof.RECORDED: BreachReason.NOT_RECORDED,
    Proof.FILED: BreachReason.NOT_FILED,
}


def _with_breaches(calls: Iterable[PhoneCall], listed: list[LevelBreach]) -> Iterator[PhoneCall]:
    """Yield calls, and list each missing proof as long as there is place."""
    for call in calls:
        yield call
        if call.record.direction is not None and len(listed) < LISTED_AT_MOST:
            listed += [
                LevelBreach("call", str(call.id), call.tie.home, "", _REASONS[proof], begun_us=call.record.started)
                for proof in lacks(call)
            ]


def _seen(record: MonthRecord) -> Seen:
    return Seen(record.month, record.rules.calendar.zone, record.seen_us)


def all_communications(record: MonthRecord) -> Iterator[Communication]:
    """Yield the signals of the terminals and the calls in."""
    yield from of_terminals(record)
    for call in calls_of(record):
        if call.record.direction is Direction.IN:
            yield _communication(call)


def of_terminals(record: MonthRecord) -> Iterator[Communication]:
    """Yield the signals of a month; none if this machine has no journal."""
    if record.archive is not None:
        yield from communications(record.archive, record.begin_us, record.end_us + 1)


def calls_of(record: MonthRecord) -> Iterator[PhoneCall]:
    """Yield the calls of a month, in and out."""
    return stored_calls.calls(record.connection, joined, since_us=record.begin_us, until_us=record.end_us + 1)


def _communication(call: PhoneCall) -> Communication:
    found = call.record
    return Communication(
        source=CommunicationSource.PHONE,
        number=call.id,
        home=call.tie.home,
        begun_us=found.started or found.ready or 0,
        priority="",
        t2_us=None,
        t3_us=call.t3 if found.outcome is CallOutcome.ANSWERED else None,
        waits_since_us=None,
        is_routine=False,
        on_test=False,
        was_abandoned=found.outcome not in {None, CallOutcome.QUEUED, CallOutcome.ANSWERED},
    )
