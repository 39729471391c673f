"""Checks of the cards: their file is there, other users are kept out, the key opens them, and each is in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.checks.config import risk
from vetlla.domain import permissions
from vetlla.domain.clock import SystemClock
from vetlla.domain.errors import VetllaError
from vetlla.domain.findings import Finding, Level, of_error
from vetlla.store.cards import table
from vetlla.store.cards.opening import CARDS, OPENED_FOR_ALL, reading
from vetlla.store.cards.sealing import CardKeys
from vetlla.tasks.cards.place import CardPlace, is_present
from vetlla.tasks.cards.registered import doubts_if_readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.settings.model import Settings

CHECK = "cards"


def cards(settings: Settings, *, rows: bool = True) -> Finding:
    """Check the cards of a service that keeps some. With ``rows`` also that each card is the one last written.

    The rows are checked by their digests in the log. If all is well so far, the cards are compared with the inventory.
    ``vetlla cards verify`` also names each one, and checks the whole log.
    """
    path = settings.state_dir / CARDS
    place = CardPlace(settings.state_dir, settings.cards_key_file, "cards_key_file" in settings.model_fields_set)
    try:
        if not settings.state_dir.exists() or not is_present(place):
            return Finding(check=CHECK, level=Level.OK, text="none")
        if path.stat().st_mode & OPENED_FOR_ALL:
            text = f"{path}: users other than its owner can open it, so cards can be read without a record"
            return _critical(text, f"chmod 600 {path}")
        if permissions.obstacle(path):
            raise permissions.refusal(path, "it may be read by its owner alone")
        with reading(settings.state_dir) as db:
            sealed_with = table.key_ids(db)
            damage = list(table.misplaced(db)) if rows else []
        keys = CardKeys.read(settings.cards_key_file)
    except (PermissionError, VetllaError) as error:
        return of_error(CHECK, error)
    count = sum(sealed_with.values())
    if damage:
        more = f", and so on for {len(damage)} homes" if len(damage) > 1 else ""
        text = f"{path}: home {damage[0].home}: {damage[0].what}{more}"
        return _critical(text, "vetlla cards verify shows each; restore a backup, or set the cards again")
    if unknown := sum(number for key, number in sealed_with.items() if key not in keys.ids):
        text = f"{settings.cards_key_file}: does not open {unknown} of {count} cards"
        return _critical(text, "restore the file with the key that sealed them, as key or as previous")
    return _compared(settings, keys, count) if rows else Finding(check=CHECK, level=Level.OK, text=f"{count} cards")


def _compared(settings: Settings, keys: CardKeys, count: int) -> Finding:
    """Return a warning if the inventory contradicts one of the cards that open."""
    with reading(settings.state_dir) as db:
        opened = [keys.unseal(row) for row, why in table.opened_rows(db, keys) if not why]
    found = doubts_if_readable(settings.state_dir, SystemClock(), opened)
    if not found:
        return Finding(check=CHECK, level=Level.OK, text=f"{count} cards")
    more = f", and so on for {len(found)} cases" if len(found) > 1 else ""
    text = f"{count} cards; home {found[0].home}: {found[0].what}{more}"
    remedy = "import the right rows or correct the inventory; vetlla cards import FILE --dry-run --json names all cases"
    return Finding(check=CHECK, level=Level.WARNING, text=text, remedy=remedy)


def of_cards(settings: Settings) -> Iterator[Finding]:
    """Yield the risk that the cards cannot be shown at an alarm, or can be read without a record.

    It looks at no row: those are no part of the configuration, and ``vetlla doctor`` looks at them.
    """
    found = cards(settings, rows=False)
    if found.level is Level.CRITICAL:
        yield risk(CHECK, found.text, found.remedy)


def _critical(text: str, remedy: str) -> Finding:
    return Finding(check=CHECK, level=Level.CRITICAL, text=text, remedy=remedy)
