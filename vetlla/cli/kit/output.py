"""How answers leave: tables for a person, JSON for a machine; stdout is the answer, stderr the talk.

Every word for a person goes through a ``Screen``, the only console there is (tests/cli/kit/test_words.py holds it). It
shows text as it is: ``[red]`` and ``:AB:`` are a device's own words, and a control character is shown as its escape.
"""

from __future__ import annotations

import json
import sys
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vetlla.domain.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import ConsoleOptions, RenderableType
    from rich.segment import Segment

PIPE_WIDTH = 100_000
"""Columns where no terminal limits them: rows of a table in a pipe stay whole, one line each."""


class Screen(Console):
    """A console that neither interprets nor passes on what the data say: no markup, no emoji, no control characters.

    A line break is a control character, too: print each line of several by itself. In a table ``Group`` holds them.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - those of rich's console
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401 - as above
        """Return the text of a string, before rich drops the control characters that it knows."""
        return super().render_str(printable(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Return the segments of anything that is shown, the texts inside tables and groups included."""
        return super().render(_printable(renderable) if isinstance(renderable, Text) else renderable, options)


def console() -> Screen:
    """Return the console of the answer: colours and the terminal's width only on a terminal."""
    if sys.stdout.isatty():
        return Screen()
    return Screen(no_color=True, width=PIPE_WIDTH)


def talk() -> Screen:
    """Return the console of the talk (progress, warnings, hints), on stderr."""
    return Screen(stderr=True, no_color=not sys.stderr.isatty())


def tell(message: str, style: str) -> None:
    """Print a message of the program's own on stderr, with the lines that it has: an error and its remedy."""
    for line in message.split("\n"):
        talk().print(line, style=style, soft_wrap=True)


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print one JSON document on one line: a stream of them is NDJSON."""
    sys.stdout.write(json_line(value))
    sys.stdout.flush()


def json_line(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """Return one JSON document on a line of its own. What a terminal would obey is escaped as JSON has it."""
    line = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    if not line.isprintable():
        line = "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in line)
    return line + "\n"


def _printable(text: Text) -> Text:
    """Return a text that ``printable`` would return, each style still on the characters that it was on."""
    if text.plain.isprintable():
        return text
    pieces = [printable(one) for one in text.plain]
    starts = [0, *accumulate(map(len, pieces))]
    shown = text.blank_copy("".join(pieces))
    for span in text.spans:
        shown.stylize(span.style, starts[span.start], starts[span.end])
    return shown


def print_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, title: str = "") -> int:
    """Print rows as a table of the named columns, or whole as NDJSON; return how many there were.

    No row: nothing is printed, since silence is the answer of a command that has nothing to say.
    """
    count = 0
    table = Table(*columns, title=title or None, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        count += 1
        if as_json:
            print_json(row)
        else:
            table.add_row(*(_text(row.get(column)) for column in columns))
    if count and not as_json:
        console().print(table)
    return count


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case True | False:
            return "yes" if value else "no"
        case _:
            return str(value)
