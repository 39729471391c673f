"""Tells of homes whose data were erased and that get a card again: an old file or an old system may bring it back."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from vetlla.domain.clock import to_datetime
from vetlla.domain.errors import AccessError, StoreError
from vetlla.store.backups.erased import erasures
from vetlla.store.cards import log, table
from vetlla.store.cards.opening import reading
from vetlla.store.journal.opening import JOURNAL
from vetlla.tasks.cards.place import is_present, place_in
from vetlla.tasks.cards.registered import CardDoubt, doubts_if_readable

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

    from vetlla.domain.cards import Card
    from vetlla.domain.clock import Clock


def erasures_of(db: sqlite3.Connection, state_dir: Path, homes: Iterable[str]) -> list[CardDoubt]:
    """Return which of some homes without a card were erased, by the log of the cards and by the journal.

    A home without a card at its erasure is only in the journal. A journal that cannot be read says nothing.
    """
    erased: dict[str, int] = {}
    with suppress(StoreError, AccessError, OSError):
        if (state_dir / JOURNAL).exists():
            erased = {subject.removeprefix("home "): at_us for _, at_us, subject in erasures(state_dir)}
    found = []
    for home in homes:
        at_us = max(log.erased_us(db, home) or 0, erased.get(home, 0))
        if at_us:
            what = (
                f"its data were erased on {to_datetime(at_us):%Y-%m-%d}; if it has not come back, erase the card again"
            )
            found.append(CardDoubt(home, what))
    return found


def doubts_before(state_dir: Path, clock: Clock, card: Card) -> list[CardDoubt]:
    """Return what speaks against setting a card: the inventory, or an erasure of a home that has no card."""
    found: list[CardDoubt] = []
    if is_present(place_in(state_dir)):
        with reading(state_dir) as db:
            if table.row_of(db, card.home) is None:
                found = erasures_of(db, state_dir, [card.home])
    return [*found, *doubts_if_readable(state_dir, clock, [card])]
