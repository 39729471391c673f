"""``vetlla reminders export`` hands over all that is stored, at the end of a contract."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.reminders.database import database, now
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, StateDir
from vetlla.domain.errors import UsageError
from vetlla.store.sqlite.faults import disk_errors
from vetlla.tasks.reminders.desk import handover

NOT_WHOLE = 1
"""Exit status of --check if a file is missing or was changed."""


def export_all(
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", readable=False, help="New folder for the files.")
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option("--check", metavar="FOLDER", readable=False, help="Compare a hand-over with its manifest."),
    ] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Hand over all that is stored: each table as JSON lines, with a manifest of counts and SHA-256 digests.

    The files have telephone numbers and what citizens wrote. Only you can read them; send them only encrypted.

    Exit status: 1 with --check: a file is missing or was changed.

    Example: vetlla reminders export --out /var/tmp/handover
    """
    if (out is None) == (check is None):
        raise UsageError("name one folder", remedy="--out FOLDER to export, or --check FOLDER")
    if check is not None:
        _check(check, as_json=as_json)
        return
    assert out is not None
    with database(state_dir) as db, disk_errors(out):
        tables = handover.hand_over(db, out, actor(), now())
    talk().print(
        "warning: these files have personal data: telephones, and what citizens wrote", style="yellow", soft_wrap=True
    )
    if as_json:
        print_json({"folder": str(out), "tables": [one._asdict() for one in tables]})
        return
    for one in tables:
        console().print(f"{one.rows:>9,}  {one.file}", soft_wrap=True)
    console().print(f"{out / handover.MANIFEST}: {len(tables)} tables", soft_wrap=True)


def _check(folder: Path, *, as_json: bool) -> None:
    found = handover.faults(folder)
    with verdict(NOT_WHOLE if found else 0):
        if as_json:
            print_json({"folder": str(folder), "whole": not found, "faults": found})
            return
        for one in found:
            console().print(one, soft_wrap=True)
        if not found:
            console().print(f"{folder}: whole", soft_wrap=True)
