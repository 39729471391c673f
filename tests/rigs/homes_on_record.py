"""A registry with a few homes, for tests of what the service owes them; a book writes down duties at chosen times."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from vetlla.cli.main import command_line
from vetlla.domain.clock import SystemClock, to_us
from vetlla.domain.duties import NewEvent
from vetlla.service.duties.columns import details_text
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.duties.book import Recording
from vetlla.tasks.duties.rules import load_rules

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

RULES = load_rules()
HEADING = "code,district,base,level,alone,active,suspended\n"
HOMES = """\
H1,01,NORD,2,yes,2018-01-01/,
H2,02,NORD,3,no,2018-01-01/,
H3,02,SUD,1,no,2018-01-01/2025-06-30,
"""


def us(text: str) -> int:
    """Return the microseconds of a time in UTC, such as 2025-03-01T10:00."""
    return to_us(datetime.fromisoformat(text).replace(tzinfo=UTC))


def recorded(text: str) -> Recording:
    """Return that something is written down at a time."""
    return Recording(us(text), "a test")


def told(kind: str, subject: str, event: str, at: str, *, ref: str = "", by: str = "T1", **details: str) -> NewEvent:
    """Return an event."""
    return NewEvent(kind, subject, event, us(at), ref=ref, by=by, details=details_text(details))


def register_homes(folder: Path, rows: str = HOMES) -> Path:
    """Make a state directory with these homes; return it."""
    state, file = folder / "state", folder / "homes.csv"
    state.mkdir(exist_ok=True)
    file.write_text(HEADING + rows, encoding="utf-8")
    words = ["inventory", "import", str(file), "--what", "homes", "--state-dir", str(state)]
    done = CliRunner().invoke(command_line(["inventory"]), words)
    assert done.exit_code == 0, done.exception
    return state


@contextmanager
def book(state: Path) -> Iterator[sqlite3.Connection]:
    """Yield the registry for one change."""
    with transaction(state, SystemClock()) as connection:
        yield connection


@contextmanager
def scrap(state: Path) -> Iterator[sqlite3.Connection]:
    """Yield a copy of the registry that is thrown away."""
    with transaction(state, SystemClock(), dry_run=True) as connection:
        yield connection
