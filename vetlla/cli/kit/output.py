"""Prints answers: tables for a person, JSON for a machine. Answers go to stdout, messages to stderr.

Every word for a person goes through a ``Screen``, the only console (tests/cli/kit/test_words.py checks this). It shows
text as it is: ``[red]`` and ``:AB:`` are a device's own words, and a control character is shown as its escape.
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

_DIGITS = "0123456789.,:+-% "
_WHOLE = 16
"""Most characters of a number or a moment that stays on one line."""
PIPE_WIDTH = 100_000
"""Table width when the output is not a terminal: rows of a table in a pipe stay whole, one line each."""


class Screen(Console):
    """A console that shows data as plain text: no markup, no emoji, no control characters.

    A line break is a control character, too, so print each line by itself. In a table a ``Group`` holds several lines.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - those of rich's console
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render_str(self, text: str, **options: Any) -> Text:  # noqa: ANN401 - as above
        """Return the text of a string, escaped before rich drops the control characters that it knows."""
        return super().render_str(printable(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Return the segments of anything that is shown, with the texts inside tables and groups escaped."""
        return super().render(_printable(renderable) if isinstance(renderable, Text) else renderable, options)


def console() -> Screen:
    """Return the console for answers, with colours and the terminal's width only on a terminal."""
    if sys.stdout.isatty():
        return Screen()
    return Screen(no_color=True, width=PIPE_WIDTH)


def talk() -> Screen:
    """Return the console for messages (progress, warnings, hints), on stderr."""
    return Screen(stderr=True, no_color=not sys.stderr.isatty())


def tell(message: str, style: str) -> None:
    """Print a message of the program on stderr, line by line, such as an error and its remedy."""
    for line in message.split("\n"):
        talk().print(line, style=style, soft_wrap=True)


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print one JSON document on one line, so that several are NDJSON."""
    sys.stdout.write(json_line(value))
    sys.stdout.flush()


def json_line(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """Return one JSON document on a line of its own. Characters that a terminal would obey become JSON escapes."""
    line = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    if not line.isprintable():
        line = "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in line)
    return line + "\n"


def _printable(text: Text) -> Text:
    """Return a text as ``printable`` returns it, with each style still on the same characters."""
    if text.plain.isprintable():
        return text
    pieces = [printable(one) for one in text.plain]
    starts = [0, *accumulate(map(len, pieces))]
    shown = text.blank_copy("".join(pieces))
    for span in text.spans:
        shown.stylize(span.style, starts[span.start], starts[span.end])
    return shown


def counted(number: int, noun: str, nouns: str = "") -> str:
    """Return a number with its noun: ``1 call``, ``2 calls``; ``nouns`` is the plural if it does not only add an s."""
    return f"{number} {noun if number == 1 else nouns or f'{noun}s'}"


def print_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, title: str = "") -> int:
    """Print rows as a table of the named columns, or whole as NDJSON; return how many there were.

    Without rows nothing is printed, because a command that has nothing to say is silent. On a terminal, columns without
    any value are left out, and a long text goes on in the next line, so that no code and no amount loses its end. In a
    pipe every row has all columns, on one line.
    """
    count = 0
    shown: list[list[str]] = []
    for row in rows:
        count += 1
        if as_json:
            print_json(row)
        else:
            shown.append([_text(row.get(column)) for column in columns])
    if shown:
        console().print(_table(shown, columns, title))
    return count


def _table(rows: Sequence[Sequence[str]], columns: Sequence[str], title: str) -> Table:
    table = Table(title=title or None, box=None, header_style="bold", pad_edge=False)
    shown = list(range(len(columns)))
    if sys.stdout.isatty():
        shown = [place for place in shown if any(row[place] for row in rows)]
    for place in shown:
        name = columns[place]
        # Numbers and days stay on one line, so that the columns of words become narrower instead.
        is_short = all(len(row[place]) <= _WHOLE and not row[place].strip(_DIGITS) for row in rows)
        table.add_column(name, overflow="fold", no_wrap=is_short, min_width=min(len(name), _WHOLE))
    for row in rows:
        table.add_row(*(row[place] for place in shown))
    return table


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case True | False:
            return "yes" if value else "no"
        case _:
            return str(value)
