"""The audit chain accepts an unchanged journal, and shows every row that is changed, removed or added by hand."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tracemalloc
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.journal import flaws
from tests.rigs.journals import journal, report, write_a_story
from vetlla.domain.errors import UsageError
from vetlla.store.journal import audit
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.audit import GENESIS, Head, chain, holds, verify
from vetlla.store.journal.audit_comparison import PAGE
from vetlla.store.journal.batch import Entry
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.journal.rows import SIGNAL_COLUMNS, digest

if TYPE_CHECKING:
    from pathlib import Path

TRIGGERS = ("audit_is_append_only_update", "audit_is_append_only_delete", "signals_stay_update")
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a journal with rows in every table."""
    directory = tmp_path_factory.mktemp("story")
    write_a_story(directory)
    return directory


@pytest.fixture
def copy(story: Path, tmp_path: Path) -> Path:
    """Copy the journal for tampering."""
    directory = tmp_path / "state"
    shutil.copytree(story, directory)
    return directory


def tamper(directory: Path, *statements: str) -> None:
    """Change the journal as a person with sqlite3 could: drop the triggers first, and put them back."""
    with closing(sqlite3.connect(directory / JOURNAL, isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            changed = connection.execute(statement).rowcount
            assert changed != 0, "the statement changed no row"
        for _, sql in triggers:
            connection.execute(sql)
    assert {name for name, _ in triggers} >= set(TRIGGERS)


def test_an_honest_journal_passes(story: Path) -> None:
    """A journal that the receiver wrote, with alarms, notes, duplicates and rejects, has no flaw."""
    assert flaws(story) == []


def test_an_empty_journal_passes(tmp_path: Path) -> None:
    """A journal without records has no flaw."""
    with journal(tmp_path):
        assert flaws(tmp_path) == []


def other(column: str, directory: Path) -> str:
    """Return SQL for a value that differs from the column's value in signal 30."""
    with closing(sqlite3.connect(directory / JOURNAL)) as connection:
        (value,) = connection.execute(f"SELECT {column} FROM signals WHERE id = 30").fetchone()
    match value:
        case int():
            return str(value + 1)
        case bytes():
            return f"x'{(value + b'!').hex()}'"
        case _:
            return "'other'"


@pytest.mark.parametrize("column", [column for column in SIGNAL_COLUMNS if column != "id"])
def test_no_column_of_a_signal_can_be_changed(copy: Path, column: str) -> None:
    """The digest covers every column: content, account, times and the intake's decisions."""
    tamper(copy, f"UPDATE signals SET {column} = {other(column, copy)} WHERE id = 30")

    (flaw,) = flaws(copy)

    assert flaw.what == "signals 30 to 30 are not those that were committed"


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("UPDATE signals SET more = 'None' WHERE id = 30", "signals 30 to 30 are not those"),
        ("DELETE FROM signals WHERE id = 30", "signals 30 to 30 are not those"),
        ("DELETE FROM signals WHERE id = 60", "signals 60 to 60 are not those"),
        ("UPDATE signals SET id = 61 WHERE id = 30", "signals 30 to 30 are not those"),
        ("UPDATE audit SET detail = replace(detail, 'signal', 'Signal') WHERE id = 2", "its hash does not follow"),
        ("UPDATE audit SET actor = 'pere' WHERE id = 3", "its hash does not follow"),
        ("UPDATE audit SET at_us = at_us + 1 WHERE id = 3", "its hash does not follow"),
        ("UPDATE audit SET hash = zeroblob(32) WHERE id = 20", "its hash does not follow"),
        ("DELETE FROM audit WHERE id = 20", "records 20 to 20 are missing"),
        ("DELETE FROM audit WHERE id BETWEEN 20 AND 25", "records 20 to 25 are missing"),
        ("DELETE FROM audit WHERE id = 1", "records 1 to 1 are missing"),
        ("DELETE FROM audit WHERE id > 50", "the chain ends here, but 64 records were written"),
        ("UPDATE audit SET detail = 'no JSON' WHERE id = 20", "it does not say which signals were committed"),
        ("UPDATE audit SET detail = '[1]' WHERE id = 20", "it does not say which signals were committed"),
        ("UPDATE audit SET subject = 'alarm one' WHERE id = 3", "it does not say which alarm it is about"),
        ("UPDATE audit SET subject = 'alarm 2' WHERE id = 3", "alarm 2 is missing"),
        ("UPDATE alarms SET opened_us = opened_us + 1", "alarm 1: opened_us is not when it happened"),
        ("UPDATE alarms SET answered_us = answered_us - 1", "alarm 1: answered_us is not when it happened"),
        ("UPDATE alarms SET closed_us = NULL", "alarm 1: closed_us is not when it happened"),
        ("UPDATE alarms SET outcome = 'help_sent'", "alarm 1: outcome is not what it was when it was closed"),
        ("UPDATE alarms SET t2_us = t2_us - 1", "alarm 1: t2_us is not what it was when it was closed"),
        ("UPDATE alarms SET t3_us = NULL", "alarm 1: t3_us is not what it was when it was closed"),
        ("DELETE FROM alarms", "alarm 1 is missing"),
    ],
)
def test_a_change_by_hand_is_found(copy: Path, sql: str, what: str) -> None:
    """A signal, a record or an alarm's stamp that is changed, removed or moved is reported by its number."""
    tamper(copy, sql)

    assert any(flaw.what.startswith(what) for flaw in flaws(copy)), flaws(copy)


