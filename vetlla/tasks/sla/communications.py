"""The figures of ANS 5 to 7: how fast communications are ready and answered, and whether calls are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.calls import CallOutcome, Direction
from vetlla.domain.communications import Communication, CommunicationSource
from vetlla.domain.service_levels import LevelFigure  # noqa: TC001 - NamedTuple
from vetlla.service.calls.joining import joined
from vetlla.service.sla.communications import Seen, t2_figure, t3_figure
from vetlla.service.sla.proofs import ProofTally
from vetlla.store.calls import queries as stored_calls
from vetlla.store.journal.communications import communications

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.domain.calls import PhoneCall
    from vetlla.tasks.sla.month import MonthRecord

_T3, _PROOFS = 6, 7


def of_t2(record: MonthRecord, ans: int) -> LevelFigure:
    """Return the figures of ANS 5 from the signals of the journal."""
    return t2_figure(ans, of_terminals(record), record.reading(), _seen(record))


class CallLevels(NamedTuple):
    """The two levels that are made of the calls of a month."""

    t3: LevelFigure
    """ANS 6, from the signals of the journal and the calls that came in."""
    proofs: LevelFigure
    """ANS 7, from the calls in and out: registered, recorded, and kept in the file of a home.

    The journal stores each signal with its home before it is acknowledged, so the signals need no such proof. It is
    not measured if no call of the month was imported.
    """


def of_t3(record: MonthRecord, _: int) -> LevelFigure:
    """Return the figures of ANS 6."""
    return record.once(of_calls).t3


def of_proofs(record: MonthRecord, _: int) -> LevelFigure:
    """Return the figures of ANS 7."""
    return record.once(of_calls).proofs


def of_calls(record: MonthRecord) -> CallLevels:
    """Return both levels of one reading of the calls: a month has up to 700,000, and reading them takes long."""
    tally = ProofTally()

    def told() -> Iterator[PhoneCall]:
        for call in calls_of(record):
            tally.add(call)
            yield call

    t3 = t3_figure(_T3, communications_with(record, told()), record.reading(), _seen(record))
    return CallLevels(t3, tally.figure(_PROOFS, record.month, record.reading()))


def _seen(record: MonthRecord) -> Seen:
    return Seen(record.month, record.rules.calendar.zone, record.seen_us)


def communications_with(record: MonthRecord, calls: Iterable[PhoneCall]) -> Iterator[Communication]:
    """Yield the signals of the terminals, and of all calls those that came in."""
    yield from of_terminals(record)
    for call in calls:
        if call.record.direction is Direction.IN:
            yield _communication(call)


def of_terminals(record: MonthRecord) -> Iterator[Communication]:
    """Yield the signals of a month; none if this machine has no journal."""
    if record.archive is not None:
        yield from communications(record.archive, record.begin_us, record.end_us + 1, record.seen_us)


def calls_of(record: MonthRecord) -> Iterator[PhoneCall]:
    """Yield the calls of a month, in and out."""
    yield from stored_calls.calls(record.connection, joined, since_us=record.begin_us, until_us=record.end_us + 1)


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
