"""Cases of ANS 5 to 7: signals of terminals and telephone calls."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from vetlla.domain.calls import Direction
from vetlla.domain.communications import CommunicationSource
from vetlla.domain.service_levels import CaseVerdict, LevelCase
from vetlla.service.calls.joining import joined
from vetlla.service.calls.proofs import lacks
from vetlla.service.sla.communications import judged_t2, judged_t3, t2_limit_us, t3_rules
from vetlla.service.sla.explaining import Stamps, came_in, proofs_text, stamps_text, t2_text, t3_text
from vetlla.store.calls import queries as stored_calls
from vetlla.store.journal import history
from vetlla.tasks.sla.communications import calls_of, communications_with, of_terminals
from vetlla.tasks.sla.explain.candidate import Candidate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vetlla.domain.calls import PhoneCall
    from vetlla.domain.communications import Communication
    from vetlla.service.sla.explaining import TellTime
    from vetlla.tasks.sla.month import MonthRecord


def t2_cases(record: MonthRecord, _: int, time: TellTime) -> Iterator[Candidate]:
    """Yield the signals of a month for ANS 5."""
    reading = record.reading()
    limit_us = t2_limit_us(reading)
    for one in of_terminals(record):
        verdict, why = judged_t2(one, limit_us), partial(t2_text, one, reading)
        yield Candidate(verdict, one.home, one.begun_us, partial(_told, record, one, verdict, why, time))


def t3_cases(record: MonthRecord, _: int, time: TellTime) -> Iterator[Candidate]:
    """Yield the signals and the calls in of a month for ANS 6."""
    reading = record.reading()
    rules = t3_rules(reading)
    for one in communications_with(record, calls_of(record)):
        verdict, waited_us = judged_t3(one, rules, record.seen_us)
        why = partial(t3_text, one, (verdict, waited_us), rules, reading)
        yield Candidate(verdict, one.home, one.begun_us, partial(_told, record, one, verdict, why, time))


def proof_cases(record: MonthRecord, ans: int, time: TellTime) -> Iterator[Candidate]:
    """Yield the calls in and out of a month for ANS 7."""
    for call in calls_of(record):
        if call.record.direction not in {Direction.IN, Direction.OUT}:
            continue
        missing = lacks(call)
        verdict = CaseVerdict.BREACHED if missing else CaseVerdict.KEPT
        begun_us = call.record.started or call.record.ready or 0
        told = partial(_call, call, verdict, f"{proofs_text(call, missing)} Source: tender 20220428, 16.{ans}.", time)
        yield Candidate(verdict, call.tie.home, begun_us, told)


def _told(
    record: MonthRecord,
    one: Communication,
    verdict: CaseVerdict,
    why: Callable[[], str],
    time: TellTime,
) -> LevelCase:
    is_signal = one.source is CommunicationSource.TERMINAL
    stamps = _of_signal(record, one) if is_signal else _of_call(record, one)
    return LevelCase(
        what="signal" if is_signal else "call",
        number=str(one.number),
        home=one.home,
        subject="",
        verdict=verdict,
        counts=came_in(one, time),
        why=f"{stamps_text(stamps, time)} {why()}",
        show=f"vetlla {'signals' if is_signal else 'calls'} show {one.number}",
    )


def _of_signal(record: MonthRecord, one: Communication) -> Stamps:
    stored = history.signal(record.archive, one.number) if record.archive else None
    if stored is None or record.archive is None:
        return Stamps(one.begun_us, None, None, "")
    alarm = history.alarm(record.archive, stored.alarm) if stored.alarm is not None else None
    operator = alarm.operator if alarm else ""
    return Stamps(stored.established_us, stored.ready_us, stored.answered_us, operator, stored.alarm)


def _of_call(record: MonthRecord, one: Communication) -> Stamps:
    found = stored_calls.call(record.connection, str(one.number), joined).record
    return Stamps(found.started, found.ready, found.answered, found.agent)


def _call(call: PhoneCall, verdict: CaseVerdict, why: str, time: TellTime) -> LevelCase:
    begun_us = call.record.started or call.record.ready
    begun = f"begun at {time(begun_us)}" if begun_us is not None else "first recorded"
    return LevelCase(
        what="call",
        number=str(call.id),
        home=call.tie.home,
        subject="",
        verdict=verdict,
        counts=f"It counts in the month in which it was {begun}.",
        why=why,
        show=f"vetlla calls show {call.id}",
    )
