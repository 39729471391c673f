"""Lines of text from a file or a pipe, one by one: plain text, or JSON objects that hold more than the text."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.domain.plainfile import open_input
from vetlla.service.reminders.replies import NUMBER_DIGITS, Question

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


def asked_in(line: Line) -> Question:
    """Return what the citizen was asked, as a line tells it. Raises UsageError."""
    awaiting, offered, yes_no = (line.fields.get(name) for name in ("awaiting", "offered", "yes_no"))
    if awaiting is None:
        awaiting = 1
    if not _is_count(awaiting):
        raise UsageError(f'line {line.number}: "awaiting" must be a whole number', remedy='write "awaiting": 2')
    if not isinstance(yes_no, bool | None):
        raise UsageError(f'line {line.number}: "yes_no" must be true or false', remedy='write "yes_no": true')
    return Question(awaiting, _numbers(line, offered), bool(yes_no))


def _numbers(line: Line, offered: Any) -> frozenset[int]:  # noqa: ANN401 - a value of JSON
    if offered is None or offered is False:
        return frozenset()
    if offered is True:
        return frozenset({1, 2})
    if _is_count(offered):
        return frozenset(range(1, offered + 1))
    if isinstance(offered, list) and all(map(_is_count, offered)):
        return frozenset(offered)
    raise UsageError(
        f'line {line.number}: "offered" must be a list of numbers, or how many there were',
        remedy='write "offered": [1, 2]',
    )


def _is_count(value: Any) -> bool:  # noqa: ANN401 - a value of JSON
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**NUMBER_DIGITS
