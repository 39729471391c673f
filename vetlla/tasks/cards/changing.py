"""Change cards: import files, set one card, erase one, seal all with a new key. The log gets a record of each."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.cards import Card
from vetlla.domain.clock import to_datetime
from vetlla.domain.errors import ConfigError, StoreError, UsageError
from vetlla.service.cards.rows import CardFile
from vetlla.store.cards import log, table
from vetlla.store.cards.opening import LOCK, opened
from vetlla.store.cards.sealing import CardKeys, drop_previous, make_key
from vetlla.store.cards.table import CardDamage
from vetlla.store.sqlite.atomic import atomic
from vetlla.store.sqlite.lockfile import exclusive
from vetlla.tasks.cards.erased import erasures_of
from vetlla.tasks.cards.place import is_present, place_in
from vetlla.tasks.cards.registered import doubts_if_readable
from vetlla.tasks.good_rows import good_rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.columns import Fault
    from vetlla.service.cards.columns import CardRow
    from vetlla.store.cards.sealing import SealedCard
    from vetlla.tasks.cards.place import CardPlace
    from vetlla.tasks.cards.registered import CardDoubt


CARDS_AT_ONCE: Final = 1_000
"""Cards in one transaction: some 30 ms, in which no card can be read."""
PAUSE_S: Final = 0.05
"""Pause between two transactions. SQLite asks for a locked file again after 100 ms at the latest, so that one of a few
attempts falls into a pause."""


class CardsImported(NamedTuple):
    """What a file changed, in homes, and what is wrong with it."""

    effects: Counter[str]
    """``new``, ``changed`` and ``unchanged``."""
    faults: list[Fault]
    left_out: list[CardDamage]
    """Homes of the file whose cards are damaged and stay as they are."""
    doubts: list[CardDoubt]
    """What the inventory, or the log of erasures, contradicts; the cards are imported all the same."""


class Resealed(NamedTuple):
    """What a rekey did."""

    cards: int
    key_id: str
    """Fingerprint of the key that now seals them."""
    is_rotating: bool
    """Whether the file still has the previous key, which backups made before need."""
    left_out: list[CardDamage]
    """Cards that are damaged and stay as they are."""


def import_cards(
    place: CardPlace,
    clock: Clock,
    rows: Iterable[tuple[int, CardRow | list[Fault]]],
    *,
    by: str,
    dry_run: bool = False,
) -> CardsImported:
    """Put the rows of a file into the cards: all of them or, if any is bad, nothing.

    A home whose card is damaged is left out: a file may have only a part of the card, and the rest would be lost.

    Operators can read cards meanwhile (``_put``). If a large import is killed, each card is as before or as in the
    file, and the same import completes it.
    """
    faults: list[Fault] = []
    file = CardFile()
    for row, values in good_rows(rows, faults):
        faults += file.put(row, values)
    keys = CardKeys.read(place.key_file)
    effects: Counter[str] = Counter(new=0, changed=0, unchanged=0)
    left_out: list[CardDamage] = []
    is_present(place)
    with exclusive(place.state_dir / LOCK), opened(place.state_dir, clock) as db:
        changed = []
        cards: list[Card] = []
        fresh: list[str] = []
        for home, parts in file.homes.items():
            sealed = table.row_of(db, home)
            if sealed is not None and (why := table.unusable(db, sealed, keys)):
                left_out.append(CardDamage(home, why))
                continue
            old = None if sealed is None else keys.unseal(sealed)
            new = parts.put_into(Card(home=home) if old is None else old)
            effects["new" if old is None else "unchanged" if new == old else "changed"] += 1
            cards.append(new)
            if old is None:
                fresh.append(home)
            if new != old:
                changed.append(keys.seal(new))
        doubts = erasures_of(db, place.state_dir, fresh)
        if not faults and not dry_run:
            _put(db, clock, changed, by, log.SET)
            with atomic(db):
                detail = {**effects, "left_out": len(left_out)}
                log.write(db, [log.entry(clock.now().utc_us, by, log.IMPORT, "", detail)])
    doubts += doubts_if_readable(place.state_dir, clock, cards)
    return CardsImported(effects, faults, left_out, doubts)


def set_card(place: CardPlace, clock: Clock, card: Card, *, by: str) -> bool:
    """Set the whole card of a home, also in the place of a damaged one; return False if it was the same already.

    Raises UsageError for two people with the same code, which no file of cards can have.
    """
    if len({person.code for person in card.people}) < len(card.people):
        raise UsageError(
            "two people have the same code", remedy="each person has a code of its own, as in the inventory"
        )
    keys = CardKeys.read(place.key_file)
    is_present(place)
    with exclusive(place.state_dir / LOCK), opened(place.state_dir, clock) as db:
        row = table.row_of(db, card.home)
        if row is not None and not table.unusable(db, row, keys) and keys.unseal(row) == card:
            return False
        with atomic(db):
            table.put(db, [keys.seal(card)], at_us=clock.now().utc_us, by=by)
    return True


def erase_card(state_dir: Path, clock: Clock, home: str, *, by: str) -> bool:
    """Remove the card of a home; return False if it has none.

    It needs no key. What the log has of the home stays: its code, who read the card, and when.
    """
    if not is_present(place_in(state_dir)):
        return False
    with exclusive(state_dir / LOCK), opened(state_dir, clock) as db, atomic(db):
        return table.erase(db, home, at_us=clock.now().utc_us, by=by)


def rekey(place: CardPlace, clock: Clock, *, by: str, finish: bool = False) -> Resealed:
    """Seal all cards with the current key, after making a new one; with ``finish`` drop the previous key.

    A rekey that was interrupted is continued with the key that it made. A credential is read-only: an engineer writes
    the new key and the previous one into it by hand, and this seals the cards. The first rekey makes the file of the
    cards, or fills an empty one that an earlier attempt left. A damaged card stays as it is, and the previous key stays
    with it. Raises UsageError if there is nothing to finish, StoreError if the file is missing or no card opens.
    """
    now_us = clock.now().utc_us
    is_first = not finish and not place.key_file.exists()
    is_kept_already = is_present(place._replace(is_configured=False))
    # A first rekey that failed, such as on a full disk, left an empty file. No card was ever sealed without a key.
    make = is_first or not is_kept_already
    with exclusive(place.state_dir / LOCK), opened(place.state_dir, clock, make=make) as db:
        # Open the cards before a new key is made: with the wrong file its key would become the previous one.
        rows, left_out = ([], []) if is_first else _usable(db, CardKeys.read(place.key_file))
        if not finish and _needs_new_key(place, table.key_ids(db)):
            make_key(place.key_file, by=by, now=to_datetime(now_us))
        keys = CardKeys.read(place.key_file)
        if finish and not keys.is_rotating:
            raise UsageError("the cards are not being rekeyed", remedy="begin with: vetlla cards rekey")
        done = [keys.seal_again(row) for row in rows if row.key_id != keys.current_id]
        _put(db, clock, done, by, log.REKEY)
        is_finished = finish and not left_out
        with atomic(db):
            detail = {"cards": len(done), "key": keys.current_id, "finish": is_finished, "left_out": len(left_out)}
            log.write(db, [log.entry(now_us, by, log.REKEY, "", detail)])
        cards = table.key_ids(db).get(keys.current_id, 0)
        if is_finished:
            drop_previous(place.key_file)
    return Resealed(cards, keys.current_id, keys.is_rotating and not is_finished, left_out)


def refuse_none_opened(opened_cards: int, left_out: list[CardDamage]) -> None:
    """Raise StoreError if there are cards and none of them opens: that is the wrong key rather than damage."""
    if left_out and not opened_cards:
        raise StoreError(
            f"none of {len(left_out)} cards opens; home {left_out[0].home}: {left_out[0].what}",
            remedy="restore the file with the key that sealed them; vetlla cards verify shows each card",
        )


def _usable(db: sqlite3.Connection, keys: CardKeys) -> tuple[list[SealedCard], list[CardDamage]]:
    """Return the cards that open, and those that are damaged. Raises StoreError if none opens.

    A card that was put back by hand is not sealed again, because the new record would make it the last one written.
    """
    rows, left_out = [], []
    for row, why in table.opened_rows(db, keys):
        if why:
            left_out.append(CardDamage(row.home, why))
        else:
            rows.append(row)
    refuse_none_opened(len(rows), left_out)
    return rows, left_out


def _needs_new_key(place: CardPlace, sealed_with: Mapping[str, int]) -> bool:
    """Return False if a rekey was interrupted, or an engineer wrote a new key into the file by hand.

    Raises ConfigError if the key was lost, UsageError if all cards have the new key already.
    """
    if not place.key_file.exists():
        if sealed_with:
            raise ConfigError(
                f"{place.key_file}: is missing, and {sum(sealed_with.values())} cards are sealed with its key",
                remedy="restore the file from its copy; a new key opens none of them",
            )
        return True
    keys = CardKeys.read(place.key_file)
    if keys.is_rotating and not sealed_with.keys() - {keys.current_id}:
        raise UsageError(
            f"all cards have the new key since {keys.since:%Y-%m-%d}, and the file still has the previous one",
            remedy="when no backup needs it any longer: vetlla cards rekey --finish",
        )
    return not keys.is_rotating


def _put(db: sqlite3.Connection, clock: Clock, cards: list[SealedCard], by: str, action: str) -> None:
    """Write many cards in short transactions with pauses, because an operator may be waiting for a card."""
    for start in range(0, len(cards), CARDS_AT_ONCE):
        if start:
            time.sleep(PAUSE_S)
        with atomic(db):
            table.put(db, cards[start : start + CARDS_AT_ONCE], at_us=clock.now().utc_us, by=by, action=action)
