"""Guesses from the bytes of a line, and their times, what a line receiver sends and how its line is set.

The bytes are read with the decoder of each dialect, as they are and without their eighth bit. The dialect that reads
most of them is the guess. It is a guess: heartbeats alone look alike in two dialects.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import Kind, Reject, Signal
from vetlla.protocols.automation.fields import END_MARKS
from vetlla.protocols.automation.writers import WRITERS
from vetlla.protocols.decoder import Description
from vetlla.protocols.framing.parity import BYTES_MIN, parity_seen
from vetlla.protocols.registry import PROTOCOLS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vetlla.domain.signals import Item
    from vetlla.protocols.captures.recording import Chunk

READ_LEAST: Final = 0.5
"""Least share of the bytes that a dialect must read to be the guess."""
GAP_LEAST_US: Final = 500_000
"""Least time before a heartbeat that tells its interval. Receivers have 1 s or more; less comes from a full buffer."""
WINDOW: Final = 32
"""Bytes that are looked at together for a parity bit; most of these windows must have the same one."""
TEXT_LEAST: Final = 0.7
"""Least share of printable bytes; with less of them the speed is wrong, or the line carries something else."""
BYTES_MOST: Final = 1 << 20
"""Most bytes that are looked at: an hour of a busy line at 9,600 baud has 4 MB, and the first quarter shows as much."""
_MARKS: Final = b"\x14\r\n"
_READ: Final = "none"
_BEGIN_WITH_LF: Final = frozenset({"ademco685"})
"""Dialects whose frames begin with LF, which is then no end mark."""
_NO_DIALECT: Final = ""
_LINE_DIALECT: Final = "surgard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What a line carries, as far as its bytes show it."""

    size: int
    """Bytes from the receiver that were looked at."""
    text_share: float
    """Share of them that are printable, or end marks, without their eighth bit."""
    protocol: str = _NO_DIALECT
    """Name of the dialect; "" if none reads the bytes."""
    others: tuple[str, ...] = ()
    """Dialects that read the bytes as well."""
    read_share: float = 0.0
    """Share of the bytes that the dialect reads."""
    events: int = 0
    heartbeats: int = 0
    unread: int = 0
    """Frames that the dialect only keeps, and bytes that it rejects."""
    heartbeat_s: float | None = None
    """Silence after which a heartbeat comes, in seconds."""
    repeat_s: float | None = None
    """Time after which a frame that got no answer comes again."""
    line_width: int | None = None
    """Characters of the line field, where the dialect has a setting for it."""
    account_widths: tuple[int, ...] = ()
    end: str = ""
    """Name of the end mark in ``END_MARKS``."""
    has_header: bool = False
    parity: str | None = None
    """Parity with which the receiver sends (none, even, odd), if the bytes show that the port has another one."""


class _Frame(NamedTuple):
    at_us: int
    raw: bytes
    is_heartbeat: bool
    after_answer: bool
    """True if something was sent to the receiver since the frame before."""


class _Reading(NamedTuple):
    protocol: str
    signals: list[Signal]
    frames: list[_Frame]
    rejects: int
    read: int
    """Bytes that the dialect understands."""


def guess(chunks: Sequence[Chunk], *, port_parity: str = _READ) -> Guess:
    """Return the guess from the chunks of a line, in their order. ``port_parity``: none, even or odd, as it was set."""
    chunks = _first(chunks)
    data = b"".join(chunk.data for chunk in chunks if not chunk.is_answer)
    parity = _parity_of(data, port_parity)
    clean = _without_eighth_bit if parity is not None else _as_is
    size = len(data)
    text = sum(0x20 <= byte & 0x7F <= 0x7E or byte & 0x7F in _MARKS for byte in data)
    whole = Guess(size=size, text_share=text / size if size else 0.0, parity=parity)
    readings = sorted((_read(name, chunks, clean) for name in _ORDER), key=lambda one: -one.read)
    best = readings[0]
    payload = sum(byte not in _MARKS for byte in clean(data))
    if not payload or best.read / payload < READ_LEAST:
        return whole
    return _described(best, whole, readings, payload, clean(data))


