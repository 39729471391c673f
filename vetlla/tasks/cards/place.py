"""Where the cards are, and whether their file is there. A file that was lost is told apart from one that never was."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import StoreError
from vetlla.settings.model import default_cards_key_file
from vetlla.store.cards.opening import CARDS, LOCK, is_kept

if TYPE_CHECKING:
    from pathlib import Path


class CardPlace(NamedTuple):
    """Where the cards are, and the file with their key."""

    state_dir: Path
    key_file: Path
    is_configured: bool = False
    """Whether the configuration names the key, which a service without cards does not need."""


def place_in(state_dir: Path) -> CardPlace:
    """Return the place for a task that needs no key, with the key where it is by default."""
    return CardPlace(state_dir, default_cards_key_file(state_dir))


def is_present(place: CardPlace) -> bool:
    """Return True if the service keeps cards, False if it never did.

    Raises StoreError if the file is gone: a key, a lock file or the configuration says that there were cards. Raises
    AccessError if this user may not look.
    """
    if is_kept(place.state_dir):
        return True
    if trace := _trace(place):
        raise StoreError(
            f"{place.state_dir / CARDS}: the card file is missing, but {trace}",
            remedy="restore the last backup: vetlla db restore; if there is none, move the key and "
            f"{place.state_dir / LOCK} away, and begin with: vetlla cards rekey",
        )
    return False


def _trace(place: CardPlace) -> str:
    """Return what shows that this service kept cards; "" if nothing does."""
    if (place.state_dir / LOCK).exists():
        return f"{place.state_dir / LOCK} says that this service kept cards"
    try:
        if place.key_file.exists():
            return f"{place.key_file} has their key"
    except PermissionError:  # the directory of a key that the configuration names is closed to operators
        return f"their key should be in {place.key_file}"
    return f"the configuration says that their key is in {place.key_file}" if place.is_configured else ""
