"""``vetlla reminders``: its groups, how replies are understood, and what a text costs as SMS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.reminders import (
    channels,
    doctor,
    erasing,
    export,
    inbox,
    messages,
    optout,
    pausing,
    report,
    retiring,
    running,
    texts,
)
from vetlla.cli.reminders.demo.command import demo
from vetlla.cli.reminders.lines import STDIN, asked_in, read_lines
from vetlla.cli.reminders.simulate_channels import simulate_channels
from vetlla.cli.reminders.simulate_qmatic import simulate_qmatic
from vetlla.domain.segments import segments_of
from vetlla.service.reminders.replies import understand
from vetlla.tasks.reminders.lexicon import load_lexicon

app = typer.Typer(no_args_is_help=True, help="Remind citizens of appointments, and understand their replies.")
app.command("run")(running.run_service)
app.command("dispatch")(running.dispatch_once)
app.command("doctor")(doctor.reminders_doctor)
app.command("list")(messages.list_messages)
app.command("show")(messages.show_message)
app.add_typer(inbox.app, name="inbox")
app.add_typer(optout.app, name="optout")
app.command("pause")(pausing.pause_office)
app.command("resume")(pausing.resume_office)
app.command("pauses")(pausing.list_pauses)
app.add_typer(channels.app, name="channels")
app.add_typer(texts.app, name="texts")
app.command("demo")(demo)
app.command("simulate-qmatic")(simulate_qmatic)
app.command("simulate-channels")(simulate_channels)
app.command("report")(report.report)
app.command("arms")(report.arms)
app.command("export")(export.export_all)
app.command("erase")(erasing.erase_person)
app.command("retire")(retiring.retire_old)

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
        reading = understand(line.text, words, asked_in(line))
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
