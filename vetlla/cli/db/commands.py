"""``vetlla db`` makes backups of the databases, verifies them and restores them."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.cards.access import place_of
from vetlla.cli.db.prune import prune
from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir, configured
from vetlla.cli.kit.output import console, counted, print_json, talk, tell
from vetlla.cli.kit.progress import progress
from vetlla.cli.kit.registry import CLOCK, today
from vetlla.domain.clock import SystemClock
from vetlla.domain.errors import StoreError
from vetlla.receiver.retention import emergency_us
from vetlla.settings.model import Settings
from vetlla.store.backups.backup import MANIFEST, back_up
from vetlla.store.backups.inspection import Damage, inspect
from vetlla.store.backups.restore import restore as restore_backup
from vetlla.store.cards.opening import CARDS
from vetlla.store.journal.free_space import RESERVE, FreeSpace
from vetlla.tasks.cards.place import is_present
from vetlla.tasks.erased_again import ErasedAgain, erase_again

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.store.backups.reminders import RestoredReminders
    from vetlla.store.backups.restore import Restored

app = typer.Typer(help="Back up, verify, restore and prune what the services keep.", no_args_is_help=True)
app.command("prune")(prune)

DAMAGED = 1
"""Exit status if something is damaged."""

Backup = Annotated[Path, typer.Argument(metavar="BACKUP", readable=False, help="A directory made by vetlla db backup.")]


@app.command()
def backup(
    target: Annotated[
        Path, typer.Argument(metavar="DEST", readable=False, help="A directory that does not exist yet.")
    ],
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Copy journal, registry, reminders and cards into a directory, with a manifest; the services go on meanwhile.

    It copies those that the state directory has, and warns if the cards are lost. The keys are not part of the backup:
    keep a copy of the keys files elsewhere, where not everyone who handles backups can read it. The command overwrites
    nothing. An interrupted backup leaves nothing that looks like a backup.

    Example: vetlla db backup /mnt/backup/$(date +%F) && vetlla db verify /mnt/backup/$(date +%F)
    """
    with progress("copying the journal") as follow:
        manifest = back_up(state_dir, target, SystemClock(), _room(state_dir), follow)
    if as_json:
        print_json(asdict(manifest) | {"backup": str(target)})
    else:
        total = sum(copy.bytes for copy in manifest.files.values())
        journal = f", signals up to {manifest.last_signal}, audit head {manifest.head}" if manifest.head else ""
        reminders = f", reminders' audit head {manifest.reminders_head}" if manifest.reminders_head else ""
        cards = f", head of the cards' log {manifest.cards_head}" if manifest.cards_head else ""
        console().print(f"{target}: {total / 2**20:,.1f} MiB{journal}{reminders}{cards}", soft_wrap=True)
    if CARDS not in manifest.files and (lost := _lost_cards(state_dir)):
        tell(f"the backup has no cards: {lost}", "yellow")


@app.command()
def verify(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PATH]", readable=False, help="A backup, or one database; default: the state directory."
        ),
    ] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Check that a backup, or what the services keep, is whole: checksums, structure, schema, audit chain, accounts.

    Running services go on meanwhile.

    Exit status: 0 all is whole, 1 something is damaged.

    Example: vetlla db verify /mnt/backup/2026-11-21
    """
    found = _inspected(path or state_dir)
    with verdict(DAMAGED if found else 0):
        if as_json:
            rows = [{"file": damage.file, "what": damage.what} for damage in found]
            print_json({"path": str(path or state_dir), "whole": not found, "damage": rows})
        elif not _told(found):
            console().print(f"{path or state_dir}: whole", soft_wrap=True)


@app.command()
def restore(
    backup: Backup, state_dir: StateDir = DEFAULT_STATE_DIR, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Replace journal, registry, reminders and cards by a backup; receiver and reminder service must be stopped.

    The command verifies the backup first. It keeps what it replaces in a directory replaced-* of the state directory;
    only those files hold what was received since the backup. The audit says who restored what.

    A message that may have been sent since the backup is not sent again. It is suppressed with the reason restored.
    Homes that were erased since the backup are erased again, as the replaced journal names them.

    Exit status: 0 restored, 1 the backup is damaged, and nothing was changed, 65 restored, but the data of a home that
    was erased are back.

    Example: vetlla db restore /mnt/backup/2026-11-21 --dry-run
    """
    found = _inspected(backup) if (backup / MANIFEST).exists() else []
    if found:
        with verdict(DAMAGED):
            _told(found)
    with progress("copying") as follow:
        done = restore_backup(
            backup, state_dir, SystemClock(), _room(state_dir), actor=actor(), dry_run=dry_run, progress=follow
        )
    again = [] if dry_run else _erase_again(state_dir, done.erased or ())
    with verdict(os.EX_DATAERR if any(one.refusal for one in again) else 0):
        _tell_restored(backup, done, again, dry_run=dry_run, as_json=as_json)


