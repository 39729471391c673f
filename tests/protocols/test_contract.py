"""Tests that hold for every decoder of the registry; no line of them depends on a format.

Good frames are the recordings in ``fixtures/<protocol>/``. Hostile bytes are damaged copies of them, and noise.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.rigs.recordings import MESSAGES, STREAMS, decode, good, recordings, signals
from vetlla.domain.signals import (
    DUPLICATE,
    STORED,
    AccountId,
    Event,
    Hangup,
    Key,
    Priority,
    Reason,
    Reject,
    Reply,
    Signal,
    refused,
)
from vetlla.protocols.decoder import Message
from vetlla.protocols.registry import PROTOCOLS
from vetlla.service.queue.triage import PRIORITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.protocols.decoder import Decoder

NOW = datetime(2026, 1, 2, 10, 0, 0, tzinfo=UTC)
VERDICTS = (STORED, DUPLICATE, refused(Reason.STALE_TIME), refused(Reason.UNKNOWN_ACCOUNT))
EXAMPLES = 120
CHECKED = {"dc09", "eview"}
"""Protocols whose frames have a checksum."""
STARTLESS = {"surgard", "radionics6500"}
"""Protocols whose frames have neither checksum nor first byte. Noise before a frame may look like a longer receiver and
line number ("50" before "5011"), but no noise may change who calls and why."""
"""``EXAMPLES`` is enough to find a forgotten state within the time of the whole suite."""

FILLERS = b"\0\r\n"
"""Bytes before a frame that may belong to it, or to nothing."""

_CODE = re.compile(r"[0-9A-Za-z$#*+._/()?-]{0,32}")
"""A code as operators read it; "?" stands for an invalid code of a device."""

each_protocol = pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
each_stream = pytest.mark.parametrize("protocol", sorted(STREAMS))
each_of_messages = pytest.mark.parametrize("protocol", sorted(MESSAGES))


def fresh(protocol: str) -> Decoder:
    """Return a decoder that holds every recorded key for every caller."""
    keys = {key.secret: replace(key, name=key.secret.hex()) for r in recordings(protocol) for key in r.keys}

    def lookup(_: AccountId) -> Sequence[Key]:
        return list(keys.values())

    return STREAMS[protocol].make(lookup)


@st.composite
def bent(draw: st.DrawFn, frames: list[bytes]) -> bytes:
    """Draw a good frame that was damaged on the line."""
    frame = bytearray(draw(st.sampled_from(frames)))
    at = draw(st.integers(0, len(frame) - 1))
    match draw(st.sampled_from(("cut", "lose", "change", "add"))):
        case "cut":
            del frame[at:]
        case "lose":
            del frame[at : at + draw(st.integers(1, 4))]
        case "change":
            frame[at] ^= draw(st.integers(1, 255))
        case _:
            frame[at:at] = draw(st.binary(min_size=1, max_size=12))
    return bytes(frame)


def hostile(frames: list[bytes]) -> st.SearchStrategy[list[bytes]]:
    """Draw good frames, damaged frames and noise in any order."""
    return st.lists(st.one_of(st.sampled_from(frames), bent(frames), st.binary(max_size=40)), min_size=1, max_size=6)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cut data at the given places."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(places)]


@each_stream
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_any_cut_changes_nothing(protocol: str, data: st.DataObject) -> None:
    """However the network cuts a good or bad stream, the decoder returns the same items in the same order."""
    stream = b"".join(data.draw(hostile([recording.whole for recording in good(protocol)])))
    cuts = data.draw(st.lists(st.integers(0, 2**16), max_size=8))
    assert decode(fresh(protocol), pieces(stream, cuts)) == decode(fresh(protocol), [stream])


@each_stream
def test_byte_by_byte_changes_nothing(protocol: str) -> None:
    """Every recording may come one byte at a time."""
    for recording in recordings(protocol):
        single = [recording.data[at : at + 1] for at in range(len(recording.data))]
        assert decode(recording.decoder(), single) == decode(recording.decoder(), [recording.data]), recording.name


@each_stream
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_good_frames_survive(protocol: str, data: st.DataObject) -> None:
    """Noise and broken frames before, between and after good frames cost none of these, and keep their order."""
    frames = [recording.whole for recording in good(protocol)]
    noise = st.one_of(st.binary(max_size=40), bent(frames))
    sent: list[Signal] = []
    stream = data.draw(noise)
    for frame in data.draw(st.lists(st.sampled_from(frames), min_size=1, max_size=4)):
        sent += signals(decode(fresh(protocol), [frame]))
        stream += frame + data.draw(noise)
    items = decode(fresh(protocol), [stream])
    taken = signals(items)
    if any(isinstance(item, Hangup) for item in items):
        # The noise began like another protocol. What names no home may be that protocol's from then on.
        sent = [signal for signal in sent if signal.id.account]
    came = iter([_said(signal) for signal in taken])
    missing = [signal for signal in sent if _said(signal) not in came]
    if missing and protocol in CHECKED:
        # Noise whose checksum fits by chance (one in 65,536) is a frame, and all bytes in it are part of that frame.
        assume(all(signal.raw in frames or not _is_frame(protocol, signal.raw) for signal in taken))
    assert not missing


def _said(signal: Signal) -> tuple[Event, AccountId | str, str]:
    return signal.event, signal.id.account if signal.protocol in STARTLESS else signal.id, signal.device


def _is_frame(protocol: str, data: bytes) -> bool:
    return bool(signals(decode(fresh(protocol), [data])))


@each_stream
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_nothing_raises(protocol: str, data: st.DataObject) -> None:
    """Any bytes give items without an error, and every signal can be answered under every verdict."""
    decoder = fresh(protocol)
    chunks = data.draw(hostile([recording.whole for recording in good(protocol)]))
    for signal in signals(decode(decoder, chunks)):
        assert _CODE.fullmatch(signal.event.code)
        for verdict in VERDICTS:
            answer = decoder.answer(signal, verdict, NOW)
            assert isinstance(answer, bytes)
            assert signal.part == signal.parts or not answer


@each_of_messages
@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_no_message_raises(protocol: str, data: st.DataObject) -> None:
    """Any message gives at least one item, and every signal can be answered under every verdict."""
    decoder = MESSAGES[protocol].make(lambda _: ())
    frames = [recording.whole for recording in good(protocol)]
    topic, _, payload = data.draw(st.one_of(st.sampled_from(frames), bent(frames))).partition(b" ")
    payload = data.draw(st.one_of(st.just(payload), st.binary(max_size=60)))
    message = Message(topic.decode("utf-8", "replace"), payload, retained=data.draw(st.booleans()))
    items = decoder.read(message)
    assert any(isinstance(item, Signal | Reject) for item in items)
    for signal in signals(items):
        assert _CODE.fullmatch(signal.event.code)
        assert all(isinstance(decoder.answer(signal, verdict, NOW), bytes) for verdict in VERDICTS)


@each_stream
@settings(max_examples=EXAMPLES // 4, deadline=None)
@given(data=st.data())
def test_bound(protocol: str, data: st.DataObject) -> None:
    """A decoder never holds more of an unfinished frame than the registry's bound, whatever bytes follow it."""
    bound = STREAMS[protocol].max_pending
    frame = data.draw(st.sampled_from([recording.whole for recording in good(protocol)]))
    start = frame[: data.draw(st.integers(0, len(frame) - 1))]
    filler = data.draw(st.sampled_from([b"A", b"0", b"#", b"\xff", b"[", start or b"A"]))
    size = data.draw(st.integers(bound, 3 * bound))
    decoder = fresh(protocol)
    for chunk in pieces((start + filler * size)[:size], data.draw(st.lists(st.integers(0, size), max_size=8))):
        decoder.feed(chunk)
    held = sum(len(item.raw) for item in decoder.finish() if isinstance(item, Reject))
    assert held <= bound


