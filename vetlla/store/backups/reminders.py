"""The reminders' part of a restore: no message is sent a second time, and no opt-out is lost."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import to_datetime
from vetlla.domain.errors import VetllaError
from vetlla.store.backups.replaced import replaced_place
from vetlla.store.reminders import audit, restoring
from vetlla.store.reminders.opening import REMINDERS, opened, reading
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.store.backups.backup import Manifest
    from vetlla.store.reminders.restoring import Doubtful, KeptOptOut


class RestoredReminders(NamedTuple):
    """What a restore did with the reminders, or would do."""

    ended: Doubtful
    opt_outs: int | None
    """Opt-outs of the replaced database that the backup did not have; None if that database could not be read."""


class _Replaced(NamedTuple):
    """What is known of the database that is replaced."""

    head: str
    opt_outs: list[KeptOptOut]


def looked_through(backup: Path, state_dir: Path, now: datetime) -> RestoredReminders:
    """Return what a restore would do at this moment, and write nothing."""
    replaced = _replaced(state_dir)
    with reading(backup) as db:
        there = {(one.phone or one.person, one.channel) for one in restoring.kept_opt_outs(db)}
        new = (
            None
            if replaced is None
            else len({(one.phone or one.person, one.channel) for one in replaced.opt_outs} - there)
        )
        return RestoredReminders(restoring.doubtful(db, now), new)


def prepare(incoming: Path, state_dir: Path, manifest: Manifest, clock: Clock, actor: str) -> RestoredReminders:
    """Make a copy ready to be used: this program's schema, no message that may have been sent, all opt-outs, a record.

    It is one transaction, so that a copy is ready or is not used.
    """
    now = to_datetime(clock.now().utc_us)
    replaced = _replaced(state_dir)
    with opened(incoming, clock) as db, atomic(db):
        ended = restoring.end_doubtful(db, now)
        new = None if replaced is None else restoring.carry_opt_outs(db, replaced.opt_outs, now)
        detail = {
            "made": manifest.made,
            "head": manifest.reminders_head,
            "replaced_head": None if replaced is None else replaced.head,
            **ended._asdict(),
            "opt_outs": new,
        }
        restoring.sign(db, now, actor, detail)
    return RestoredReminders(ended, new)


def _replaced(state_dir: Path) -> _Replaced | None:
    """Return what the database that is replaced says; None if there is none, or if it cannot be read."""
    place = replaced_place(state_dir, REMINDERS)
    if place is None:
        return None
    try:
        with reading(place) as db:
            return _Replaced(audit.head(db), restoring.kept_opt_outs(db))
    except (VetllaError, sqlite3.Error):
        return None  # damaged, which may be why a backup is restored