def _erase_again(state_dir: Path, homes: Sequence[str]) -> list[ErasedAgain]:
    if not homes:
        return []
    window_us = emergency_us(configured() or Settings())
    with progress("erasing homes again"):
        return list(erase_again(state_dir, CLOCK, homes, by=actor(), today=today(), window_us=window_us))


def _tell_restored(backup: Path, done: Restored, again: Sequence[ErasedAgain], *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "made": done.manifest.made,
                "head": done.manifest.head,
                "last_signal": done.manifest.last_signal,
                "replaced_head": done.replaced_head,
                "aside": None if done.aside is None else str(done.aside),
                "numbers": dict(done.numbers),
                "reminders": _reminders_row(done.reminders),
                "erased_since": None if done.erased is None else list(done.erased),
                "erased_again": [one._asdict() for one in again],
                "dry_run": dry_run,
            }
        )
        return
    out = console()
    would = "would restore" if dry_run else "restored"
    signals = f", signals up to {done.manifest.last_signal}" if done.numbers else ""
    out.print(f"{would} {backup} of {done.manifest.made}{signals}")
    if done.aside:
        out.print(f"{'would keep' if dry_run else 'kept'} what it replaces in {done.aside}")
    if done.numbers:
        out.print(f"numbers go on from signal {done.numbers['signals']}, alarm {done.numbers['alarms']}")
    if done.reminders:
        _tell_reminders(done.reminders, dry_run=dry_run)
    _tell_erased(done, again, dry_run=dry_run)
    if done.numbers and not dry_run:
        talk().print("vetlla check-config shows whether every key that an account names is there")


def _tell_erased(done: Restored, again: Sequence[ErasedAgain], *, dry_run: bool) -> None:
    if done.erased is None:
        talk().print(
            "the replaced journal cannot say which homes were erased since the backup: compare each certificate"
            " (vetlla erase --check), and erase again those that it does not prove",
            style="yellow",
            soft_wrap=True,
        )
    elif done.erased and dry_run:
        homes = counted(len(done.erased), "home")
        console().print(f"would erase {homes} again: {', '.join(done.erased)}", soft_wrap=True)
    for one in again:
        if one.refusal:
            tell(f"home {one.home} was erased after the backup, and its data are back: {one.refusal}", "red")
        else:
            console().print(f"erased home {one.home} again: it was erased after the backup", soft_wrap=True)


def _reminders_row(done: RestoredReminders | None) -> dict[str, int | None] | None:
    return None if done is None else {**done.ended._asdict(), "opt_outs": done.opt_outs}


def _tell_reminders(done: RestoredReminders, *, dry_run: bool) -> None:
    out = console()
    would = "would not be" if dry_run else "are not"
    out.print(f"{done.ended.waiting} messages were due and {would} sent, because they may have been sent already")
    out.print(f"{done.ended.unreported} messages were handed over and {would} sent by SMS in addition")
    if done.opt_outs is None:
        out.print("opt-outs since the backup are lost: import the providers' lists (vetlla reminders optout import)")
    else:
        out.print(f"{done.opt_outs} opt-outs since the backup {'would be' if dry_run else 'were'} kept")
    if not dry_run:
        talk().print("vetlla reminders list --state suppressed shows who may have got no reminder: reason restored")


def _room(state_dir: Path) -> FreeSpace:
    """Return the space to leave to the receiver: as much as it needs to take reports again after its disk was low."""
    settings = configured()
    reserve = settings.store.recover_free_mib << 20 if settings and settings.state_dir == state_dir else RESERVE
    return FreeSpace(state_dir, reserve)


def _lost_cards(state_dir: Path) -> StoreError | None:
    """Return what shows that a directory without cards had some; None for a service that keeps none."""
    try:
        is_present(place_of(None, state_dir))
    except StoreError as error:
        return error
    return None


def _inspected(path: Path) -> list[Damage]:
    pace = (lambda: None) if (path / MANIFEST).exists() else _room(path if path.is_dir() else path.parent).check
    with progress("verifying") as follow:
        found = list(inspect(path, SystemClock(), pace, lambda doing, done, of: follow(done, of, doing)))
    if path.is_dir() and not (path / MANIFEST).exists() and (lost := _lost_cards(path)):
        found.append(Damage(CARDS, str(lost.args[0])))
    return found


def _told(found: list[Damage]) -> bool:
    for damage in found:
        console().print(f"{damage.file}: {damage.what}", soft_wrap=True)
    return bool(found)
