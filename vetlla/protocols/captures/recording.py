r"""The file of a capture: one line for each chunk of bytes, which a person can read and cut with an editor.

    # vetlla capture 1: 192.0.2.7:1025
    2026-12-01T04:39:01.123456Z < 353031312031383132333445313031303030303714
    2026-12-01T04:39:01.130456Z > 06

    time    when the chunk was read, UTC
    <  >    from the line receiver; to it
    bytes   hexadecimal

Lines that begin with # are comments. ``vetlla decode`` reads the chunks from the receiver.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import iso, to_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TITLE: Final = "# vetlla capture 1"
COMMENT: Final = "#"
_LINE: Final = re.compile(r"([0-9]{4}-[0-9T:.-]{1,24}Z) ([<>]) ((?:[0-9a-fA-F]{2})+)")
_TO_RECEIVER: Final = ">"


class Chunk(NamedTuple):
    """Bytes that were read at once."""

    at_us: int
    """Microseconds since 1970."""
    data: bytes
    is_answer: bool = False
    """True if they went to the receiver."""


def line_of(chunk: Chunk) -> str:
    """Return the line of a chunk, without a line break."""
    return f"{iso(chunk.at_us)} {_TO_RECEIVER if chunk.is_answer else '<'} {chunk.data.hex()}"


def chunk_of(line: str) -> Chunk | None:
    """Return the chunk of a line; None if it is no line of a capture."""
    found = _LINE.fullmatch(line.strip())
    if found is None:
        return None
    try:
        moment = datetime.fromisoformat(found[1])
    except ValueError:
        return None
    return Chunk(to_us(moment), bytes.fromhex(found[3]), found[2] == _TO_RECEIVER)


def chunks_of(lines: Iterable[str]) -> Iterator[tuple[int, Chunk | None]]:
    """Yield the number and the chunk of each line that is not blank and no comment; None for another line."""
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith(COMMENT):
            yield number, chunk_of(line)
