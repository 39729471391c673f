"""What people look up about the cards themselves: who read them, whether the file is whole, an export of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import iso
from vetlla.domain.errors import ConfigError, UsageError
from vetlla.service.cards.rows import rows_of
from vetlla.store.cards import log, table
from vetlla.store.cards.opening import opened, reading
from vetlla.store.cards.sealing import CardKeys
from vetlla.store.cards.table import CardDamage
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.cards.changing import refuse_none_opened
from vetlla.tasks.cards.place import is_present, place_in

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.domain.cards import Card
    from vetlla.domain.clock import Clock
    from vetlla.store.cards.log import CardReading
    from vetlla.store.journal.audit import Head
    from vetlla.tasks.cards.place import CardPlace


def readers(state_dir: Path, *, home: str = "", by: str = "", since_us: int = 0) -> list[CardReading]:
    """Return who read cards or tried to, oldest first; for one home also those who exported all. It needs no key."""
    is_present(place_in(state_dir))
    with reading(state_dir) as db:
        return list(log.readings(db, home=home, by=by, since_us=since_us))


def has_card(state_dir: Path, home: str) -> bool:
    """Return True if a home has a card; nothing of it is read. Raises StoreError if the card file is missing."""
    if not is_present(place_in(state_dir)):
        return False
    with reading(state_dir) as db:
        return table.row_of(db, home) is not None


class CardsVerified(NamedTuple):
    """The end of the log, how many cards there are, and what is not as it was written."""

    head: Head
    cards: int
    damage: list[CardDamage]


def verified(place: CardPlace, *, expect: Head | None = None) -> CardsVerified:
    """Check all cards and the whole log. A missing key is one of the findings, and so is a log without ``expect``.

    An older copy of the whole file is whole in itself. Only a head that was kept elsewhere shows that it is older.
    """
    is_present(place)
    with reading(place.state_dir) as db:
        damage = []
        keys = None
        try:
            keys = CardKeys.read(place.key_file)
        except ConfigError as error:
            if table.count(db):
                damage.append(CardDamage("", f"the cards were not opened: {error.args[0]}"))
        damage += table.damage(db, keys)
        if expect and not log.contains(db, expect):
            damage.append(CardDamage("", _without_head(db, expect)))
        return CardsVerified(log.head(db), table.count(db), damage)


def _without_head(db: sqlite3.Connection, expect: Head) -> str:
    what = f"the log does not contain the expected head {expect.id}: the file is an older copy, or its end was cut off"
    if restored := log.last_restore(db):
        return f"{what}; the last restore, on {iso(restored)}, replaced the log if the head was printed before it"
    return what


class CardsExported(NamedTuple):
    """The cards that opened, and those that did not."""

    cards: list[Card]
    left_out: list[CardDamage]

    def rows(self) -> Iterator[tuple[object, ...]]:
        """Yield the rows of the cards."""
        for card in self.cards:
            yield from rows_of(card)


def export_cards(place: CardPlace, clock: Clock, *, reason: str, by: str) -> CardsExported:
    """Return all cards that open, after the export is in the log. Raises UsageError without a reason.

    Raises StoreError if no card opens.
    """
    if not reason.strip():
        raise UsageError("no reason to export all cards", remedy='say it: --reason "..."')
    is_present(place)
    with opened(place.state_dir, clock) as db:
        keys = CardKeys.read(place.key_file)
        done = CardsExported([], [])
        for row, why in table.opened_rows(db, keys):
            if why:
                done.left_out.append(CardDamage(row.home, why))
            else:
                done.cards.append(keys.unseal(row))
        refuse_none_opened(len(done.cards), done.left_out)
        with atomic(db):
            detail = {"reason": reason, "cards": len(done.cards), "left_out": len(done.left_out)}
            log.write(db, [log.entry(clock.now().utc_us, by, log.EXPORT, "", detail)])
    return done
