"""The figures of ANS 5 to 7: how fast communications are ready and answered, and whether calls are kept."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from vetlla.domain.calls import CallOutcome, Direction
from vetlla.domain.communications import Communication, CommunicationSource
from vetlla.domain.service_levels import LISTED_AT_MOST, BreachReason, LevelBreach
from vetlla.service.calls.joining import joined
from vetlla.service.calls.proofs import Proof, lacks
from vetlla.service.sla.communications import Seen, t2_figure, t3_figure
from vetlla.service.sla.comparing import figure, share
from vetlla.service.sla.from_duties import required_share
from vetlla.store.calls import queries as stored_calls
from vetlla.store.journal.communications import communications

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.domain.calls import PhoneCall
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.tasks.sla.month import MonthRecord


def of_t2(record: MonthRecord, ans: int) -> LevelFigure:
    """Return the figures of ANS 5 from the signals of the journal."""
    return t2_figure(ans, _of_terminals(record), record.reading(), _seen(record))


def of_t3(record: MonthRecord, ans: int) -> LevelFigure:
    """Return the figures of ANS 6 from the signals of the journal and the calls of the PBX that came in."""
    return t3_figure(ans, _all(record), record.reading(), _seen(record))


def of_proofs(record: MonthRecord, ans: int) -> LevelFigure:
    """Return the figures of ANS 7: calls in and out that are registered, recorded, and kept in the file of a home.

    The journal stores each signal with its home before it is acknowledged, so the signals need no such proof. It is
    not measured if no call of the month was imported.
    """
    reading = record.reading()
    threshold = required_share(reading, ans)
    cases, held = Counter[Proof](), Counter[Proof]()
    breaches: list[LevelBreach] = []
    breach_count = 0
    for call in _calls(record):
        if call.record.direction is None:
            continue  # only a recording or a party is known of it
        missing = lacks(call)
        for proof in Proof:
            is_case = proof is not Proof.RECORDED or call.record.outcome is CallOutcome.ANSWERED
            cases[proof] += is_case
            held[proof] += is_case and proof not in missing
        breach_count += bool(missing)
        if missing and len(breaches) < LISTED_AT_MOST:
            breaches.append(_lacking(call, missing[0]))
    parts = [share(proof.value, held[proof], cases[proof], threshold) for proof in Proof]
    return figure(
        ans,
        record.month,
        parts if cases else [],
        breaches,
        breach_count,
        assumed=tuple(sorted(entry.name for entry in reading.not_agreed())),
    )


_REASONS: Final = {
    Proof.REGISTERED: BreachReason.NOT_REGISTERED,
    Proof.RECORDED: BreachReason.NOT_RECORDED,
    Proof.FILED: BreachReason.NOT_FILED,
}


def _lacking(call: PhoneCall, proof: Proof) -> LevelBreach:
    begun = call.record.started or call.record.ready
    return LevelBreach("call", str(call.id), call.tie.home, "", _REASONS[proof], begun_us=begun)


def _seen(record: MonthRecord) -> Seen:
    return Seen(record.month, record.rules.calendar.zone, record.seen_us)


def _all(record: MonthRecord) -> Iterator[Communication]:
    yield from _of_terminals(record)
    for call in _calls(record):
        if call.record.direction is Direction.IN:
            yield _communication(call)


def _of_terminals(record: MonthRecord) -> Iterator[Communication]:
    if record.archive is not None:
        yield from communications(record.archive, record.begin_us, record.end_us + 1)


def _calls(record: MonthRecord) -> Iterator[PhoneCall]:
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
