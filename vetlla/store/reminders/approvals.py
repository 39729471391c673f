"""Who approved which words of a text, for which party, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.approvals import Approval
from vetlla.store.reminders.moments import read, stored

if TYPE_CHECKING:
    import sqlite3


def keep_approval(db: sqlite3.Connection, approval: Approval) -> None:
    """Keep an approval; it is never changed or removed."""
    db.execute(
        "INSERT INTO approvals (title, version, digest, party, person, at_us) VALUES (?, ?, ?, ?, ?, ?)",
        (approval.title, approval.version, approval.digest, approval.party, approval.person, stored(approval.at)),
    )


def approvals(db: sqlite3.Connection) -> list[Approval]:
    """Return all approvals, in the order in which they were given."""
    return [
        Approval(
            title=row["title"],
            version=row["version"],
            digest=row["digest"],
            party=row["party"],
            person=row["person"],
            at=read(row["at_us"]),
        )
        for row in db.execute("SELECT * FROM approvals ORDER BY id")
    ]
