"""Checks of the cards: whether other users are kept out, and whether the key opens what is kept. No card is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.checks.config import risk
from vetlla.domain import permissions
from vetlla.domain.errors import VetllaError
from vetlla.domain.findings import Finding, Level, of_error
from vetlla.store.cards import table
from vetlla.store.cards.opening import CARDS, OPENED_FOR_ALL, is_kept, reading
from vetlla.store.cards.sealing import CardKeys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.settings.model import Settings

CHECK = "cards"


def cards(settings: Settings) -> Finding:
    """Check the permissions of the cards, and that their key is there. Without cards there is nothing to check."""
    path = settings.state_dir / CARDS
    try:
        if not settings.state_dir.exists() or not is_kept(settings.state_dir):
            return Finding(check=CHECK, level=Level.OK, text="none")
        if path.stat().st_mode & OPENED_FOR_ALL:
            text = f"{path}: users other than its owner can open it, so cards can be read without a record"
            return _critical(text, f"chmod 600 {path}")
        if permissions.obstacle(path):
            raise permissions.refusal(path, "it may be read by its owner alone")
        with reading(settings.state_dir) as db:
            sealed_with = table.key_ids(db)
        keys = CardKeys.read(settings.cards_key_file)
    except (PermissionError, VetllaError) as error:
        return of_error(CHECK, error)
    count = sum(sealed_with.values())
    if unknown := sum(number for key, number in sealed_with.items() if key not in keys.ids):
        text = f"{settings.cards_key_file}: does not open {unknown} of {count} cards"
        return _critical(text, "restore the file with the key that sealed them, as key or as previous")
    return Finding(check=CHECK, level=Level.OK, text=f"{count} cards")


def of_cards(settings: Settings) -> Iterator[Finding]:
    """Yield the risk that the cards cannot be shown at an alarm, or can be read without a record."""
    found = cards(settings)
    if found.level is Level.CRITICAL:
        yield risk(CHECK, found.text, found.remedy)


def _critical(text: str, remedy: str) -> Finding:
    return Finding(check=CHECK, level=Level.CRITICAL, text=text, remedy=remedy)
