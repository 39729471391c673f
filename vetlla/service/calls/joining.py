"""Joins what several lines and files say of one call. The order in which they are imported makes no difference.

Asterisk writes several lines about a call and never corrects one. So ``merged`` takes the earliest start and answer,
the latest end and the strongest outcome: a line twice adds nothing, and lines in any order give the same record. Rows
are people's own: ``overlaid`` lets a later row replace what an earlier one said, and ``joined`` lets rows win.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeVar

from vetlla.domain.calls import CallOutcome, CallRecord, Direction, Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

E = TypeVar("E", bound=str)
_STRENGTH: Final = {outcome: place for place, outcome in enumerate(CallOutcome)}
_NEVER: Final = 1 << 62
_NOTHING: Final = CallRecord()


def merged(one: CallRecord, other: CallRecord) -> CallRecord:
    """Return what two records of the same kind of Asterisk's files say together."""
    if one == other:
        return one
    # The operator who answered first, and the queue of that; as long as no operator answered, the queue entered first.
    answering = min(one, other, key=_by_answer)
    return CallRecord(
        direction=_least(one.direction, other.direction),
        started=_earliest(one.started, other.started),
        ready=_earliest(one.ready, other.ready),
        answered=_earliest(one.answered, other.answered),
        ended=max((time for time in (one.ended, other.ended) if time is not None), default=None),
        agent=answering.agent,
        caller=_filled(one.caller, other.caller),
        called=_filled(one.called, other.called),
        queue=answering.queue,
        outcome=min((found for found in (one.outcome, other.outcome) if found), key=_STRENGTH.get, default=None),  # type: ignore[arg-type]
        recording=_filled(one.recording, other.recording),
        digest=max(one.digest, other.digest),
        party=_least(one.party, other.party),
        home=_filled(one.home, other.home),
        alarm=_earliest(one.alarm, other.alarm),
    )


def overlaid(earlier: CallRecord, later: CallRecord) -> CallRecord:
    """Return the earlier rows of a call with every value that a later row gives."""
    return CallRecord._make([new or old for old, new in zip(earlier, later, strict=True)])  # faster than a generator


def updated(origin: Origin, known: CallRecord | None, found: CallRecord) -> CallRecord:
    """Return what a kind of file says of a call after one more line or row."""
    if known is None:
        return found
    return overlaid(known, found) if origin is Origin.ROWS else merged(known, found)


def joined(records: Mapping[Origin, CallRecord]) -> CallRecord:
    """Return what all files say of a call.

    Rows win, because a person made them. The queue's log knows when the operator answered. The call detail record knows
    when the call began and when the caller's line was free again: the queue's log can be late there
    (github.com/asterisk/asterisk, issue 393).
    """
    rows = records.get(Origin.ROWS, _NOTHING)
    queue = records.get(Origin.QUEUE_LOG, _NOTHING)
    cdr = records.get(Origin.CDR, _NOTHING)
    found = cdr
    for later in (queue, rows):
        if later is not _NOTHING:  # a month has a million calls, and most have only one file
            found = overlaid(found, later)
    answered, agent = found.answered, found.agent
    if queue is not _NOTHING:
        # The answer in the call detail record may be that of a menu, or of what followed the queue.
        answered, agent = rows.answered or queue.answered, rows.agent or queue.agent
    ended = cdr.ended if rows.ended is None and cdr.ended is not None else found.ended
    started = rows.started
    if started is None:
        started = cdr.started if cdr.started is not None else found.started or queue.ready
    caller = cdr.caller if cdr.caller and not rows.caller else found.caller
    said = queue.outcome or CallOutcome.QUEUED if queue is not _NOTHING else cdr.outcome
    outcome = rows.outcome or (CallOutcome.ANSWERED if rows.answered else said)
    outcome = outcome or _outcome(answered, ended, found.direction)
    return found._replace(started=started, answered=answered, ended=ended, agent=agent, caller=caller, outcome=outcome)


def _outcome(answered: int | None, ended: int | None, direction: Direction | None) -> CallOutcome | None:
    """Return the outcome that the times say, where no file names it."""
    if answered is not None:
        return CallOutcome.ANSWERED
    if ended is None or direction is None:
        return None
    return CallOutcome.ABANDONED if direction is Direction.IN else CallOutcome.NO_ANSWER


def order_fault(record: CallRecord) -> tuple[str, str] | None:
    """Return the time that lies before an earlier one, and which one that is; None if all are in order."""
    times = [(name, getattr(record, name)) for name in ("started", "ready", "answered", "ended")]
    known = [(name, time) for name, time in times if time is not None]
    for (before, first), (after, second) in pairwise(known):
        if second < first:
            return after, before
    return None


def _by_answer(record: CallRecord) -> tuple[int, int, str, str]:
    if record.answered is not None:
        return (record.answered, 0, record.agent, record.queue)
    return (_NEVER, _NEVER if record.ready is None else record.ready, record.agent, record.queue)


def _earliest(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _filled(one: str, other: str) -> str:
    return min(one, other) if one and other else one or other


def _least(one: E | None, other: E | None) -> E | None:
    return min(one, other) if one and other else one or other