def _described(best: _Reading, whole: Guess, readings: Sequence[_Reading], payload: int, data: bytes) -> Guess:
    events = [signal for signal in best.signals if signal.id.account]
    lines = Counter(len(signal.id.line) for signal in best.signals if signal.event.kind is not Kind.CONFIGURATION)
    beats = sum(frame.is_heartbeat for frame in best.frames)
    kept = sum(_is_kept(signal) for signal in best.signals)
    return Guess(
        size=whole.size,
        text_share=whole.text_share,
        parity=whole.parity,
        protocol=best.protocol,
        others=tuple(one.protocol for one in readings[1:] if one.read == best.read),
        read_share=min(1.0, best.read / payload),
        events=len(events),
        heartbeats=beats,
        unread=kept + best.rejects,
        heartbeat_s=_heartbeat_s(best.frames),
        repeat_s=_repeat_s(best.frames),
        line_width=max(lines, key=lines.__getitem__) if best.protocol == _LINE_DIALECT and lines else None,
        account_widths=tuple(sorted({len(signal.id.account) for signal in events})),
        end=_end(data) if best.protocol not in _BEGIN_WITH_LF else _end(data.replace(b"\n", b"")),
        has_header=any(frame.raw.startswith(b"\0") for frame in best.frames),
    )


def _first(chunks: Sequence[Chunk]) -> list[Chunk]:
    taken: list[Chunk] = []
    size = 0
    for chunk in chunks:
        if size >= BYTES_MOST:
            break
        taken.append(chunk)
        size += len(chunk.data)
    return taken


def _read(name: str, chunks: Sequence[Chunk], clean: Callable[[bytes], bytes]) -> _Reading:
    decoder = DIALECTS[name].make(lambda _: ())
    timed: list[tuple[int, bool, Item]] = []
    is_answered = False
    for chunk in chunks:
        if chunk.is_answer:
            is_answered = True
            continue
        for item in decoder.feed(clean(chunk.data)):
            timed.append((chunk.at_us, is_answered, item))
            is_answered = False
    last_us = chunks[-1].at_us if chunks else 0
    timed += [(last_us, is_answered, item) for item in decoder.finish()]
    signals = [item for _, _, item in timed if isinstance(item, Signal)]
    return _Reading(
        protocol=name,
        signals=signals,
        frames=[
            _Frame(at_us, item.raw, item.event.kind is Kind.HEARTBEAT, after_answer)
            for at_us, after_answer, item in timed
            if isinstance(item, Signal) and item.part == 1
        ],
        rejects=sum(isinstance(item, Reject) for _, _, item in timed),
        read=sum(len(one.raw.strip(_MARKS)) for one in signals if one.part == 1 and not _is_kept(one)),
    )


def _is_kept(signal: Signal) -> bool:
    return signal.event.kind in {Kind.UNREADABLE, Kind.UNKNOWN}


def _heartbeat_s(frames: Sequence[_Frame]) -> float | None:
    """Return the time from the frame before to a heartbeat, because any traffic puts the next one off.

    A receiver that gets no answers repeats its first heartbeats sooner, so the longest time is then its interval.
    """
    beats = [(frame, later) for frame, later in pairwise(frames) if later.is_heartbeat]
    gaps = [(later.at_us - frame.at_us, later.after_answer) for frame, later in beats]
    gaps = [gap for gap in gaps if gap[0] >= GAP_LEAST_US]
    if not gaps:
        return None
    answered = [gap_us for gap_us, after_answer in gaps if after_answer]
    return round((median(answered) if answered else max(gap_us for gap_us, _ in gaps)) / 1e6, 1)


def _repeat_s(frames: Sequence[_Frame]) -> float | None:
    gaps = [
        later.at_us - frame.at_us
        for frame, later in pairwise(frames)
        if later.raw == frame.raw and not later.is_heartbeat and not later.after_answer and later.at_us > frame.at_us
    ]
    return round(median(gaps) / 1e6, 1) if gaps else None


def _end(data: bytes) -> str:
    counts = {name: data.count(mark) for name, mark in END_MARKS.items() if mark}
    for name in ("cr", "lf"):  # those of the pairs are no marks of their own
        counts[name] -= counts["crlf"]
    name = max(counts, key=counts.__getitem__)
    return name if counts[name] > 0 else "none"


def _parity_of(data: bytes, port_parity: str) -> str | None:
    """Return the parity with which the sender sends; None if it is that of the port.

    The port gives a byte its eighth bit if it reads eight bits and the sender sends parity; or if it checks parity, and
    the byte has a wrong one.
    """
    windows = (data[at : at + WINDOW] for at in range(0, len(data), WINDOW))
    seen = Counter(parity_seen(window) for window in windows if len(window) >= BYTES_MIN)
    found = max(seen, key=seen.__getitem__, default="")
    if not found:
        return None
    return "none" if found == port_parity else found


def _as_is(data: bytes) -> bytes:
    return data


def _without_eighth_bit(data: bytes) -> bytes:
    return bytes(byte & 0x7F for byte in data)


DIALECTS: Final = {name: one for name, one in PROTOCOLS.items() if name in WRITERS and isinstance(one, Description)}
_ORDER: Final = tuple(sorted(DIALECTS, reverse=True))
"""Sur-Gard first, because it is the most common one when two read the same bytes."""
