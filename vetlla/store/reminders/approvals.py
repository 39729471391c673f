"""Who approved which version of a text, for which office, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime


class Approval(NamedTuple):
    """A person's approval of a text."""

    text: str
    """Name of the text."""
    version: str
    """Digest of the words that were approved: other words need another approval."""
    language: str
    channel: str
    office: str
    """For whose citizens, or "" for all."""
    by: str
    at: datetime


def approve(db: sqlite3.Connection, approval: Approval) -> None:
    """Keep an approval; it is never changed or removed."""
    db.execute(
        "INSERT INTO approvals (text, version, language, channel, office, by, at_us) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (*approval[:6], stored(approval.at)),
    )


def approvals(db: sqlite3.Connection, text: str = "") -> list[Approval]:
    """Return the approvals of a text, or of all, in the order in which they were given."""
    rows = db.execute("SELECT * FROM approvals WHERE text = ? OR ? = '' ORDER BY id", (text, text))
    return [
        Approval(
            row["text"],
            row["version"],
            row["language"],
            row["channel"],
            row["office"],
            row["by"],
            read(row["at_us"]),
        )
        for row in rows
    ]