def test_records_in_another_order_show(copy: Path) -> None:
    """Two neighbours are exchanged, each unchanged in itself."""
    tamper(
        copy,
        "UPDATE audit SET id = -1 WHERE id = 20",
        "UPDATE audit SET id = 20 WHERE id = 21",
        "UPDATE audit SET id = 21 WHERE id = -1",
    )

    assert {flaw.audit_id for flaw in flaws(copy)} >= {20, 21, 22}


def test_an_invented_signal_shows(copy: Path) -> None:
    """A row is added at the end that no record covers."""
    columns = ", ".join(SIGNAL_COLUMNS[1:])
    tamper(copy, f"INSERT INTO signals SELECT 61, {columns} FROM signals WHERE id = 60")

    assert [flaw.what for flaw in flaws(copy)] == ["signals 61 to 61 are covered by no record"]


def test_absurd_numbers_are_flaws_and_not_crashes(copy: Path) -> None:
    """A record may contain any number. The check reads a bounded number of rows, and SQLite can hold its numbers."""
    tamper(
        copy,
        f'UPDATE audit SET detail = \'{{"first":-1,"last":{10**30},"digest":""}}\' WHERE id = 20',
        f"UPDATE audit SET subject = 'alarm {10**30}' WHERE id = 3",
    )

    assert {3, 20} <= {flaw.audit_id for flaw in flaws(copy)}


def test_a_cut_end_is_found_with_a_kept_head(copy: Path) -> None:
    """A chain whose end is cut off, with its signals and the counter, has no flaw; but the old head is missing."""
    with Archive(copy) as archive:
        before = audit.read_head(archive._connection)
        assert holds(archive.read, before)
    tamper(
        copy,
        "DELETE FROM audit WHERE id > 50",
        "UPDATE sqlite_sequence SET seq = 50 WHERE name = 'audit'",
        "DELETE FROM signals WHERE id > (SELECT json_extract(detail, '$.last') FROM audit WHERE id = 50)",
    )

    assert flaws(copy) == []
    with Archive(copy) as archive:
        assert not holds(archive.read, before)
        assert not holds(archive.read, Head(50, before.hash))
        assert holds(archive.read, Head.parse(str(audit.read_head(archive._connection))))


@pytest.mark.parametrize("text", ["", "12", "12:", ":00", "x:" + "00" * 32, "12:" + "00" * 31, "0:" + "00" * 32])
def test_a_text_that_is_not_a_head_is_refused(text: str) -> None:
    """``--expect`` accepts only the head that ``audit verify`` printed."""
    with pytest.raises(UsageError, match="no head of an audit chain"):
        Head.parse(text)


def test_rows_written_meanwhile_are_no_flaw(tmp_path: Path) -> None:
    """The receiver goes on while the chain is checked. Rows that come after the beginning are not checked."""
    with journal(tmp_path) as scribe:
        scribe.commit(report(1))
        with Archive(tmp_path) as archive:
            found = verify(archive.read, lambda _, __: scribe.commit(report(2)))
            assert list(found) == []
        assert scribe.next_signal > 2


def test_progress_is_reported_page_by_page(tmp_path: Path) -> None:
    """The callback gets the records checked so far and in total, for a progress bar on a terminal."""
    told: list[tuple[int, int]] = []
    with journal(tmp_path) as scribe:
        batch = scribe.batch()
        batch.audit = [Entry(number, "maria", "escalate", "alarm 1", {}) for number in range(2 * PAGE + 1)]
        scribe.write(batch)
        with Archive(tmp_path) as archive:
            assert list(verify(archive.read, lambda done, of: told.append((done, of)))) == []

    assert told == [(PAGE, 2 * PAGE + 1), (2 * PAGE, 2 * PAGE + 1), (2 * PAGE + 1, 2 * PAGE + 1)]


def test_the_memory_of_a_check_does_not_grow_with_the_journal(tmp_path: Path) -> None:
    """Of eight thousand signals, most of them in one commit, never more than a page is in memory."""
    with journal(tmp_path) as scribe:
        for size in (6_000, *[1_000] * 2):
            scribe.commit(*(report(number, raw=bytes(200)) for number in range(size)))
        with Archive(tmp_path) as archive:
            tracemalloc.start()
            assert list(verify(archive.read)) == []
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()

    assert peak < 3_000_000, "eight thousand rows would need fifteen million bytes"


# --- what is hashed ---------------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(st.lists(TEXT | st.integers() | st.binary(max_size=3) | st.none(), min_size=2, max_size=4), st.data())
def test_different_rows_have_different_digests(row: list[str | int | bytes | None], data: st.DataObject) -> None:
    """No value can move across the border of its field, and 1, "1", b"1" and an absent value all differ."""
    place = data.draw(st.integers(0, len(row) - 2))
    changed = [*row]
    match row[place], row[place + 1]:
        case str(left), str(right) if left:
            changed[place : place + 2] = [left[:-1], left[-1] + right]
        case value, _:
            changed[place] = str(value)
    if changed != row:
        assert digest([tuple(row)]) != digest([tuple(changed)])
    assert digest([tuple(row)]) == digest([tuple(row)])


def test_the_hash_is_the_one_the_handbook_describes() -> None:
    """Any person can compute it again: SHA-256 over the hash before and the record as ``ascii()`` writes it."""
    (row,), head = chain(Head(6, GENESIS), [Entry(5, "maria", "close", "alarm 1", {"outcome": "café"})])

    written = """(7, 5, 'maria', 'close', 'alarm 1', '{"outcome":"caf\\xe9"}')"""
    assert row[-1] == head.hash == hashlib.sha256(bytes(32) + written.encode("ascii")).digest()
    assert head.id == 7
    assert digest([(1, "é", None, b"\xff")]) == hashlib.sha256(rb"(1, '\xe9', None, b'\xff')").hexdigest()
