"""``vetlla db prune`` removes now what is too old, or shows what it would remove."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.kit.control import follow
from vetlla.cli.kit.moments import Utc, shown
from vetlla.cli.kit.options import DEFAULT_CONFIG, DEFAULT_STATE_DIR, AsJson, DryRun, StateDir, required_configuration
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.progress import progress
from vetlla.domain.clock import SystemClock, iso
from vetlla.domain.errors import LinkError, StoreError
from vetlla.domain.removal import What
from vetlla.receiver.control.messages.retention import PruneJournal
from vetlla.receiver.retention import terms
from vetlla.settings.load import load
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.due import due
from vetlla.store.journal.journal import Journal
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.journal.retention import believed_by
from vetlla.store.removing import JournalRemovals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.cli.kit.progress import Tell
    from vetlla.settings.model import Settings
    from vetlla.store.journal.due import Due

COLUMNS = ("what", "too_old", "oldest", "bytes", "in_use")


def prune(
    *,
    dry_run: DryRun = False,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", metavar="FILE", readable=False, help=f"Default: VETLLA_CONFIG, or {DEFAULT_CONFIG}."
        ),
    ] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Remove now what is older than the settings of retention allow; the receiver does so each day by itself.

    A running receiver does it by its own settings, in small steps, while it takes reports; only supervisors may ask for
    it. If no receiver runs, the command does it by the settings of --config. --dry-run counts, and changes nothing.

    Example: vetlla db prune --dry-run
    """
    if dry_run:
        settings = load(config or required_configuration(), state_dir=state_dir)
        _show(_due(settings, state_dir), as_json=as_json)
        return
    with progress("removing what is too old") as tell:
        try:
            removed = _by_receiver(state_dir, tell)
        except LinkError as error:
            if not (state_dir / JOURNAL).exists():
                raise StoreError(f"{state_dir / JOURNAL}: there is no journal", remedy="check --state-dir") from error
            settings = load(config or required_configuration(), state_dir=state_dir)
            removed = _by_ourselves(settings, state_dir, tell)
    if as_json:
        print_json({"removed": removed})
        return
    for what, count in removed.items():
        if count:
            console().print(f"{what}: {count:,}")


def _due(settings: Settings, state_dir: Path) -> list[Due]:
    with Archive(state_dir) as archive, progress("counting what is too old") as tell:
        wall_us = SystemClock().now().utc_us
        by = terms(settings, believed_by(archive.read, wall_us), wall_us)
        return list(due(archive.read, by, lambda looked: tell(looked, 0)))


def _show(found: list[Due], *, as_json: bool) -> None:
    rows = (
        {
            "what": one.what.value,
            "too_old": one.rows,
            "oldest": iso(one.oldest_us) if as_json or one.oldest_us is None else shown(one.oldest_us),
            "bytes": one.bytes,
            "in_use": one.held,
        }
        for one in found
    )
    print_rows(rows, COLUMNS, as_json=as_json)


def _by_receiver(state_dir: Path, tell: Tell) -> dict[str, int]:
    removed: dict[str, int] = {}
    for event in follow(state_dir, PruneJournal()):
        removed = event["removed"]
        if event["event"] == "done":
            return removed
        tell(0, 0, _progress(removed))
    raise LinkError("the receiver ended before it was done", remedy="run the command again: it removes the rest")


def _by_ourselves(settings: Settings, state_dir: Path, tell: Tell) -> dict[str, int]:
    clock, removed = SystemClock(), Counter[str]()
    journal = Journal(state_dir, clock)
    try:
        wall_us = clock.now().utc_us
        removals = JournalRemovals(journal, clock)
        for step in removals.too_old(terms(settings, removals.believed_us(wall_us, 0), wall_us)):
            removed[step.what] += step.rows
            journal.checkpoint()
            tell(0, 0, _progress(removed))
    finally:
        journal.close()
    return {what.value: removed[what] for what in What}


def _progress(removed: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in removed.items() if count) or "looking for what is too old"
