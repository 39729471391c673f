"""The cards' part of a restore: a card that was erased since the backup stays erased, and the log says so."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from vetlla.domain.errors import VetllaError
from vetlla.store.backups.replaced import replaced_place
from vetlla.store.cards import log, table
from vetlla.store.cards.opening import CARDS, opened, reading
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.store.backups.backup import Manifest


def prepare_cards(incoming: Path, state_dir: Path, manifest: Manifest, clock: Clock, actor: str) -> None:
    """Make a copy ready to be used: this program's schema, no card that was erased meanwhile, a record.

    It is one transaction, so that a copy is ready or is not used.
    """
    head, erased = _replaced(state_dir)
    now_us = clock.now().utc_us
    with opened(incoming, clock) as db, atomic(db):
        again = sum(table.erase(db, home, at_us=now_us, by=actor) for home in erased)
        detail = {"made": manifest.made, "head": manifest.cards_head, "replaced_head": head, "erased": again}
        log.write(db, [log.entry(now_us, actor, log.RESTORE, "", detail)])


def _replaced(state_dir: Path) -> tuple[str | None, list[str]]:
    """Return the end of the log that is replaced, and the homes whose cards were erased; nothing if it is damaged."""
    place = replaced_place(state_dir, CARDS)
    if place is None:
        return None, []
    try:
        with reading(place) as db:
            erased = [home for home, digest in log.expected_digests(db).items() if not digest]
            return str(log.head(db)), erased
    except (VetllaError, sqlite3.Error):
        return None, []  # damaged, which may be why a backup is restored
