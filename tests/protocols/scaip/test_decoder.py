"""Requests as reports: what the recordings cannot say, such as the sender of a body, and refusals."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.rigs.sip.messages import request_bytes
from vetlla.domain.signals import STORED, Kind, Reason, Reject, Signal, refused
from vetlla.protocols.decoder import Message
from vetlla.protocols.scaip.answer import AnswerStatus, Media, read_answer
from vetlla.protocols.scaip.decoder import SENDER, ScaipDecoder
from vetlla.protocols.scaip.recording import messages

NOW = datetime(2026, 1, 2, 10, 0, 0, tzinfo=UTC)
DECODER = ScaipDecoder(lambda _: ())
SENT_BY = "sip:26317@198.51.100.7"
LEAST = "<mrq><ref>1</ref><cid>26317</cid><dty>0003</dty></mrq>"


def only(body: str, sender: str = SENT_BY) -> Signal:
    (item,) = DECODER.read(Message(sender, body.encode()))
    assert isinstance(item, Signal)
    return item


def test_a_body_that_cannot_be_read_is_an_alarm_of_its_sender() -> None:
    """It is answered by a bad format, and an operator sees the user of From."""
    signal = only("<mrq><re")
    assert (signal.event.kind, signal.id.account) == (Kind.UNREADABLE, "26317")
    answer = read_answer(DECODER.answer(signal, STORED, NOW).replace(b"<mrs>", b"<mrs><ref>1</ref>"))
    assert answer is not None
    assert answer.status == AnswerStatus.BAD_FORMAT


def test_another_body_is_evidence_of_its_sender() -> None:
    """If its sender is a registered home, the intake opens an alarm for it."""
    (item,) = DECODER.read(Message(SENT_BY, b"bon dia"))
    assert isinstance(item, Reject)
    assert (item.reason, item.kind) == (Reason.MALFORMED, Kind.UNREADABLE)
    assert item.id is not None
    assert item.id.account == "26317"


def test_the_sender_stands_for_a_controller_that_is_missing() -> None:
    """A request without an id is of the user in From."""
    assert only("<mrq><ref>1</ref><dty>0003</dty></mrq>").id.account == "26317"


@pytest.mark.parametrize(("sender", "shown"), [(SENT_BY, None), ("sip:9@a", "9"), ("", None), ("no address", None)])
def test_another_sender_is_shown(sender: str, shown: str | None) -> None:
    """The account is that of the request, and a sender of another name is seen beside it."""
    signal = only(LEAST, sender)
    assert signal.id.account == "26317"
    assert signal.details.get(SENDER) == shown


def test_a_repetition_is_known_by_controller_and_reference() -> None:
    """The same request has the same identity; another code, type or reference has another one, and none has none."""
    others = [
        LEAST.replace("0003", "0005"), LEAST.replace("<ref>1", "<ref>2"), LEAST.replace("26317", "26318"),
        LEAST.replace("<dty>", "<mty>RE</mty><dty>"), LEAST.replace("<dty>", "<did>7</did><dty>"),
    ]  # fmt: skip
    assert only(LEAST).identity == only(LEAST, "sip:other@a").identity
    assert len({only(body).identity for body in (LEAST, *others)}) == len(others) + 1
    for body in (LEAST.replace("<ref>1</ref>", ""), LEAST.replace("<ref>1</ref>", "<ref>1</ref><ref>2</ref>")):
        assert only(body).identity == b""


def test_each_of_two_requests_has_its_own_answer() -> None:
    """Both are told by their references."""
    items = DECODER.read(Message(SENT_BY, (LEAST + LEAST.replace("<ref>1", "<ref>2")).encode()))
    answers = [read_answer(DECODER.answer(one, STORED, NOW)) for one in items if isinstance(one, Signal)]
    assert [one.ref for one in answers if one is not None] == ["1", "2"]


def test_a_refused_request_is_told_so() -> None:
    """The status is "not treated", and the terminal is not asked to call."""
    answer = read_answer(DECODER.answer(only(LEAST), refused(Reason.UNKNOWN_ACCOUNT), NOW))
    assert answer is not None
    assert (answer.status, answer.media) == (AnswerStatus.NOT_TREATED, Media.NONE)
    assert "unknown_account" in answer.text


def test_a_recording_of_sip_is_read_too() -> None:
    """Requests and responses one after the other, as the text of a capture has them."""
    one = request_bytes(body=LEAST.encode())
    other = request_bytes(body=LEAST.encode(), sender="<sip:7@a>;tag=1")
    found = messages(one + b"SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n" + other)
    assert [message.topic for message in found] == [SENT_BY, "sip:7@a"]
    assert {message.payload for message in found} == {LEAST.encode()}
