"""Repetitions get the answer that the first one got, and never swallow another report; ours are repeated in time."""

from __future__ import annotations

import pytest

from tests.rigs.sip.messages import SOURCE, read_request, request_bytes
from vetlla.domain.clock import SECOND_US
from vetlla.protocols.sip.answering import respond
from vetlla.protocols.sip.message import Response
from vetlla.protocols.sip.reading import read_datagram
from vetlla.protocols.sip.transactions.client import ClientTransaction, Stage
from vetlla.protocols.sip.transactions.server import Repeated, ServerTransactions, key_of

ALARM = b"<mrq><ref>1</ref><cid>10149471</cid><dty>3</dty><stc>10</stc></mrq>"
FIRST = request_bytes(body=ALARM)


def keyed(**values: object) -> tuple[object, ...]:
    return key_of(read_request(request_bytes(**({"body": ALARM} | values))))  # type: ignore[arg-type]


@pytest.mark.parametrize(("seconds", "is_known"), [(0.5, True), (31, True), (33, False)])
def test_a_repetition_is_known_for_32_s(seconds: float, is_known: bool) -> None:  # noqa: FBT001 - a table's column
    """Timer J. A report that comes again after it is known by what it says, and not by its transaction."""
    known = ServerTransactions(is_reliable=False)
    key = key_of(read_request(FIRST))
    assert known.begin(key) is None
    assert known.begin(key_of(read_request(FIRST))) == Repeated(b"")  # still being committed
    answer = respond(read_request(FIRST), 200, tag="t", source=SOURCE)
    known.answered(key, answer, 1_000)
    now_us = 1_000 + round(seconds * SECOND_US)
    known.expire(now_us)
    assert known.begin(key_of(read_request(FIRST))) == (Repeated(answer) if is_known else None)
    assert known.due_us == (1_000 + 32 * SECOND_US if is_known else None)


@pytest.mark.parametrize(
    "values",
    [
        {"call_id": "2"},  # the same report again, because its answer did not come: told apart by the decoder
        {"sequence": "2 MESSAGE"},
        {"via": "SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK7a02;rport"},
        {"via": "SIP/2.0/UDP 198.51.100.8:5060;branch=z9hG4bK7a01;rport"},
        {"sender": "<sip:26317@198.51.100.7>;tag=82"},
        {"uri": "sip:other@192.0.2.1"},
        {"method": "OPTIONS"},
        {"body": ALARM.replace(b"<ref>1", b"<ref>2")},  # a terminal whose random numbers begin alike at each start
    ],
)
def test_another_report_is_never_taken_for_a_repetition(values: dict[str, object]) -> None:
    """A swallowed call is a person on the floor."""
    assert keyed(**values) != keyed()


@pytest.mark.parametrize("via", ["SIP/2.0/UDP 198.51.100.7", "SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK"])
def test_reports_of_senders_without_unique_branches_are_told_apart(via: str) -> None:
    """RFC 3261, 17.2.3 for RFC 2543; RFC 4475, 3.2.1."""
    assert keyed(via=via) == keyed(via=via)
    assert keyed(via=via) != keyed(via=via, call_id="2")
    assert keyed(via=via) != keyed(via=via, body=b"<mrq/>")


def test_over_a_connection_nothing_is_kept_after_the_answer() -> None:
    known = ServerTransactions(is_reliable=True)
    key = key_of(read_request(FIRST))
    known.begin(key)
    known.answered(key, b"answer", 0)
    assert (len(known), known.due_us, known.begin(key)) == (0, None, None)


def test_a_request_that_could_not_be_kept_is_served_again() -> None:
    known = ServerTransactions(is_reliable=False)
    key = key_of(read_request(FIRST))
    known.begin(key)
    known.dropped(key)
    assert known.begin(key) is None


def test_a_crowd_leaves_its_oldest_answers_behind() -> None:
    """Memory has a bound, and the requests that are being served stay known."""
    known = ServerTransactions(is_reliable=False, most=3)
    serving = key_of(read_request(request_bytes("OPTIONS")))
    known.begin(serving)
    keys = [key_of(read_request(request_bytes(call_id=str(number)))) for number in range(5)]
    for key in keys:
        known.begin(key)
        known.answered(key, b"a", 0)
    assert len(known) == 4
    assert known.begin(serving) == Repeated(b"")
    assert [known.begin(key) is None for key in keys[:3]] == [True, True, False]
    known.expire(40 * SECOND_US)


# our requests

KEY = ("z9hG4bKours", "MESSAGE")


def response(status: int, *, branch: str = "z9hG4bKours", method: str = "MESSAGE") -> Response:
    via = f"SIP/2.0/UDP 192.0.2.1;branch={branch}"
    read = read_datagram(respond(read_request(request_bytes(method, via=via)), status, tag="t", source=SOURCE))
    assert isinstance(read, Response)
    return read


def sendings(transaction: ClientTransaction, until_s: float = 40) -> list[float]:
    """Return when the request is sent again, in seconds."""
    times = []
    while (due_us := transaction.due_us) is not None and due_us <= until_s * SECOND_US:
        if transaction.tick(due_us):
            times.append(due_us / SECOND_US)
    return times


def test_an_answer_that_is_never_acknowledged_is_sent_eleven_times() -> None:
    """Timers E and F (RFC 3261, 17.1.2.2): the terminal is gone, and the alarm stays accepted."""
    transaction = ClientTransaction(KEY, 0, is_reliable=False)
    assert sendings(transaction) == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert (transaction.stage, transaction.is_timed_out) == (Stage.ENDED, True)
    assert not transaction.take(response(200), 41 * SECOND_US)


def test_over_a_connection_a_request_is_sent_once() -> None:
    transaction = ClientTransaction(KEY, 0, is_reliable=True)
    assert transaction.due_us == 32 * SECOND_US
    assert sendings(transaction) == []
    assert transaction.is_timed_out


def test_a_provisional_answer_slows_the_sendings_down() -> None:
    transaction = ClientTransaction(KEY, 0, is_reliable=False)
    assert sendings(transaction, 0.6) == [0.5]
    assert not transaction.take(response(100), SECOND_US)
    assert transaction.stage is Stage.PROCEEDING
    assert sendings(transaction)[:3] == [1.5, 5.5, 9.5]


@pytest.mark.parametrize("status", [200, 202, 302, 404, 503, 604])
def test_a_final_answer_ends_the_sendings(status: int) -> None:
    """Over UDP its repetitions are absorbed for 5 s (timer K), and tell nothing."""
    transaction = ClientTransaction(KEY, 0, is_reliable=False)
    assert transaction.take(response(status), SECOND_US)
    assert not transaction.take(response(status), 2 * SECOND_US)
    assert transaction.due_us == 6 * SECOND_US
    assert sendings(transaction) == []
    assert (transaction.stage, transaction.is_timed_out) == (Stage.ENDED, False)


@pytest.mark.parametrize("other", [{"branch": "z9hG4bKother"}, {"method": "OPTIONS"}])
def test_an_answer_to_another_request_is_none_to_this_one(other: dict[str, str]) -> None:
    transaction = ClientTransaction(KEY, 0, is_reliable=False)
    assert not transaction.take(response(200, **other), 1)
    assert transaction.stage is Stage.TRYING


def test_a_caller_with_less_patience_has_a_shorter_end() -> None:
    transaction = ClientTransaction(KEY, 0, is_reliable=False, whole_us=2 * SECOND_US)
    assert sendings(transaction) == [0.5, 1.5]
    assert transaction.is_timed_out
