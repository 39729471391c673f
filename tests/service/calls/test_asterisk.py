"""Lines of Asterisk's files: what each says of its call."""

# ruff: noqa: ANN401 - a test gives a reader any line, and it may return three kinds of values

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vetlla.domain.calls import CallOutcome, CallRecord, Direction, Party
from vetlla.domain.clock import iso
from vetlla.service.calls.asterisk import cdr, queue_log
from vetlla.service.calls.asterisk.lines import CDR_LINES, QUEUE_EVENTS
from vetlla.service.local_time import LocalTime

READER = cdr.CdrReader(LocalTime(ZoneInfo("Europe/Madrid")))
LINE = {
    "src": "900000001", "dst": "100", "dcontext": "from-pstn", "channel": "PJSIP/trunk-00000001",
    "dstchannel": "PJSIP/101-00000002", "lastapp": "Queue", "start": "2026-11-03 09:00:00",
    "answer": "2026-11-03 09:00:01", "end": "2026-11-03 09:02:10", "disposition": "ANSWERED",
    "uniqueid": "1793692800.1",
}  # fmt: skip


def read(**changes: str) -> Any:
    """Read the line with some other values."""
    return READER.read(1, CDR_LINES.check(LINE | changes))


def record(**changes: str) -> CallRecord:
    """Return the record of the line with some other values."""
    found = read(**changes)
    assert isinstance(found, tuple), found
    assert isinstance(found[1], CallRecord)
    return found[1]


def test_a_call_to_a_queue_waits_for_the_queue_log() -> None:
    """The PBX answered the caller with music; only the log knows about the operator."""
    found = record()
    assert (found.direction, found.outcome, found.answered) == (Direction.IN, CallOutcome.QUEUED, None)
    assert (iso(found.started), found.caller) == ("2026-11-03T08:00:00.000000Z", "+34900000001")


def test_a_call_that_was_put_through_was_ready_at_once() -> None:
    """A call that rings at an operator without a queue could be attended from its start on."""
    found = record(lastapp="Dial")
    assert (found.ready, found.outcome, found.agent) == (found.started, CallOutcome.ANSWERED, "PJSIP/101")


def test_only_a_menu_answered() -> None:
    """The caller hung up in an announcement: no operator answered."""
    found = record(lastapp="Playback", dstchannel="")
    assert (found.outcome, found.answered) == (CallOutcome.ABANDONED, None)


@pytest.mark.parametrize(
    ("disposition", "outcome"),
    [("NO ANSWER", CallOutcome.NO_ANSWER), ("BUSY", CallOutcome.BUSY), ("CONGESTION", CallOutcome.FAILED)],
)
def test_a_call_out(disposition: str, outcome: CallOutcome) -> None:
    """The dialling channel is the agent, without the count that each call has of its own."""
    out = {"src": "101", "dst": "0034900000001", "channel": "PJSIP/101-00000007", "lastapp": "Dial"}
    found = record(**out, disposition=disposition)
    assert (found.direction, found.agent, found.called) == (Direction.OUT, "PJSIP/101", "+34900000001")
    assert (found.outcome, found.answered) == (outcome, None)


def test_calls_between_extensions_and_other_channels_of_a_call_are_passed_over() -> None:
    """A mapping can say so of a context; a linkedid names the call that a channel belongs to."""
    assert read(src="101", dst="102", lastapp="Dial") is None
    assert read(dcontext="internal") is None
    assert read(linkedid="1793692799.9") is None
    assert read(linkedid=LINE["uniqueid"]) is not None


def test_a_mapping_decides_direction_and_party() -> None:
    """Its words stand in place of the context and the account code."""
    found = record(dcontext="out", accountcode="service", lastapp="Dial")
    assert (found.direction, found.party) == (Direction.OUT, Party.SERVICE)


