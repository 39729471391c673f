"""``vetlla reminders`` shows how replies are understood, and what a text costs as SMS."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.reminders import texts
from vetlla.cli.reminders.lines import STDIN, read_lines
from vetlla.cli.reminders.simulate_qmatic import simulate_qmatic
from vetlla.domain.errors import UsageError
from vetlla.domain.segments import segments_of
from vetlla.service.reminders.replies import NUMBER_DIGITS, Question, understand
from vetlla.tasks.reminders.lexicon import load_lexicon

if TYPE_CHECKING:
    from vetlla.cli.reminders.lines import Line

app = typer.Typer(no_args_is_help=True, help="Remind citizens of appointments, and understand their replies.")
app.add_typer(texts.app, name="texts")
app.command("simulate-qmatic")(simulate_qmatic)

File = Annotated[str, typer.Argument(help="Lines of text or of JSON objects, or - for standard input.")]
LexiconFolder = Annotated[
    Path | None,
    typer.Option("--lexicon", metavar="FOLDER", help="Use the lexicon in this folder.  [default: as installed]"),
]


@app.command("understand")
def understand_replies(*, file: File = STDIN, lexicon: LexiconFolder = None, as_json: AsJson = False) -> None:
    """Show what replies of citizens mean: one line for each reply.

    A JSON object has "text", and may have "awaiting" (appointments that wait for an answer; 1), "offered" (the numbers
    that the last message showed, as a list or as their count) and "yes_no" (true if "no" was named as an answer).

    "sure" means that the service would carry it out without a question. With several appointments and no number, a sure
    reply means all of them.

    Example: echo "Vull anular la cita" | vetlla reminders understand --json
    """
    words = load_lexicon(lexicon)
    shown = console()
    for line in read_lines(file):
        reading = understand(line.text, words, _question(line))
        if as_json:
            print_json(
                {
                    "text": line.text,
                    "intent": reading.intent.value,
                    "language": reading.language,
                    "number": reading.number,
                    "sure": reading.sure,
                }
            )
            continue
        number = "" if reading.number is None else str(reading.number)
        sure = "sure" if reading.sure else ""
        shown.print(f"{reading.intent.value:<10} {reading.language or '':<2} {number:>3} {sure:<4}  {line.text}")


@app.command("segments")
def count_segments(*, file: File = STDIN, as_json: AsJson = False) -> None:
    """Show the encoding of texts as SMS, and how many messages the network sends for each.

    Example: echo "Per confirmar, responeu SI" | vetlla reminders segments
    """
    shown = console()
    for line in read_lines(file):
        found = segments_of(line.text)
        if as_json:
            print_json({"encoding": found.encoding.value, "segments": found.segments, "units": found.units})
        else:
            shown.print(f"{found.encoding.value}  {found.segments:>3} messages  {found.units:>4} units  {line.text}")


def _question(line: Line) -> Question:
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
