"""``vetlla probe import``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.kit.registry import CLOCK, background_priority
from vetlla.domain.columns import Effect
from vetlla.domain.errors import UsageError
from vetlla.domain.permissions import no_link
from vetlla.tasks.probes.imports import import_probes

if TYPE_CHECKING:
    from vetlla.tasks.probes.imports import ImportedProbes

SHOWN: Final = 20
"""Most lines that are named to a person; --json and --aside have the first 1,000."""


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", readable=False, help="Files of `probe run --out`.")],
    *,
    aside: Annotated[
        Path | None,
        typer.Option("--aside", metavar="FILE", readable=False, help="Write the lines there that are put aside."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Import files of probes, of several machines and in any order. Importing one again adds nothing.

    A line that is not whole, or that contradicts a known probe, is put aside with its reason; the others are kept.

    Exit status: 0 all lines are known now, 65 lines were put aside.

    Example: vetlla probe import probe-1.ndjson probe-2.ndjson
    """
    background_priority()
    done = import_probes(state_dir, CLOCK, files, actor(), dry_run=dry_run)
    if aside is not None and done.aside:
        _write(aside, done)
    with verdict(os.EX_DATAERR if done.aside_count else 0):
        _tell(done, dry_run=dry_run, as_json=as_json)


def _tell(done: ImportedProbes, *, dry_run: bool, as_json: bool) -> None:
    new, known = done.effects[Effect.NEW], done.effects[Effect.UNCHANGED]
    if as_json:
        print_json(
            {
                "new": new,
                "unchanged": known,
                "put_aside": done.aside_count,
                "aside": [{"file": one.file, "line": one.number, "reason": one.reason} for one in done.aside],
                "dry_run": dry_run,
            }
        )
        return
    for one in done.aside[:SHOWN]:
        talk().print(f"{one.file}, line {one.number}: {one.reason}", soft_wrap=True)
    if done.aside_count > SHOWN:
        talk().print(f"{done.aside_count - SHOWN} more lines were put aside: --json or --aside shows them")
    tried = " (dry run: nothing was written)" if dry_run else ""
    console().print(f"{new} new, {known} unchanged, {done.aside_count} lines put aside{tried}", soft_wrap=True)


def _write(file: Path, done: ImportedProbes) -> None:
    try:
        with os.fdopen(no_link(file, os.O_TRUNC), "wb") as out:
            out.writelines(one.line + b"\n" for one in done.aside)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", remedy="name a file that can be written") from error