@pytest.mark.parametrize(("unique", "start"), [("1792888200.5", "00:30"), ("pbx1-1792891800.5", "01:30")])
def test_the_id_decides_in_the_hour_that_comes_twice(unique: str, start: str) -> None:
    """Asterisk's id begins with the second in which the channel was made; answer and end follow the start."""
    times = {"start": "2026-10-25 02:30:00", "answer": "2026-10-25 02:30:05", "end": "2026-10-25 02:45:00"}
    found = record(uniqueid=unique, **times, lastapp="Dial")
    assert iso(found.started) == f"2026-10-25T{start}:00.000000Z"
    assert found.started is not None
    assert (found.answered, found.ended) == (found.started + 5_000_000, found.started + 900_000_000)


def test_an_id_of_another_form_leaves_the_hour_unclear() -> None:
    """The fault says what to write and what to set."""
    (fault,) = read(uniqueid="call-7", start="2026-10-25 02:30:00", answer="", end="")
    assert fault.column == "start"
    assert "+02:00" in fault.reason
    assert "usegmtime=yes" in fault.reason


def test_a_call_does_not_end_before_it_begins() -> None:
    """Such a line was damaged."""
    (fault,) = read(end="2026-11-03 08:59:59")
    assert fault.column == "end"


@pytest.mark.parametrize(("width", "at"), [(17, 16), (18, 16), (19, 16), (20, 16), (21, 16)])
def test_the_columns_are_known_by_their_number(width: int, at: int) -> None:
    """Each setting of cdr.conf gives another number of columns; the id is the 17th in all of them."""
    assert cdr.columns_of([""] * width)[at] == "uniqueid"


def test_a_file_without_ids_says_what_to_set() -> None:
    """Without loguniqueid=yes nothing joins the call detail records with the log of the queues."""
    with pytest.raises(ValueError, match="loguniqueid=yes"):
        cdr.columns_of([""] * 16)


EVENTS = queue_log.QueueLogReader()


def event(*fields: str) -> Any:
    """Read a line of the log."""
    return EVENTS.read(1, QUEUE_EVENTS.check(dict(zip(queue_log.COLUMNS, fields, strict=False))))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (("q", "NONE", "ENTERQUEUE", "", "900000001", "1"), {"ready": 1, "queue": "q", "caller": "+34900000001"}),
        (
            ("q", "maria", "CONNECT", "5", "x", "4"),
            {"answered": 1, "queue": "q", "agent": "maria", "outcome": CallOutcome.ANSWERED},
        ),
        (("q", "maria", "COMPLETEAGENT", "5", "60", "1"), {"ended": 1, "outcome": CallOutcome.ANSWERED}),
        (("q", "maria", "ATTENDEDTRANSFER", "BRIDGE", "x"), {"ended": 1, "outcome": CallOutcome.ANSWERED}),
        (("q", "NONE", "ABANDON", "1", "1", "9"), {"ended": 1, "queue": "q", "outcome": CallOutcome.ABANDONED}),
        (("q", "NONE", "EXITWITHTIMEOUT", "1"), {"ended": 1, "queue": "q", "outcome": CallOutcome.NO_ANSWER}),
    ],
)
def test_an_event_says_what_it_is_about(fields: tuple[str, ...], expected: dict[str, Any]) -> None:
    """Times are in microseconds; a line without them is in whole seconds."""
    call, found = event("1793692801", "7.1", *fields)
    times: dict[str, Any] = {name: 1_793_692_801_000_000 for name in ("ready", "answered", "ended") if name in expected}
    assert (call, found) == ("7.1", CallRecord(direction=Direction.IN)._replace(**(expected | times)))


def test_microseconds_of_the_log_are_kept() -> None:
    """A t3 of 15.2 s is over the limit, and of 15 s is not."""
    assert event("1793692801.25", "7.1", "q", "NONE", "ENTERQUEUE")[1].ready == 1_793_692_801_250_000


@pytest.mark.parametrize("fields", [("NONE", "NONE", "NONE", "QUEUESTART"), ("7.1", "q", "maria", "RINGNOANSWER", "9")])
def test_events_without_news_of_a_call_are_passed_over(fields: tuple[str, ...]) -> None:
    """Events of the queue itself, and the ringing at one operator."""
    assert event("1793692801", *fields) is None
