"""``vetlla reminders retire`` removes personal data after their time."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.options import AsJson, DryRun, KeysFile
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.kit.progress import progress
from vetlla.cli.reminders.database import database, now, pseudonyms_of
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, StateDir, configured
from vetlla.service.reminders.retention import RetentionTimes
from vetlla.settings.reminders.model import ReminderSettings
from vetlla.store.reminders.retention import Retired
from vetlla.tasks.reminders import retiring

if TYPE_CHECKING:
    from collections.abc import Iterator


def retire_old(
    *,
    days: Annotated[
        int | None,
        typer.Option(
            "--days", min=1, help="Keep telephones and texts this long after the appointment.  [default: as configured]"
        ),
    ] = None,
    reports_days: Annotated[
        int | None,
        typer.Option(
            "--reports-days", min=1, help="Keep providers' reports of delivery this long.  [default: as configured]"
        ),
    ] = None,
    dry_run: DryRun = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    keys_file: KeysFile = None,
    as_json: AsJson = False,
) -> None:
    """Put a pseudonym in the place of people whose appointments are long past, and remove texts and old reports.

    Statistics keep the rows. Opt-outs stay, and so do replies that wait for a person. The keys file needs the key of
    each year from which data are removed (vetlla keys set pseudonyms-2026). The service works on meanwhile. Without
    anything to remove the command says nothing, so that cron sends no mail.

    Example: vetlla reminders retire --days 30 --dry-run
    """
    kept = (configured() or ReminderSettings()).retention
    times = RetentionTimes(
        personal=timedelta(days=days or kept.days), reports=timedelta(days=reports_days or kept.report_days)
    )
    done = Retired()
    with database(state_dir) as db:
        if dry_run:
            done = retiring.too_old(db, times, now())
        else:
            with progress("looking for what is too old") as tell:
                for done in retiring.retire(db, times, pseudonyms_of(keys_file, state_dir), actor(), now()):
                    tell(0, 0, ", ".join(_lines(done)) or "looking for what is too old")
    if as_json:
        print_json({"dry_run": dry_run, **done._asdict()})
        return
    for line in _lines(done):
        console().print(line)


def _lines(done: Retired) -> Iterator[str]:
    return (f"{kind}: {count:,}" for kind, count in done._asdict().items() if count)
