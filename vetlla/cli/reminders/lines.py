"""Lines of text from a file or a pipe, one by one: plain text, or JSON objects that hold more than the text."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.domain.plainfile import open_input

if TYPE_CHECKING:
    from collections.abc import Iterator

STDIN = "-"
LONGEST = 1 << 20
"""Most bytes of one line. The longest message that WhatsApp carries has 4,096 characters."""


class Line(NamedTuple):
    """One line: its number, its text, and the other fields if it is a JSON object."""

    number: int
    text: str
    fields: dict[str, Any]


def read_lines(file: str) -> Iterator[Line]:
    """Yield the lines of a file, or of standard input for "-", as they come. Raises UsageError and OSError."""
    with nullcontext(sys.stdin.buffer) if file == STDIN else open_input(Path(file)) as stream:
        for number, raw in enumerate(iter(lambda: stream.readline(LONGEST + 1), b""), 1):
            if len(raw) > LONGEST:
                raise UsageError(f"line {number} has more than {LONGEST} bytes", remedy="write one text on each line")
            yield _line(number, raw.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r"))


def _line(number: int, line: str) -> Line:
    """Return a line. A text that merely begins with a brace is a text."""
    if not line.lstrip().startswith("{"):
        return Line(number, line, {})
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return Line(number, line, {})
    text = fields.get("text")
    if not isinstance(text, str):
        raise UsageError(
            f'line {number}: "text" must be a text', remedy='write {"text": "ANULAR 2"}, or the text alone'
        )
    return Line(number, text, fields)
