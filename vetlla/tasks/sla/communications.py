"""The figures of ANS 5 to 7: how fast communications are ready and answered, and whether calls are kept."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from vetlla.domain.calls import CallOutcome, Direction
from vetlla.domain.communications import Communication, CommunicationSource
from vetlla.service.calls.joining import joined
from vetlla.service.sla.communications import Seen, t2_figure, t3_figure
from vetlla.service.sla.proofs import ProofTally
from vetlla.store.calls import queries as stored_calls
from vetlla.store.journal.communications import communications

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    tally = record.counted.proofs
    if tally is None:
        deque(calls_of(record), maxlen=0)
        tally = record.counted.proofs or ProofTally()
    return tally.figure(ans, record.month, record.reading())


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
        yield from communications(record.archive, record.begin_us, record.end_us + 1, record.seen_us)


def calls_of(record: MonthRecord) -> Iterator[PhoneCall]:
    """Yield the calls of a month, in and out. Their proofs are counted meanwhile, because reading them takes long."""
    tally = ProofTally()
    for call in stored_calls.calls(record.connection, joined, since_us=record.begin_us, until_us=record.end_us + 1):
        tally.add(call)
        yield call
    record.counted.proofs = tally


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
