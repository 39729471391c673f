"""Compares cards with the inventory: a card of an unknown home, or with a person of another home, is a mistake.

A service may keep cards without homes or people in its inventory; then there is nothing to compare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import to_datetime
from vetlla.domain.errors import AccessError, ConfigError, StoreError
from vetlla.store.homes import queries as registered
from vetlla.store.registry.transaction import snapshot

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from vetlla.domain.cards import Card
    from vetlla.domain.clock import Clock

ONE_BY_ONE: Final = 100
"""Most cards whose homes and people are looked up one by one; for more, the whole inventory is read once."""


class CardDoubt(NamedTuple):
    """A home whose card contradicts the inventory, and how."""

    home: str
    what: str


def doubts(state_dir: Path, clock: Clock, cards: Sequence[Card], *, one_by_one: int = ONE_BY_ONE) -> list[CardDoubt]:
    """Return what the inventory contradicts in some cards, by home.

    An unknown code of a person is not named, because it may be a name that stands in the wrong column. Raises
    StoreError, AccessError or ConfigError if the registry cannot be read.
    """
    if not cards:
        return []
    today = to_datetime(clock.now().utc_us).date()
    with snapshot(state_dir, clock) as registry:
        homes, living = _known(registry, cards, today, one_by_one)
    if homes is None:
        return []
    return [CardDoubt(card.home, what) for card in cards for what in _of_card(card, homes, living)]


def doubts_if_readable(state_dir: Path, clock: Clock, cards: Sequence[Card]) -> list[CardDoubt]:
    """Return what the inventory contradicts; nothing if it cannot be read, because the cards come first."""
    try:
        return doubts(state_dir, clock, cards)
    except (StoreError, AccessError, ConfigError, OSError):
        return []


def _known(
    registry: sqlite3.Connection, cards: Sequence[Card], today: date, one_by_one: int
) -> tuple[frozenset[str] | None, Mapping[str, str] | None]:
    """Return the registered homes among those of the cards, and the home of each person; None if there are none."""
    if next(iter(registered.home_codes(registry)), None) is None:
        return None, None
    has_people = next(iter(registered.person_codes(registry)), None) is not None
    living: dict[str, str] = {}
    if len(cards) > one_by_one:
        homes = frozenset(registered.home_codes(registry))
        living = {one.code: one.home for one in registered.people(registry, day=today)}
    else:
        homes = frozenset(registered.homes(registry, [card.home for card in cards]))
        for code in _codes(cards):
            if registered.is_person(registry, code):
                living[code] = registered.person(registry, code, day=today).home
    return homes, living if has_people else None


def _codes(cards: Iterable[Card]) -> set[str]:
    return {person.code for card in cards for person in card.people}


def _of_card(card: Card, homes: frozenset[str], living: Mapping[str, str] | None) -> Iterable[str]:
    if card.home not in homes:
        yield "is not in the inventory"
    unknown = 0
    for person in card.people if living is not None else ():
        home = (living or {}).get(person.code)
        unknown += home is None
        if home is not None and home != card.home:
            yield f"its card has person {person.code}, who lives in home {home}"
    if unknown:
        yield f"its card has {unknown} people who are not in the inventory"
