"""What line receivers have in common, and the settings of their ports: widths, repetitions, callers, damage."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.recordings import STREAMS, decode, good, recordings, signals
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import DUPLICATE, STORED, Kind, Priority, Reason, Reject, Reply, Signal, refused
from vetlla.service.queue.triage import PRIORITIES

if TYPE_CHECKING:
    from vetlla.protocols.decoder import Decoder

LINE_RECEIVERS = ("ademco685", "radionics6500", "surgard")
NOW = datetime(2026, 1, 2, 10, 0, 0, tzinfo=UTC)
ACK, NAK = b"\x06", b"\x15"
CALL = b"5011 181234E10100007\x14"
OTHER = b"5011 185678E10300001\x14"
NOISE = b"~S0~5011~18~" + b"~" * 200
HEARTBEAT = b"1011           @    \x14"
each = pytest.mark.parametrize("protocol", LINE_RECEIVERS)


def port(protocol: str, **options: str) -> Decoder:
    return STREAMS[protocol].tuned(options).make(lambda _: ())


def one(data: bytes, **options: str) -> Signal:
    """Return the only signal of Sur-Gard bytes."""
    (signal,) = signals(decode(port("surgard", **options), [data]))
    return signal


# --- answers ----------------------------------------------------------------------------------------------------------


@each
def test_every_whole_frame_is_acknowledged(protocol: str) -> None:
    """A receiver gets ACK for what is stored, known or refused by policy, or it would block all homes behind it."""
    decoder = port(protocol)
    for recording in recordings(protocol):
        for signal in signals(decode(port(protocol), [recording.data])):
            for verdict in (STORED, DUPLICATE, refused(Reason.UNKNOWN_ACCOUNT)):
                answer = decoder.answer(signal, verdict, NOW)
                assert answer.endswith(ACK) if signal.part == signal.parts else answer == b""


@each
def test_only_damage_is_refused(protocol: str) -> None:
    """NAK follows a reject of bytes up to an end mark, and nothing else."""
    for recording in recordings(protocol):
        items = decode(port(protocol), [recording.data])
        for before, item in zip([None, *items], items, strict=False):
            if isinstance(item, Reply):
                assert isinstance(before, Reject)
                assert item.data.endswith(NAK)


@each
@given(text=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=3, max_size=60))
def test_a_whole_frame_of_any_text_is_never_lost(protocol: str, text: str) -> None:
    """Printable bytes after a good header are a signal, which is at least technical if nothing in them is known."""
    head = b"14 1234 z" if protocol == "ademco685" else b"z011 "
    items = decode(port(protocol), [b"\n" + head + text.encode() + b"\r"])
    (signal,) = signals(items)
    assert signal.raw == (head + text.encode())
    assert PRIORITIES[signal.event.kind] <= Priority.TECHNICAL


def test_bytes_of_another_parity_are_refused_with_a_hint() -> None:
    """A port that reads 8N1 from a receiver that sends 7E1 says so."""
    sent = bytes(byte | (byte.bit_count() % 2) << 7 for byte in CALL[:-1]) + b"\x14"
    reject, reply = decode(port("surgard"), [sent])
    assert isinstance(reject, Reject)
    assert "7E1" in reject.text
    assert reply == Reply(data=NAK)


@pytest.mark.parametrize(
    ("block", "damaged"),
    [
        (b"S014[#1036|Nri5/HR6\xb11/FR393]\x14", True),
        (b"S014[#1036|Nri5/HR611*Cuina de la \xc0gata]\x14", False),
        (b"0011[#0000|NYS\xb0000]\x14", True),
        (b"\0\0\0\x83S014[#1036|Nri5/HR611]\x14", False),
    ],
)
def test_an_eighth_bit_in_a_block_is_damage_but_not_in_its_text(block: bytes, *, damaged: bool) -> None:
    """One event of the block would be lost otherwise; found by an emulator that was written from the manuals."""
    items = decode(port("surgard"), [HEARTBEAT, block])
    assert (Reply(data=NAK) in items) == damaged
    assert len(signals(items)) == 1 + (not damaged)


def test_an_eighth_bit_in_a_system_message_of_a_685_is_damage() -> None:
    """Its text is free, and so far only ASCII was seen in it."""
    items = decode(port("ademco685"), [b"\n00 OKAY @\r", b"\n12 RCVB 6\xa00\r"])
    assert Reply(data=NAK) in items
    assert len(signals(items)) == 1
    assert len(signals(decode(port("ademco685"), [b"\n00 OKAY @\r", b"\n12 RCVB 6 0\r"]))) == 2


def test_copies_of_a_caller_id_without_end_marks_are_one_message() -> None:
    """A number has no fixed length, so the copies have no ends of their own; the event that follows has its caller."""
    caller = b"4015  12152795550132"
    items = signals(decode(port("surgard"), [HEARTBEAT, caller * 4 + b"\x14", b"5015 181215E10100007\x14"]))
    assert [signal.raw for signal in items[1:]] == [caller, b"5015 181215E10100007"]
    assert items[2].details["caller"] == "2795550132"


# --- repetitions ------------------------------------------------------------------------------------------------------


def test_no_message_has_an_identity() -> None:
    """A message has no number. The intake recognises a repetition, because only the last message can come again."""
    assert {signal.identity for signal in signals(decode(port("surgard"), [CALL, CALL, HEARTBEAT, OTHER]))} == {b""}


# --- settings of a port -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "data", "line", "account"),
    [
        ({}, b"501112 183456E10100007\x14", "112", "3456"),
        ({"line_width": "3"}, b"501112 183456E10100007\x14", "112", "3456"),
        ({"line_width": "1"}, b"501112 183456E10100007\x14", "1", "123456"),
        ({"line_width": "0"}, b"50112 183456E10100007\x14", "", "123456"),
        ({"line_width": "2"}, b"50112 183456E10100007\x14", "12", "3456"),
        ({"line_width": "7"}, b"5010000001 183456E10100007\x14", "0000001", "3456"),
        ({"line_width": "1"}, b"4011123456 973000000\x14", "1", "123456"),
        ({}, b"4011  3456973000000\x14", "1", "3456"),
        ({}, b"401112  3456973000000\x14", "112", "3456"),
        ({"line_width": "3"}, b"401112  3456 973000000\x14", "112", "3456"),
    ],
)
def test_width_of_the_line_field(options: dict[str, str], data: bytes, line: str, account: str) -> None:
    """The setting says how many characters are the line; those after them are the first digits of the account."""
    signal = one(data, **options)
    assert (signal.id.receiver, signal.id.line, signal.id.account) == ("01", line, account)


def test_frames_that_end_in_a_letter() -> None:
    """With ``caps`` a frame of 685 ends in A, and its number is 16 times the event plus the zone."""
    sent = b"\n14 1234 026A\n14 1234 999A"
    first, second = signals(decode(port("ademco685", caps="yes"), [sent]))
    assert (first.event.code, first.device, first.id.account) == ("1-A", "A", "1234")
    assert second.event.kind is Kind.UNREADABLE


@pytest.mark.parametrize(
    ("protocol", "options"),
    [("surgard", {"line_width": "8"}), ("surgard", {"width": "3"}), ("dc09", {"line_width": "3"})],
)
def test_unknown_options_are_refused(protocol: str, options: dict[str, str]) -> None:
    """The error for an unknown option or value says what may be given."""
    with pytest.raises(UsageError) as error:
        STREAMS[protocol].tuned(options)
    assert error.value.remedy


# --- systems ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [b"PA", b"FA", b"MA", b"NA", b"BA", b"??", b"XX", b"YC", b"ZZ"])
def test_a_receivers_status_is_never_a_persons_alarm(code: bytes) -> None:
    """Whatever a receiver reports of itself is technical, and belongs to no home."""
    signal = one(b"001000[#0000|N%b0001]\x14" % code)
    assert signal.id.account == ""
    assert signal.details["system"] == "receiver"
    assert PRIORITIES[signal.event.kind] >= Priority.TECHNICAL


def test_a_callers_number_stays_with_its_home() -> None:
    """Caller ID is joined to the events of its account on its line, until the next heartbeat."""
    caller = b"4011  1234 973000000\x14"
    came = signals(decode(port("surgard"), [caller + CALL + OTHER + CALL + HEARTBEAT + CALL]))
    assert [signal.details.get("caller", "") for signal in came] == ["973000000", "973000000", "", "973000000", "", ""]


def test_many_callers_are_bounded() -> None:
    """A receiver that sends callers without end and no heartbeat fills no memory, and later calls are taken."""
    decoder = port("surgard")
    for number in range(3_000):
        decoder.feed(b"4011%06d 973000000\x14" % number)
    (signal,) = signals(decoder.feed(CALL))
    assert signal.id.account == "1234"


# --- the cutter -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["surgard", "radionics6500"])
def test_no_end_mark_is_needed(protocol: str) -> None:
    """A frame that ends by itself is returned at its last character, whether an end mark follows or not."""
    for recording in good(protocol):
        (*_, last) = port(protocol).feed(recording.data.rstrip(b"\x14\r\n"))
        assert last == decode(port(protocol), [recording.data])[-1], recording.name


@each
def test_a_stream_without_end_marks_is_bounded(protocol: str) -> None:
    """Noise without end gives evidence in bounded pieces."""
    bound = STREAMS[protocol].max_pending
    decoder = port(protocol)
    pieces = [item for _ in range(40) for item in decoder.feed(NOISE)] + decoder.finish()
    assert sum(len(item.raw) for item in pieces if isinstance(item, Reject)) == 40 * len(NOISE)
    assert all(len(item.raw) <= bound for item in pieces if isinstance(item, Reject))
