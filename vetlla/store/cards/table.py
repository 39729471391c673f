"""The rows of ``cards.db``: sealed cards by home. Each change is recorded in the log with the digest of the new row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import VetllaError
from vetlla.store.cards import log
from vetlla.store.cards.sealing import SealedCard

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from vetlla.store.cards.sealing import CardKeys

DAMAGE_SHOWN = 100
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
    expected = log.expected_digests(db)
    for row in every_row(db):
        wanted = expected.pop(row.home, "")
        if row.digest != wanted:
            yield CardDamage(row.home, "the card is not the one that was last written")
        elif keys is not None and (why := _unopened(row, keys)):
            yield CardDamage(row.home, why)
    yield from (
        CardDamage(home, "the card was removed without a record") for home, wanted in expected.items() if wanted
    )


def _unopened(row: SealedCard, keys: CardKeys) -> str:
    try:
        keys.unseal(row)
    except VetllaError as error:
        return str(error.args[0])
    return ""
