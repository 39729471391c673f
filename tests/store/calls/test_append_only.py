"""What was said of a call is append-only in the database, and an erasure takes only what is personal."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.rigs.registered_people import put
from vetlla.domain.calls import ERASED, CallRecord, Direction, Origin, Tie, TieMethod
from vetlla.domain.clock import ManualClock
from vetlla.domain.homes import Home
from vetlla.service.calls.joining import joined
from vetlla.store.calls import erasure, queries
from vetlla.store.calls.write import CallBook, add_tie
from vetlla.store.registry.transaction import snapshot, transaction

if TYPE_CHECKING:
    from pathlib import Path

CLOCK = ManualClock()
SAID = CallRecord(
    direction=Direction.IN, started=5, caller="+34900000001", called="+34900000100", recording="a.wav", digest=b"1" * 32
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a registry with three calls: two of H1, of which one was tied to H2 since, and one of no home."""
    with transaction(tmp_path, CLOCK) as connection:
        book = CallBook(connection, "")
        book.begin(Origin.ROWS, at_us=1, by="ana", file="calls.csv")
        for external in ("a", "b", "c"):
            book.add_record(book.add_call(external), SAID)
        for number, home in ((1, "H1"), (2, "H1"), (2, "H2")):
            add_tie(connection, number, Tie(TieMethod.BY_HAND, home, reason="her words", by="ana"), 2)
    return tmp_path


@pytest.mark.parametrize("table", ["calls", "call_records", "call_ties", "call_imports"])
@pytest.mark.parametrize("act", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_the_database_refuses_changes(state: Path, table: str, act: str) -> None:
    """A trigger refuses every update and removal."""
    with transaction(state, CLOCK) as connection, pytest.raises(sqlite3.IntegrityError, match="is never"):
        connection.execute(act.format(table))


def test_a_later_record_supersedes_and_the_earlier_stays(state: Path) -> None:
    """The call is as the newest record says, and the history has both."""
    with transaction(state, CLOCK) as connection:
        book = CallBook(connection, "")
        book.begin(Origin.ROWS, at_us=3, by="joan", file="new.csv")
        book.add_record(1, SAID._replace(agent="maria"))
    with snapshot(state, CLOCK) as connection:
        assert queries.call(connection, "a", joined).record.agent == "maria"
        found = queries.history(connection, 1)
    assert [(one.by, one.what) for one in found] == [("ana", "rows"), ("ana", "tie"), ("joan", "rows")]


def test_an_erasure_takes_numbers_and_keeps_counts(state: Path) -> None:
    """Only the calls that are the home's now lose numbers and recording; all are still there and cannot be changed."""
    with transaction(state, CLOCK) as connection:
        assert erasure.count(connection, "H1", ()) == {"calls": 1, "recordings": 1}
        erasure.erase(connection, "H1", ())
        assert erasure.count(connection, "H1", ()) == {"calls": 0, "recordings": 0}
    with snapshot(state, CLOCK) as connection:
        first, second, third = queries.calls(connection, joined)
        reasons = connection.execute("SELECT reason FROM call_ties ORDER BY id").fetchall()
    assert first.record == SAID._replace(caller=ERASED, called=ERASED, recording=ERASED)
    assert (second.record, third.record) == (SAID, SAID)
    assert (first.tie.home, first.is_recorded) == ("H1", True)
    assert reasons == [(ERASED,), ("",), ("her words",)]
    assert b"+34900000001" in (state / "registry.db").read_bytes()  # of the other two calls
    with transaction(state, CLOCK) as connection, pytest.raises(sqlite3.IntegrityError, match="is never"):
        connection.execute("UPDATE call_records SET caller = 'x'")


def test_a_number_of_the_home_goes_from_all_calls(state: Path) -> None:
    """Of a call of another home only the number goes, and it stays if it is also a number of that home."""
    numbers = {"+34900000001"}
    with transaction(state, CLOCK) as connection:
        assert erasure.count(connection, "H1", numbers) == {"calls": 3, "recordings": 2}
        erasure.erase(connection, "H1", numbers)
        assert erasure.count(connection, "H1", numbers) == {"calls": 0, "recordings": 0}
    with snapshot(state, CLOCK) as connection:
        first, second, third = (call.record for call in queries.calls(connection, joined))
    assert first == third == SAID._replace(caller=ERASED, called=ERASED, recording=ERASED)
    assert second == SAID._replace(caller=ERASED)
    with transaction(state, CLOCK) as connection:
        book = CallBook(connection, "")
        book.begin(Origin.ROWS, at_us=1, by="ana", file="calls.csv")
        book.add_record(book.add_call("d"), SAID)
        add_tie(connection, 4, Tie(TieMethod.PHONE, "H7"), 3)
        assert erasure.count(connection, "H1", numbers) == {"calls": 1, "recordings": 0}
        put(connection, Home(code="H7", district="01", base="N", level=1, alone=False, phones=("900000001",)))
        assert erasure.count(connection, "H1", numbers) == {"calls": 0, "recordings": 0}


def test_erased_numbers_are_overwritten_in_the_file(state: Path) -> None:
    """No free page keeps them."""
    with transaction(state, CLOCK) as connection:
        add_tie(connection, 2, Tie(TieMethod.BY_HAND, "H1"), 3)
        add_tie(connection, 3, Tie(TieMethod.BY_HAND, "H1"), 3)
        erasure.erase(connection, "H1", ())
    content = (state / "registry.db").read_bytes()
    assert b"900000001" not in content
    assert b"a.wav" not in content
