"""How tests of closed months close one, verify it, and change its record by hand."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

EVENTS = """kind,subject,event,at,ref
fault,H1,detected,2025-10-06T09:00:00+02:00,F-1
fault,H1,solved,2025-10-06T15:00:00+02:00,F-1
fault,H2,detected,2025-10-07T09:00:00+02:00,F-2
fault,H2,solved,2025-10-30T15:00:00+01:00,F-2
fault,H3,detected,2025-10-08T09:00:00+02:00,F-3
"""


def record(vetlla: Vetlla, folder: Path, events: str) -> None:
    """Import events of duties."""
    file = folder / "events.csv"
    file.write_text(events, encoding="utf-8")
    done = vetlla("duties", "import", file)
    assert done.status == 0, done.error


def close(vetlla: Vetlla, *words: object, month: str = "2025-10") -> dict[str, Any]:
    """Close a month."""
    done = vetlla("month", "close", month, *words, "--json")
    assert done.status == 0, done.error
    return done.json[0]


def verified(vetlla: Vetlla, *words: object, month: str = "2025-10") -> tuple[int, list[tuple[str, str]]]:
    """Return the exit status of a verification, and kind and subject of what it found."""
    done = vetlla("month", "verify", month, *words, "--json")
    return done.status, [(one["kind"], one["subject"]) for one in done.json]


def tamper(state_dir: Path, sql: str) -> None:
    """Change the registry as a person with SQLite would, who drops the triggers first."""
    connection = sqlite3.connect(state_dir / "registry.db")
    kept = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in kept:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(sql)
    for _, made in kept:
        connection.execute(made)
    connection.commit()
    connection.close()


def tamper_journal(state_dir: Path, sql: str) -> None:
    """Change the journal in the same way."""
    connection = sqlite3.connect(state_dir / "journal.db")
    for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(sql)
    connection.commit()
    connection.close()
