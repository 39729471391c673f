"""What people look up about the cards themselves: who read them, whether the file is whole, an export of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.errors import ConfigError, UsageError
from vetlla.service.cards.rows import rows_of
from vetlla.store.cards import log, table
from vetlla.store.cards.opening import is_kept, opened, reading
from vetlla.store.cards.sealing import CardKeys
from vetlla.store.cards.table import CardDamage
from vetlla.store.sqlite.atomic import atomic

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.store.cards.log import CardReading
    from vetlla.store.journal.audit import Head
    from vetlla.tasks.cards.reading import CardPlace


def readers(state_dir: Path, *, home: str = "", by: str = "", since_us: int = 0) -> list[CardReading]:
    """Return who read cards, oldest first; for one home also those who exported all cards. It needs no key."""
    with reading(state_dir) as db:
        return list(log.readings(db, home=home, by=by, since_us=since_us))


def has_card(state_dir: Path, home: str) -> bool:
    """Return True if a home has a card; nothing of it is read."""
    if not is_kept(state_dir):
        return False
    with reading(state_dir) as db:
        return table.row_of(db, home) is not None


def verified(place: CardPlace) -> tuple[Head, list[CardDamage]]:
    """Return the end of the log, and what is not as it was written. A missing key is one of the findings."""
    with reading(place.state_dir) as db:
        damage = []
        keys = None
        try:
            keys = CardKeys.read(place.key_file)
        except ConfigError as error:
            if table.count(db):
                damage.append(CardDamage("", f"the cards were not opened: {error.args[0]}"))
        return log.head(db), [*damage, *table.damage(db, keys)]


def export_rows(place: CardPlace, clock: Clock, *, reason: str, by: str) -> Iterator[tuple[object, ...]]:
    """Yield the rows of all cards, after the export is in the log. Raises UsageError without a reason."""
    if not reason.strip():
        raise UsageError("no reason to export all cards", remedy='say it: --reason "..."')
    with opened(place.state_dir, clock) as db:
        keys = CardKeys.read(place.key_file)
        cards = [keys.unseal(row) for row in table.every_row(db)]
        with atomic(db):
            detail = {"reason": reason, "cards": len(cards)}
            log.write(db, [log.entry(clock.now().utc_us, by, log.EXPORT, "", detail)])
    for card in cards:
        yield from rows_of(card)
