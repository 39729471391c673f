"""``vetlla sla report``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import as_month, to_the_second
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.parameters import footnote_names
from vetlla.cli.kit.registry import CLOCK, background_priority, working
from vetlla.cli.sla import files
from vetlla.documents.words import Language
from vetlla.domain.clock import HOUR_US
from vetlla.domain.errors import UsageError
from vetlla.domain.service_levels import LevelNote, LevelVerdict, PartName
from vetlla.service.calendar import add_months, last_whole_month
from vetlla.service.sla.explaining import note_sentence
from vetlla.service.sla.fields import fields
from vetlla.service.sla.levels import LEVELS, NUMBERS
from vetlla.tasks.sla.month import month_record
from vetlla.tasks.sla.sources import figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vetlla.domain.service_levels import LevelBreach, LevelFigure, LevelPart
    from vetlla.service.duties.terms import DutyRules

NOT_KEPT: Final = 1
NOT_MEASURED: Final = 3
COLUMNS: Final = ("ans", "subject", "kept", "of", "value", "required", "verdict", "open", "unmeasured", "breaches")
BREACHES: Final = ("ans", "what", "number", "home", "subject", "reason", "begun", "due", "at")
WORDS: Final = {
    LevelVerdict.KEPT: "kept",
    LevelVerdict.NOT_KEPT: "NOT KEPT",
    LevelVerdict.NOT_MEASURED: "not measured",
    LevelVerdict.EMPTY: "no case",
}
Months = Annotated[
    str,
    typer.Option(
        "--month",
        metavar="YYYY-MM[..YYYY-MM]",
        help="Month to report, or a range of months. Default: the last whole one.",
    ),
]
Numbers = Annotated[
    list[int] | None, typer.Option("--ans", min=1, max=len(LEVELS), help="Only this level; may be repeated.")
]
ON_SCREEN: Final = 50
"""Breaches of a level that a person is shown; --json shows every one that is listed."""
Outs = Annotated[
    list[Path] | None,
    typer.Option(
        "--out",
        metavar="FILE",
        help="Write a page (.pdf, .html) or rows (.csv, .xlsx, .json); repeatable. A page shows the last month in"
        " detail.",
    ),
]
MONTHS_AT_MOST: Final = 60
"""Five years: a contract with its extensions."""


@with_option_groups
def report(
    month: Months = "",
    ans: Numbers = None,
    known: Known = "",
    out: Outs = None,
    language: Annotated[Language, typer.Option("--language", help="Language of a page.")] = Language.CA,
    *,
    options: RuleOptions,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Report the service levels of a month: counts, what is required, the verdict, and each breach.

    What nothing measures is said to be not measured, and never counts as kept. Values that no contract says are named
    in footnotes.

    Exit status: 0 all are kept or without a case, 1 one is not kept, 3 none is broken and one is not measured.

    Example: vetlla sla report --month 2026-11 --out ans.pdf --language ca
    """
    background_priority()
    outs = out or []
    for path in outs:
        files.must_be_known(path)
    rules = options.rules()
    now_us, known_us = asked(known)
    found: list[LevelFigure] = []
    for first in months_of(month, rules.calendar.date_of(now_us)):
        with (
            working(f"reading the record of {first:%Y-%m}"),
            month_record(state_dir, CLOCK, rules, begun(first, rules, now_us), known_us) as record,
        ):
            found += figures(record, ans or NUMBERS)
    with verdict(exit_status(found)):
        for path in outs:
            files.write(path, found, files.Written(rules, now_us, language))
        if as_json and not outs:
            for one in found:
                print_json(fields(one))
        elif not outs:
            _tell(found)


def begun(first: date, rules: DutyRules, now_us: int) -> date:
    """Return the first day of a month. Raises UsageError if it has not begun."""
    if first > rules.calendar.date_of(now_us):
        raise UsageError(f"{first:%Y-%m} has not begun", remedy="give an earlier month")
    return first


def one_month(text: str, today: date) -> date:
    """Return the first day of the month that an option names; without a text, of the last whole month.

    ``today`` is the day on the calendar of the service.
    """
    return as_month(text) if text else last_whole_month(today)


