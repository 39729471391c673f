"""The MQTT convention: page, schema and decoder agree; receipts and topics have the right form."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.rigs.recordings import Recording, decode, recordings, signals
from vetlla.domain.signals import DUPLICATE, STORED, Item, Phase, Reason, Reject, Reply, Signal, refused
from vetlla.protocols.decoder import Message
from vetlla.protocols.mqtt.decoder import MAX_FRAME, MqttDecoder, receipt, terminal_of
from vetlla.protocols.mqtt.recording import messages

PAGES = Path(__file__).parents[2] / "docs" / "protocols"
PAGE = (PAGES / "mqtt.md").read_text(encoding="utf-8")
SCHEMA = json.loads((PAGES / "mqtt.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
EXAMPLES = re.findall(r"^(tc/1/\S+) (.+)$", PAGE, re.MULTILINE)

FIELD = json.loads((PAGES.parents[1] / "fixtures" / "field" / "mqtt.json").read_text(encoding="utf-8"))
PIECES = (
    *'{}[]",:\\ ', "'", "nan", "1", "null", "true", "-", "é", "\0", "\n", '"ref":"1"', ',"dty":"0003"', '"stc":"0070",',
    '"a":', '{"ref":"7","dty":', "tc/1/T2/hb ", "\\u12", '"b"',
)  # fmt: skip
"""Parts of broken JSON."""

TAKEN_ALL_THE_SAME = {"hb-least", "pendant-least", "codes-unpadded", "side-fields-unreadable"}
"""Recordings that a maker should not send. They are received nevertheless, because an alarm is an alarm."""


def garbled() -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(PIECES), max_size=30).map(lambda pieces: "".join(pieces).encode())


def heard(data: bytes) -> list[Item]:
    return decode(MqttDecoder(lambda _: ()), [data])


def read(topic: str, payload: bytes) -> list[Item]:
    return MqttDecoder(lambda _: ()).read(Message(topic, payload))


def as_published(topic: str, payload: str) -> dict[str, Any]:
    """Return a message under the name that the schema gives it, which is the last level of its topic."""
    leaf = topic.rpartition("/")[2]
    return {leaf: json.loads(payload) if payload.startswith("{") else payload}


def text_of(recording: Recording) -> tuple[str, str]:
    topic, _, payload = recording.data.decode().partition(" ")
    return topic, payload


# --- page, schema, decoder --------------------------------------------------------------------------------------------


def test_the_schema_is_one() -> None:
    """The schema is valid, and the page has examples of every kind of message."""
    Draft202012Validator.check_schema(SCHEMA)
    assert {topic.rpartition("/")[2] for topic, _ in EXAMPLES} == set(SCHEMA["properties"])


@pytest.mark.parametrize(("topic", "payload"), EXAMPLES)
def test_an_example_of_the_page_is_true(topic: str, payload: str) -> None:
    """Each example follows the schema; the receiver reads it as a report, or writes it as a receipt."""
    VALIDATOR.validate(as_published(topic, payload))
    if topic.endswith("/receipt"):
        said = json.loads(payload)
        reason = Reason(said["reason"]) if "reason" in said else None
        assert receipt(said["ref"], reason) == payload.encode()
    else:
        assert len(signals(heard(f"{topic} {payload}".encode()))) == 1


@pytest.mark.parametrize(
    "recording", [one for one in recordings("mqtt") if one.is_good], ids=lambda recording: recording.name
)
def test_a_recording_follows_the_schema(recording: Recording) -> None:
    """Every good recording follows the schema, except those that are taken all the same."""
    is_valid = VALIDATOR.is_valid(as_published(*text_of(recording)))
    assert is_valid is (recording.name not in TAKEN_ALL_THE_SAME)


@pytest.mark.parametrize("name", ["ref-missing", "dty-word", "stc-boolean", "state-without-word"])
def test_a_rejected_message_does_not_follow_the_schema(name: str) -> None:
    """A rejected message does not follow the schema, so a maker who checks against the schema is not refused."""
    (recording,) = [one for one in recordings("mqtt") if one.name == name]
    assert not VALIDATOR.is_valid(as_published(*text_of(recording)))


def test_every_receipt_follows_the_schema() -> None:
    """Every event gets a receipt of the right form under every verdict; other messages get no receipt."""
    decoder = MqttDecoder(lambda _: ())
    for recording in recordings("mqtt"):
        for item in heard(recording.data):
            if isinstance(item, Reply):
                VALIDATOR.validate({"receipt": json.loads(item.data)})
            for signal in signals([item]):
                for verdict in (STORED, DUPLICATE, *(refused(reason) for reason in Reason)):
                    answer = decoder.answer(signal, verdict, NOW)
                    assert bool(answer) is (signal.event.system == "scaip")
                    if answer:
                        VALIDATOR.validate({"receipt": json.loads(answer)})
                        assert json.loads(answer)["ref"] == signal.sequence


# --- repetitions ------------------------------------------------------------------------------------------------------


def test_a_repetition_is_the_same_event() -> None:
    """Terminal, device and reference identify an event; its other fields may differ."""
    (first,) = signals(heard(b'tc/1/T1/ucr/ev {"ref":"1","dty":"0003","rssi":-60}'))
    (again,) = signals(heard(b'tc/1/T1/ucr/ev {"ref":"1","dty":"0003","rssi":-71}'))
    assert first.identity == again.identity != b""
    for other in (b"tc/1/T2/ucr", b"tc/1/T1/ucr2", b"tc/1/T1"):
        (another,) = signals(heard(other + b'/ev {"ref":"1","dty":"0003"}'))
        assert another.identity != first.identity


def test_two_losses_are_two() -> None:
    """A state of another connection is another state; a bare word names no connection, so it is never a repetition."""
    losses = [
        signals(heard(f'tc/1/T1/$state {{"state":"lost","boot":7,"seq":{seq}}}'.encode()))[0] for seq in (3, 3, 4)
    ]
    assert losses[0].identity == losses[1].identity != losses[2].identity
    assert signals(heard(b"tc/1/T1/$state lost"))[0].identity == b""


# --- topics and bounds ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "terminal"),
    [
        ("tc/1/T1/hb", "T1"), ("tc/1/T1/ucr/ev", "T1"), ("tc/1/T1/whatever", "T1"),
        ("tc/2/T1/hb", ""), ("tc/1/arc/ev", ""),
        ("tc/1/arc/a/$state", ""), ("tc/1/T 1/hb", ""), ("tc/1/T1", ""), ("tc/1/T1/a/b/ev", ""),
        ("", ""), ("x/1/T1/hb", ""),
    ],
)  # fmt: skip
def test_terminals_that_topics_name(topic: str, terminal: str) -> None:
    """Only a terminal of this version has a branch for receipts."""
    assert terminal_of(topic) == terminal


def test_the_longest_message_fits() -> None:
    """A message of exactly the bound is read. Of a longer one the first bytes are read, and so is the next message."""
    head, tail = b'tc/1/T1/ucr/ev {"ref":"1","dty":"0003","text":"', b'"}'
    fits = head + b"x" * (MAX_FRAME - len(head) - len(tail)) + tail
    assert len(fits) == MAX_FRAME
    assert len(signals(heard(fits))) == 1
    longer = fits.replace(b"xx", b"xxx", 1)
    assert [signal.event.code for signal in signals(heard(longer + b"\ntc/1/T1/hb {}"))] == ["0003-0010", "hb"]
    topic, _, payload = longer.replace(b"x", b"x" * 2).partition(b" ")
    said, reject = read(topic.decode(), payload)
    assert isinstance(said, Signal)
    assert isinstance(reject, Reject)
    assert reject.reason is Reason.TOO_LONG


def test_a_recording_has_a_message_for_each_topic() -> None:
    """A line that begins with a topic begins a message. A payload may have several lines, and any texts."""
    text = 'a "b" {c} [d] \\ tc/1/T2/hb {} é'
    payload = json.dumps({"ref": "1", "text": text}, indent=1).encode()
    recording = b"tc/1/T1/ucr/ev " + payload + b"\r\ntc/1/T1/$info (null)\n\ntc/1/T1/hb {}"
    assert messages(recording) == [
        Message("tc/1/T1/ucr/ev", payload),
        Message("tc/1/T1/$info", b"(null)"),
        Message("tc/1/T1/hb", b"{}"),
    ]
    assert [signal.event.code for signal in signals(heard(recording))] == ["0000-0010", "$info", "hb"]


def test_bytes_before_the_first_topic_are_shown() -> None:
    """Bytes before the first topic of a recording are kept."""
    first, second = heard(b"Client received\xff\ntc/1/T1/hb {}\n")
    assert isinstance(first, Reject)
    assert first.raw.startswith(b"Client received\xff")
    assert isinstance(second, Signal)


@pytest.mark.parametrize(
    "member",
    [
        '"a":1,',
        '"a":01',
        '"a":+1',
        '"a":NaN',
        '"a":Infinity',
        "'a':1",
        '"a":"\t"',
        '"a" 1',
        '"a":tru',
        '"a":"',
        '"a":[1',
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_member_that_is_not_json_costs_only_itself(member: str, is_first: bool) -> None:  # noqa: FBT001 both orders
    """A member that is not quite JSON costs only itself, wherever it stands: the event is taken."""
    fields = ['"ref":"1","dty":"0003","stc":"0010"', member][:: -1 if is_first else 1]
    payload = f"{{{','.join(fields)}}}"
    for items in (heard(f"tc/1/T1/ucr/ev {payload}\n".encode()), read("tc/1/T1/ucr/ev", payload.encode())):
        (signal,) = signals(items)
        assert (signal.sequence, signal.event.code) == ("1", "0003-0010")


@given(garbage=st.one_of(st.binary(max_size=60), st.text(max_size=40).map(str.encode), garbled()))
def test_bytes_after_an_event_do_not_cost_it(garbage: bytes) -> None:
    """Once reference, device and status are read, nothing that follows in the object costs a call."""
    items = read("tc/1/T1/ucr/ev", b'{"ref":"1","dty":"0003","stc":"0010","batt":' + garbage + b"}")
    assert [signal.event.phase for signal in signals(items)] == [Phase.NEW]


@given(payload=garbled())
def test_any_payload_has_one_answer(payload: bytes) -> None:
    """A message gives a report, or a reject and at most one refusal, without an error."""
    items = read("tc/1/T1/ucr/ev", payload)
    assert len(signals(items)) + sum(isinstance(item, Reject) for item in items) >= 1
    assert sum(isinstance(item, Reply) for item in items) <= 1 - len(signals(items))


@pytest.mark.parametrize(
    "case", [case for case in FIELD["cases"] if len(case["content"]) < MAX_FRAME], ids=lambda case: str(case["id"])
)
def test_a_message_says_what_its_recording_says(case: dict[str, Any]) -> None:
    """A message gives the same items live from a broker and as a line of a recording."""
    topic, _, payload = case["content"].encode("latin-1").partition(b" ")

    assert read(topic.decode(), payload) == heard(topic + b" " + payload)
