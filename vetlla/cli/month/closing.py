"""``vetlla month close``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.duty_rows import KindsFile
from vetlla.cli.kit.moments import to_the_second, use_zone
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, counted, print_json, tell
from vetlla.cli.kit.parameters import ParametersFile
from vetlla.cli.kit.registry import CLOCK, as_note, background_priority, working
from vetlla.cli.month.words import MonthArgument, closing_fields, file_fields
from vetlla.domain.clock import iso
from vetlla.store.journal.opening import JOURNAL
from vetlla.tasks.duties.rules import read_rule_files, rules_from
from vetlla.tasks.months.closing import CloseOrder, close_month
from vetlla.tasks.months.documents import read_documents

if TYPE_CHECKING:
    from vetlla.tasks.months.closing import ClosedMonth
    from vetlla.tasks.months.undecided import Undecided

SETTLE_S: Final = 1.0
"""How long a close waits for a running receiver: what it stamped before is then in the journal. A commit takes
milliseconds."""

Reason = Annotated[
    str,
    typer.Option("--reason", parser=as_note, metavar="TEXT", help="Why a closed month is closed again: a restatement."),
]
NoteOption = Annotated[
    str, typer.Option("--note", parser=as_note, metavar="TEXT", help="A note, without personal data.")
]
Documents = Annotated[
    list[Path] | None,
    typer.Option(
        "--document",
        metavar="FILE",
        readable=False,
        help="A document that is handed over, to keep with the month; may be repeated.",
    ),
]
Without = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="PART",
        help="A part that is left out because it cannot be made, such as service-levels.pdf; may be repeated.",
    ),
]


def close(
    month: MonthArgument,
    reason: Reason = "",
    note: NoteOption = "",
    document: Documents = None,
    without: Without = None,
    dry_run: DryRun = False,
    kinds: KindsFile = None,
    parameters_file: ParametersFile = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Close a month: keep the digests of its record, the rules, the results and documents, so that all can be verified.

    A month that is closed already needs --reason. Then both versions are kept, and `vetlla month show` compares them.
    Write down the seal that is printed: it shows later that no closed month was exchanged. If a part cannot be made,
    nothing is closed, and the message says why and how to close the month without it.

    Example: vetlla month close 2026-10 --document invoice.xsig
    """
    background_priority()
    files = read_rule_files(kinds, parameters_file)
    use_zone(rules_from(files).calendar.zone)
    order = CloseOrder(
        month=month,
        by=actor(),
        reason=reason.strip(),
        note=note.strip(),
        documents=read_documents(document or ()),
        dry_run=dry_run,
        without=frozenset(without or ()),
    )

    def settle() -> None:
        if (state_dir / f"{JOURNAL}-wal").exists():  # a receiver runs
            time.sleep(SETTLE_S)

    with working(f"closing {month:%Y-%m}"):
        done = close_month(state_dir, CLOCK, files, order, settle)
    for line in _warnings(done):
        tell(line, "yellow")
    if as_json:
        print_json(_fields(done))
    else:
        _print(done, dry_run=dry_run)


def _fields(done: ClosedMonth) -> dict[str, object]:
    return closing_fields(done.closing) | {
        "inputs": [one._asdict() for one in done.closing.inputs],
        "files": [file_fields(file) for file in done.closing.files],
        "undecided": [one._asdict() | {"due": iso(one.due_us)} for one in done.undecided],
    }


def _print(done: ClosedMonth, *, dry_run: bool) -> None:
    closing, out = done.closing, console()
    verb = "would be closed" if dry_run else "is closed"
    what = f"{closing.label} {verb} as version {closing.version}, as known at {to_the_second(closing.known_us)}"
    out.print(f"{what}: {counted(len(closing.inputs), 'digest')}, {counted(len(closing.files), 'file')}")
    if not dry_run:
        out.print(f"seal {closing.seal}", soft_wrap=True)


def _warnings(done: ClosedMonth) -> list[str]:
    by_level: dict[int, list[Undecided]] = {}
    for one in done.undecided:
        by_level.setdefault(one.ans, []).append(one)
    return [_warning(ans, some) for ans, some in by_level.items()]


def _warning(ans: int, some: list[Undecided]) -> str:
    last = max((one.due_us for one in some if one.due_us is not None), default=None)
    until = f"the last one runs out at {to_the_second(last)}" if last is not None else "the clock stands"
    first = some[0]
    return (
        f"ANS {ans}: {counted(len(some), 'case')} undecided, such as {first.kind} {first.number} of {first.subject};"
        f" {until}. Close the month again after that."
    )
