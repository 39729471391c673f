"""What a line carries is guessed from its bytes: the dialect, its settings, the parity, the times."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.recordings import Recording, recordings
from vetlla.domain.signals import Phase
from vetlla.protocols.automation.fields import LineForm
from vetlla.protocols.automation.reports import ContactId, EventReport, Heartbeat, LineReport
from vetlla.protocols.automation.writers import writer_of
from vetlla.protocols.captures.guessing import Guess, guess
from vetlla.protocols.captures.recording import Chunk, chunk_of, chunks_of, line_of
from vetlla.simulator.line_receiver.mishaps import with_parity

LINE_RECEIVERS = ("ademco685", "radionics6500", "surgard")
SECOND_US = 1_000_000
ALARM = EventReport("01", "2", "1234", ContactId(Phase.NEW, "101"))
ALARMS: list[LineReport] = [ALARM, ALARM._replace(account="5678"), Heartbeat("01")]
ANSWER = b"\x06"


def of(data: bytes, **settings: str) -> Guess:
    return guess([Chunk(0, data)], **settings)


def frames(protocol: str, reports: list[LineReport], form: LineForm | None = None) -> bytes:
    writer = writer_of(protocol, form or LineForm())
    written = [writer.write(report) for report in reports]
    return b"".join(frame for frame in written if isinstance(frame, bytes))


# --- the dialect ------------------------------------------------------------------------------------------------------

SHOWING = [
    recording
    for protocol in LINE_RECEIVERS
    for recording in recordings(protocol)
    if recording.is_good and not {item["event"]["kind"] for item in recording.expect_items} & {"unreadable", "unknown"}
]


@pytest.mark.parametrize("recording", SHOWING, ids=lambda r: f"{r.protocol}-{r.name}")
def test_the_dialect_of_each_recording_is_found(recording: Recording) -> None:
    """Each good frame of a recording shows its dialect; a frame that two dialects have names both."""
    found = of(recording.data)
    assert recording.protocol in {found.protocol, *found.others}
    assert found.parity is None


@pytest.mark.parametrize("protocol", LINE_RECEIVERS)
def test_a_few_events_are_enough(protocol: str) -> None:
    found = of(frames(protocol, ALARMS))
    assert (found.protocol, found.others) == (protocol, ())
    assert (found.events, found.heartbeats, found.unread) == (2, 1, 0)
    assert found.read_share == pytest.approx(1.0)


@pytest.mark.parametrize(
    "data", [b"", b"GET / HTTP/1.1\r\n\r\n", b'\n0C17002A"NULL"0000L0#1234[]\r', bytes(range(256))]
)
def test_other_bytes_are_no_line_receiver(data: bytes) -> None:
    assert of(data).protocol == ""


@given(st.binary(max_size=300), st.sampled_from(["none", "even", "odd"]))
def test_any_bytes_give_a_guess(data: bytes, parity: str) -> None:
    found = guess([Chunk(0, data), Chunk(5, data[:7])], port_parity=parity)
    assert 0 <= found.text_share <= 1
    assert 0 <= found.read_share <= 1


def test_wrong_speed_shows_in_the_share_of_text() -> None:
    assert of(bytes(range(0x80, 0x9F)) * 9).text_share < 0.3
    assert of(frames("surgard", ALARMS)).text_share == 1.0


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line_width", [1, 3])
@pytest.mark.parametrize("account_width", [4, 6])
@pytest.mark.parametrize("end", ["dc4", "cr", "lf", "crlf", "none"])
def test_widths_and_the_end_mark_are_found(line_width: int, account_width: int, end: str) -> None:
    form = LineForm(line_width=line_width, account_width=account_width, end=end)
    found = of(frames("surgard", ALARMS, form))
    assert (found.protocol, found.line_width, found.account_widths, found.end) == (
        "surgard",
        line_width,
        (account_width,),
        end,
    )
    assert not found.has_header


def test_a_header_is_found() -> None:
    assert of(frames("surgard", ALARMS, LineForm(header=True))).has_header


@pytest.mark.parametrize(("port_parity", "sent_parity"), [("none", "even"), ("even", "none")])
def test_a_parity_bit_is_found(port_parity: str, sent_parity: str) -> None:
    """7E1 that is read as 8N1 has even parity in the eighth bit; a port with 7E1 marks the same bytes of 8N1."""
    data = bytes(map(with_parity, frames("surgard", ALARMS)))
    found = of(data, port_parity=port_parity)
    assert (found.protocol, found.parity, found.events) == ("surgard", sent_parity, 2)


def test_odd_parity_is_found() -> None:
    data = bytes(byte | 0x80 if byte.bit_count() % 2 == 0 else byte for byte in frames("surgard", ALARMS))
    assert of(data).parity == "odd"


def test_one_damaged_byte_is_no_parity() -> None:
    data = frames("surgard", ALARMS)
    found = of(data[:30] + bytes([data[30] | 0x80]) + data[31:])
    assert (found.protocol, found.parity) == ("surgard", None)
    assert found.unread >= 1


# --- times ------------------------------------------------------------------------------------------------------------


def test_the_interval_of_heartbeats_counts_from_the_frame_before() -> None:
    """Any traffic puts the next heartbeat off."""
    beat, alarm = frames("surgard", [Heartbeat("01")]), frames("surgard", [ALARM])
    times = [(0, beat), (10, alarm), (40, beat), (70, beat), (75, alarm), (105, beat)]
    chunks = [
        chunk
        for at, data in times
        for chunk in (Chunk(at * SECOND_US, data), Chunk(at * SECOND_US + 5_000, ANSWER, is_answer=True))
    ]
    found = guess(chunks)
    assert (found.heartbeat_s, found.repeat_s, found.heartbeats) == (30.0, None, 4)


def test_unanswered_heartbeats_come_sooner_at_first() -> None:
    """A System 5 repeats its heartbeat after 4 s, four times in all; then one comes each 30 s."""
    beat = frames("surgard", [Heartbeat("01")])
    found = guess([Chunk(at * SECOND_US, beat) for at in (0, 4, 8, 12, 42, 72)])
    assert found.heartbeat_s == 30.0


def test_frames_without_an_answer_show_how_patient_the_receiver_is() -> None:
    alarm = frames("surgard", [ALARM])
    found = guess([Chunk(at * SECOND_US, alarm) for at in (0, 4, 8, 12)])
    assert found.repeat_s == 4.0


def test_frames_may_arrive_byte_by_byte() -> None:
    data = frames("ademco685", ALARMS)
    found = guess([Chunk(at, data[at : at + 1]) for at in range(len(data))])
    assert (found.protocol, found.events, found.end) == ("ademco685", 2, "cr")


# --- the file ---------------------------------------------------------------------------------------------------------


@given(
    st.builds(Chunk, at_us=st.integers(0, 4 * 10**15), data=st.binary(min_size=1, max_size=40), is_answer=st.booleans())
)
def test_a_chunk_is_read_as_it_was_written(chunk: Chunk) -> None:
    assert chunk_of(line_of(chunk)) == chunk


@given(st.text(max_size=60))
def test_another_line_is_no_chunk(line: str) -> None:
    assert chunk_of(line) is None


def test_comments_and_blank_lines_are_passed_over() -> None:
    lines = ["# vetlla capture 1: x", "", line_of(Chunk(5, b"a")), "not a chunk", "  # note"]
    assert list(chunks_of(lines)) == [(3, Chunk(5, b"a")), (4, None)]
