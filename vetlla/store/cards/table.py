"""The rows of ``cards.db``: sealed cards by home. Each change is recorded in the log with the digest of the new row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import VetllaError
from vetlla.store.cards import log
from vetlla.store.cards.sealing import SealedCard

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from vetlla.store.cards.sealing import CardKeys

DAMAGE_SHOWN: Final = 100
"""Most faults of the file's structure that are shown."""
NOT_LAST: Final = "the card is not the one that was last written"
# SQLite keeps any type in any column; a text that was put there by hand is read as its bytes.
_EVERY = "SELECT home, key_id, CAST(nonce AS BLOB), CAST(sealed AS BLOB) FROM cards"
_PUT = "INSERT OR REPLACE INTO cards (home, key_id, nonce, sealed) VALUES (?, ?, ?, ?)"


class CardDamage(NamedTuple):
    """A row that is not as this program wrote it."""

    home: str
    """Empty if the log or the whole file is damaged."""
    what: str


def row_of(db: sqlite3.Connection, home: str) -> SealedCard | None:
    """Return the sealed card of a home; None if it has none."""
    row = db.execute(f"{_EVERY} WHERE home = ?", (home,)).fetchone()
    return SealedCard(*row) if row else None


def every_row(db: sqlite3.Connection) -> Iterator[SealedCard]:
    """Yield all sealed cards, by home."""
    return (SealedCard(*row) for row in db.execute(f"{_EVERY} ORDER BY home"))


def count(db: sqlite3.Connection) -> int:
    """Return how many homes have a card."""
    (number,) = db.execute("SELECT count(*) FROM cards").fetchone()
    return int(number)


def key_ids(db: sqlite3.Connection) -> dict[str, int]:
    """Return the fingerprints of the keys that sealed the cards, each with the number of its cards."""
    return dict(db.execute("SELECT key_id, count(*) FROM cards GROUP BY key_id").fetchall())


def put(db: sqlite3.Connection, rows: Iterable[SealedCard], *, at_us: int, by: str, action: str = log.SET) -> None:
    """Write cards and a record of each. The caller's transaction must have begun."""
    rows = list(rows)
    db.executemany(_PUT, rows)
    log.write(db, (log.entry(at_us, by, action, row.home, {"digest": row.digest}) for row in rows))


def erase(db: sqlite3.Connection, home: str, *, at_us: int, by: str) -> bool:
    """Remove the card of a home; return False if it has none. SQLite overwrites the row (``secure_delete``)."""
    if db.execute("DELETE FROM cards WHERE home = ?", (home,)).rowcount == 0:
        return False
    log.write(db, [log.entry(at_us, by, log.ERASE, home, {})])
    return True


def damage(db: sqlite3.Connection, keys: CardKeys | None = None) -> Iterator[CardDamage]:
    """Yield what is not as this program wrote it; with the keys, also each card that does not open."""
    for (found,) in db.execute(f"PRAGMA integrity_check({DAMAGE_SHOWN})"):
        if found != "ok":
            yield CardDamage("", found)
    for flaw in log.flaws(db):
        yield CardDamage("", f"log record {flaw.audit_id}: {flaw.what}")
    yield from misplaced(db)
    if keys is not None:
        yield from (CardDamage(row.home, why) for row, why in opened_rows(db, keys) if why and why != NOT_LAST)


def misplaced(db: sqlite3.Connection) -> Iterator[CardDamage]:
    """Yield each card that was changed, moved to another home, put back or removed; the log says so without the key."""
    expected = log.expected_digests(db)
    for row in every_row(db):
        if row.digest != expected.pop(row.home, ""):
            yield CardDamage(row.home, NOT_LAST)
    yield from (
        CardDamage(home, "the card was removed without a record") for home, wanted in expected.items() if wanted
    )


def opened_rows(db: sqlite3.Connection, keys: CardKeys) -> Iterator[tuple[SealedCard, str]]:
    """Yield each sealed card, by home, and why it is not to be used: "" for the card that was last written.

    An older card that was put back opens, because it was a true card once; without the log it would pass as the last.
    """
    expected = log.expected_digests(db)
    for row in every_row(db):
        yield row, NOT_LAST if row.digest != expected.get(row.home, "") else _unopened(row, keys)


def unusable(db: sqlite3.Connection, row: SealedCard, keys: CardKeys) -> str:
    """Return why one card is not to be used, as ``opened_rows`` does; "" for the card that was last written."""
    return NOT_LAST if row.digest != log.expected_digest(db, row.home) else _unopened(row, keys)


def _unopened(row: SealedCard, keys: CardKeys) -> str:
    try:
        keys.unseal(row)
    except VetllaError as error:
        return str(error.args[0])
    return ""
