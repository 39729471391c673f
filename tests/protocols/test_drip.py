"""If bytes come one by one, the cost of a byte in time and memory does not grow with the bytes that wait already.

The cost is counted in steps of the interpreter, which are the same on every machine. A search or a sum within one step
is bounded by the longest frame.
"""

from __future__ import annotations

import gc
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.steps import drip_steps
from vetlla.protocols.dc09.cutter import Dc09Cutter
from vetlla.protocols.eview.cutter import EviewCutter
from vetlla.protocols.framing.records import Records
from vetlla.protocols.sip.stream import StreamCutter
from vetlla.protocols.surgard.frame import MAX_FRAME, WIDTHS, shapes
from vetlla.protocols.watch3g.cutter import BracketCutter

if TYPE_CHECKING:
    from collections.abc import Callable

EARLY, LATE, SIZE = 400, 3_400, 200
"""The test counts the cost of ``SIZE`` bytes at these two places of a frame of 4 kB."""
TWICE = 2
TIMES_ITSELF = 8
"""Memory in bytes that may be kept for each waiting byte: the byte itself, and the openings that were found."""


def surgard_cutter() -> Records:
    return Records(shapes(WIDTHS), max_frame=MAX_FRAME)


STREAMS: dict[str, tuple[Callable[[], Any], bytes]] = {
    "openings": (Dc09Cutter, b'\nAAAA0FFF"' * 400),
    "openings without LF": (Dc09Cutter, b'AAAA0FFF"' * 450),
    "openings in noise of zeros": (Dc09Cutter, b'00000000"' * 450),
    "openings with raw checksums": (Dc09Cutter, b'\n..0FFF"' * 500),
    "openings of short frames": (Dc09Cutter, b'\nAAAA0010"' * 400),
    "quotes": (Dc09Cutter, b'\nAAAA0FFF"' + b'"' * 4_000),
    "line ends": (Dc09Cutter, b'\nAAAA0FFF"' + b"\n" * 4_000),
    "brackets": (BracketCutter, b"[3G*8308373902*3FFF*AL" + b"[" * 4_000),
    "pairs of brackets": (BracketCutter, b"[3G*8308373902*3FFF*AL" + b"[]" * 2_000),
    "a tail": (BracketCutter, b"[3G*8308373902*3FFF*AL]" + b"x" * 4_000),
    "openings of Eview": (EviewCutter, b"\xab" * 4_000),
    "long frames of Eview": (EviewCutter, b"\xab\x00\xff\x1f" * 1_000),
    "texts of Sur-Gard": (surgard_cutter, b"S011[" + b"a" * 4_000),
    "openings of Sur-Gard": (surgard_cutter, b"5011 18" * 600),
    "heads of SIP": (StreamCutter, b"MESSAGE sip:a SIP/2.0\r\nX:" + b"\r\nX" * 2_000),
    "folds of SIP": (StreamCutter, b"MESSAGE sip:a SIP/2.0\r\nX:" + b"\n \r" * 2_000),
    "a body of SIP": (StreamCutter, b"MESSAGE sip:a SIP/2.0\r\nl: 9000\r\n\r\n" + b"\n\n" * 2_000),
    "frames of Sur-Gard without end marks": (surgard_cutter, b"5011 181234E10100007" * 200),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_byte_costs_the_same_while_many_bytes_wait(name: str) -> None:
    """Four hundred openings that wait, or a list of a thousand values, make the next byte no dearer."""
    make, stream = STREAMS[name]
    cutter = make()
    cutter.feed(stream[:EARLY])
    early = drip_steps(cutter, stream[EARLY : EARLY + SIZE])
    cutter.feed(stream[EARLY + SIZE : LATE])
    late = drip_steps(cutter, stream[LATE : LATE + SIZE])
    assert late <= TWICE * early


@pytest.mark.parametrize("name", STREAMS)
def test_waiting_bytes_take_little_memory(name: str) -> None:
    """Thousands of connections may each hold an unfinished frame, so the worst bytes cost little more memory."""
    make, stream = STREAMS[name]
    cutter = make()
    cutter.feed(b"")
    gc.collect()
    tracemalloc.start()
    try:
        for at in range(LATE):
            cutter.feed(stream[at : at + 1])
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held <= TIMES_ITSELF * LATE