def months_of(text: str, today: date) -> list[date]:
    """Return the first days of the months that an option names. Raises UsageError."""
    begin, dots, end = text.partition("..")
    first = one_month(begin, today)
    last = as_month(end) if dots else first
    found = [first]
    while found[-1] < last and len(found) < MONTHS_AT_MOST:
        found.append(add_months(found[-1], 1))
    if found[-1] != last:
        raise UsageError(
            f"{text} is no range of at most {MONTHS_AT_MOST} months", remedy="write it as 2026-01..2026-12"
        )
    return found


def exit_status(found: Iterable[LevelFigure]) -> int:
    """Return the exit status of a report."""
    verdicts = {one.verdict for one in found}
    if LevelVerdict.NOT_KEPT in verdicts:
        return NOT_KEPT
    return NOT_MEASURED if LevelVerdict.NOT_MEASURED in verdicts else 0


def _tell(found: Sequence[LevelFigure]) -> None:
    for month in dict.fromkeys(one.month for one in found):
        these = [one for one in found if one.month == month]
        rows = (row for one in these for row in _rows(one))
        runs = any(LevelNote.MONTH_RUNS in one.notes for one in these)
        title = f"Service levels of {month:%Y-%m}{', which is not over' if runs else ''}"
        print_rows(rows, COLUMNS, as_json=False, title=title)
        breaches = (_breach(one.ans, breach) for one in these for breach in one.breaches[:ON_SCREEN])
        print_rows(breaches, BREACHES, as_json=False, title="breaches")
        for one in these:
            if (more := one.breach_count - ON_SCREEN) > 0:
                see = f"vetlla sla explain {one.ans} --month {month:%Y-%m} --breaches --json"
                console().print(f"ANS {one.ans}: {more} more breaches: {see}", soft_wrap=True)
        tell_notes(these)
    footnote_names(name for one in found for name in one.assumed)


def tell_notes(found: Iterable[LevelFigure]) -> None:
    """Print what limits some figures, each note after the numbers of its levels.

    That the month runs is said by the title.
    """
    levels: dict[LevelNote, list[str]] = {}
    for one in found:
        for note in one.notes:
            levels.setdefault(note, []).append(str(one.ans))
    for note, numbers in levels.items():
        if note is not LevelNote.MONTH_RUNS:
            console().print(f"ANS {', '.join(numbers)}: {note_sentence(note)}", soft_wrap=True)


def _rows(one: LevelFigure) -> list[dict[str, Any]]:
    subject = LEVELS[one.ans - 1].subject
    if not one.parts:
        return [{"ans": one.ans, "subject": subject, "verdict": WORDS[one.verdict]}]
    return [
        part_row(part)
        | {
            "ans": one.ans if place == 0 else "",
            **({"subject": subject} if place == 0 else {}),
            "open": one.undecided if place == 0 and one.undecided else "",
            "unmeasured": one.unmeasured if place == 0 and one.unmeasured else "",
            "breaches": one.breach_count if place == 0 and one.breach_count else "",
        }
        for place, part in enumerate(one.parts)
    ]


def part_row(part: LevelPart) -> dict[str, Any]:
    """Return a part as a person is shown it; time, which is counted in microseconds, in hours."""
    counts = {"kept": part.numerator, "of": part.denominator}
    is_time = part.name is PartName.AVAILABLE
    unit = f" {part.unit}" if part.unit == "%" else ""
    return {
        "subject": f"  {part.name}",
        **({name: f"{count // HOUR_US} h" for name, count in counts.items()} if is_time else counts),
        "value": "" if part.value is None else f"{part.value}{unit}",
        "required": f"{part.threshold} {part.unit}",
        "verdict": WORDS[part.verdict],
    }


def _breach(ans: int, breach: LevelBreach) -> dict[str, Any]:
    shown = {
        name: to_the_second(at) if at is not None else ""
        for name, at in (("begun", breach.begun_us), ("due", breach.due_us), ("at", breach.at_us))
    }
    return {
        "ans": ans,
        "what": breach.what,
        "number": breach.number,
        "home": breach.home,
        "subject": breach.subject,
        "reason": f"{breach.reason.value}{' (grave)' if breach.is_worse else ''}",
        **shown,
    }