@each_stream
def test_cut_off(protocol: str) -> None:
    """A frame whose connection ends before it is whole is no report: it is kept as evidence with the reason.

    An alarm is the exception if it can be read: a device whose network fails at that moment may be unable to repeat it.
    """
    for recording in good(protocol):
        whole = decode(recording.decoder(), [recording.data])
        for size in range(1, len(recording.data)):
            items = decode(recording.decoder(), [recording.data[:size]])
            if items == whole:
                break  # the rest has no meaning
            if not recording.data[:size].strip(FILLERS):
                assert items == []
                continue
            kept = [item for item in items if isinstance(item, Signal | Reject)]
            assert all(isinstance(item, Signal | Reject | Reply) for item in items), recording.name
            raws = [item.raw for item in kept if isinstance(item, Reject) or item.part == 1]
            assert b"".join(raws).lstrip(FILLERS) == recording.data[:size].lstrip(FILLERS), recording.name
            assert any(PRIORITIES[item.event.kind] < Priority.ROUTINE for item in signals(items)) or not signals(items)
            reasons = {item.reason for item in kept if isinstance(item, Reject)}
            assert reasons <= {Reason.TRUNCATED, Reason.BAD_LENGTH}, recording.name


@each_stream
def test_clean_end(protocol: str) -> None:
    """After whole frames the end of the stream gives no item."""
    decoder = fresh(protocol)
    for recording in good(protocol):
        decoder.feed(recording.whole)
    assert decoder.finish() == []


@each_protocol
def test_rejects_explain(protocol: str) -> None:
    """Every reject of the recordings has a text, and no text repeats a key."""
    for recording in recordings(protocol):
        for item in decode(recording.decoder(), [recording.data]):
            if isinstance(item, Reject):
                assert item.text
                assert not any(key.secret.hex() in item.text.lower() for key in recording.keys)
