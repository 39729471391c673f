"""Each migration is applied and recorded as a whole or not at all, and never to a newer database."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.clock import ManualClock
from vetlla.domain.errors import StoreError
from vetlla.store.sqlite.migrate import Migration, apply, migrate, migrations, refuse_newer, version

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOCK = ManualClock()
FIRST = Migration(1, "0001_first", "CREATE TABLE a (x);\nINSERT INTO a VALUES (1);\n")
SECOND = Migration(
    2,
    "0002_second",
    """-- A comment; with a semicolon.
ALTER TABLE a ADD COLUMN y TEXT NOT NULL DEFAULT 'a;b';
CREATE TRIGGER a_stays BEFORE DELETE ON a BEGIN
    SELECT RAISE(ABORT, 'no; never');
END;
UPDATE a SET y = x
-- the last statement needs no semicolon, and no end of line""",
)


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def schema(database: sqlite3.Connection) -> list[tuple[str, ...]]:
    return database.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name").fetchall()


@pytest.mark.parametrize("name", ["journal", "registry"])
def test_an_empty_database_is_brought_to_this_programs_schema(database: sqlite3.Connection, name: str) -> None:
    """Every step is applied once and in order. A second call has nothing to do."""
    steps = migrations(name)

    assert migrate(database, name, "memory", CLOCK) == steps
    assert version(database) == steps[-1].number
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    recorded = database.execute("SELECT number, name, at_us FROM migrations").fetchall()
    assert recorded == [(step.number, step.name, CLOCK.now().utc_us) for step in steps]
    before = schema(database)
    assert migrate(database, name, "memory", CLOCK) == []
    assert schema(database) == before


def test_rows_survive_a_step(database: sqlite3.Connection) -> None:
    """A step works on the rows of the step before. Triggers and texts with semicolons are one statement each."""
    apply(database, [FIRST], CLOCK)
    apply(database, [SECOND], CLOCK)

    assert database.execute("SELECT x, y FROM a").fetchall() == [(1, "1")]
    assert version(database) == 2
    with pytest.raises(sqlite3.IntegrityError, match="no; never"):
        database.execute("DELETE FROM a")


@pytest.mark.parametrize(
    "last",
    ["INSERT INTO nowhere VALUES (1);", "INSERT INTO b VALUES (1), (1);", "CREATE TABLE a (x);", "this is no SQL;"],
)
def test_a_step_that_fails_leaves_no_trace(database: sqlite3.Connection, last: str) -> None:
    """Its tables, changed rows, record and number are all rolled back; the steps before it stay."""
    bad = Migration(
        2, "0002_bad", f"CREATE TABLE b (x UNIQUE);\nUPDATE a SET x = 2;\nDROP TABLE a;\n{FIRST.sql}{last}\n"
    )
    apply(database, [FIRST], CLOCK)
    before = schema(database)

    with pytest.raises(sqlite3.Error):
        apply(database, [bad, Migration(3, "0003_never", "CREATE TABLE c (x);")], CLOCK)

    assert schema(database) == before
    assert version(database) == 1
    assert database.execute("SELECT x FROM a").fetchall() == [(1,)]
    assert database.execute("SELECT number FROM migrations").fetchall() == [(1,)]
    assert not database.in_transaction


def test_a_step_that_fills_the_disk_leaves_no_trace(database: sqlite3.Connection) -> None:
    """SQLite may have rolled back by itself already; the error still says that the disk is full."""
    apply(database, [FIRST], CLOCK)
    (pages,) = database.execute("PRAGMA page_count").fetchone()
    database.execute(f"PRAGMA max_page_count = {pages + 2}")
    large = Migration(2, "0002_large", "CREATE TABLE b (x);\nINSERT INTO b VALUES (zeroblob(1000000));\n")

    with pytest.raises(sqlite3.OperationalError, match="full"):
        apply(database, [large], CLOCK)

    assert version(database) == 1
    assert not database.in_transaction


def test_a_newer_database_is_refused(database: sqlite3.Connection) -> None:
    """No step is applied to it, and the error names both versions and a remedy."""
    database.execute("PRAGMA user_version = 9999")

    with pytest.raises(StoreError, match=r"/srv/journal.db: schema 9999 is newer than this program's") as caught:
        migrate(database, "journal", "/srv/journal.db", CLOCK)

    assert "restore the backup taken before the upgrade" in caught.value.remedy
    assert schema(database) == []
    database.execute("PRAGMA user_version = 0")
    refuse_newer(database, "journal", "/srv/journal.db")
