"""Records of one call join in any order, and a line that comes twice adds nothing."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.domain.calls import CallOutcome, CallRecord, Direction, Origin, Party
from vetlla.service.calls.joining import joined, merged, order_fault, overlaid, updated

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMES = st.none() | st.integers(1, 6)
WORDS = st.sampled_from(["", "a", "b"])
RECORDS = st.builds(
    CallRecord,
    direction=st.none() | st.sampled_from(Direction),
    started=TIMES,
    ready=TIMES,
    answered=TIMES,
    ended=TIMES,
    agent=WORDS,
    caller=WORDS,
    called=WORDS,
    queue=WORDS,
    outcome=st.none() | st.sampled_from(CallOutcome),
    recording=WORDS,
    digest=st.sampled_from([b"", b"1", b"2"]),
    party=st.none() | st.sampled_from(Party),
    home=WORDS,
    alarm=TIMES,
)


def slow(records: Sequence[CallRecord]) -> CallRecord:
    """Return what all lines say, by looking at all of them at once."""

    def least(name: str) -> object:
        return min((value for one in records if (value := getattr(one, name))), default=getattr(records[0], name))

    answering = [one for one in records if one.answered is not None]
    waiting = [(9 if one.ready is None else one.ready, one.agent, one.queue) for one in records]
    agent, queue = min((one.answered, one.agent, one.queue) for one in answering)[1:] if answering else min(waiting)[1:]
    order = list(CallOutcome)
    outcomes = [one.outcome for one in records if one.outcome]
    names = ("direction", "started", "ready", "answered", "caller", "called", "recording", "party", "home", "alarm")
    return CallRecord(
        **{name: least(name) for name in names},  # type: ignore[arg-type]
        ended=max((one.ended for one in records if one.ended), default=None),
        agent=agent,
        queue=queue,
        outcome=min(outcomes, key=order.index, default=None),
        digest=max(one.digest for one in records),
    )


@given(st.lists(RECORDS, min_size=1, max_size=6), st.randoms())
def test_lines_of_asterisk_join_in_any_order(records: list[CallRecord], chance: object) -> None:
    """Any order, any line again, and any split into files gives what all lines say at once."""
    again = [*records, *records[:2]]
    chance.shuffle(again)  # type: ignore[attr-defined]
    middle = len(again) // 2
    parts = [reduce(merged, part) for part in (again[:middle], again[middle:]) if part]
    assert reduce(merged, parts) == slow(records)


@given(RECORDS, RECORDS, RECORDS)
def test_a_later_row_replaces_only_what_it_gives(first: CallRecord, second: CallRecord, third: CallRecord) -> None:
    """Each value is that of the last row that gives it."""
    found = overlaid(overlaid(first, second), third)
    for name in CallRecord._fields:
        given_values = [value for one in (first, second, third) if (value := getattr(one, name))]
        assert getattr(found, name) == (given_values[-1] if given_values else getattr(first, name))


@given(RECORDS, st.sampled_from(Origin))
def test_the_same_record_again_is_no_change(record: CallRecord, origin: Origin) -> None:
    """The import of a file that was imported already finds nothing new."""
    assert updated(origin, record, record) == record


CDR = CallRecord(direction=Direction.IN, started=1, answered=1, ended=9, caller="+34900000001", called="100")
QUEUE = CallRecord(direction=Direction.IN, ready=2, answered=5, ended=10, agent="maria", queue="q")


def test_the_queue_log_knows_the_answer_and_the_cdr_the_end() -> None:
    """The detail record's answer is that of a menu; the queue log's end can be late (asterisk issue 393)."""
    found = joined({Origin.CDR: CDR, Origin.QUEUE_LOG: QUEUE._replace(outcome=CallOutcome.ANSWERED)})
    assert (found.started, found.ready, found.answered, found.ended) == (1, 2, 5, 9)
    assert (found.agent, found.caller, found.outcome) == ("maria", "+34900000001", CallOutcome.ANSWERED)


def test_a_call_that_only_entered_the_queue_is_undecided() -> None:
    """The rest of the log is not imported yet, and the answer of the detail record proves nothing."""
    entered = CallRecord(direction=Direction.IN, ready=2)
    found = joined({Origin.CDR: CDR._replace(outcome=CallOutcome.ANSWERED), Origin.QUEUE_LOG: entered})
    assert (found.answered, found.outcome) == (None, CallOutcome.QUEUED)


def test_rows_win_over_the_files_of_asterisk() -> None:
    """A person corrects a call with a row."""
    found = joined(
        {Origin.CDR: CDR, Origin.QUEUE_LOG: QUEUE, Origin.ROWS: CallRecord(answered=4, agent="joan", ended=8)}
    )
    assert (found.answered, found.agent, found.ended, found.outcome) == (4, "joan", 8, CallOutcome.ANSWERED)


@pytest.mark.parametrize(
    ("record", "outcome"),
    [
        (CallRecord(direction=Direction.IN, started=1, ended=3), CallOutcome.ABANDONED),
        (CallRecord(direction=Direction.OUT, started=1, ended=3), CallOutcome.NO_ANSWER),
        (CallRecord(direction=Direction.OUT, started=1, answered=2), CallOutcome.ANSWERED),
        (CallRecord(direction=Direction.IN, started=1), None),
        (CallRecord(ended=1), None),
    ],
)
def test_the_times_of_a_row_say_its_outcome(record: CallRecord, outcome: CallOutcome | None) -> None:
    """A file need not name the outcome; without an end it is unknown."""
    assert joined({Origin.ROWS: record}).outcome == outcome


def test_times_out_of_order_are_named() -> None:
    """The fault names the time and the earlier one; unknown times are passed over."""
    assert order_fault(CallRecord(started=1, answered=3, ended=2)) == ("ended", "answered")
    assert order_fault(CallRecord(started=1, ended=1)) is None
