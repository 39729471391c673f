"""Events of duties in the registry: they are only appended, once each, and known from when they were recorded."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.rigs.duties import registry, told
from vetlla.domain.duties import standing_events, withdrawn_numbers
from vetlla.store.duties import events as store
from vetlla.store.duties import index
from vetlla.store.duties.index import LooseEvent, OpenDuty
from vetlla.store.registry.known import look_back

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPENED = told("detected", "2026-11-02 09:00", "A")
SOLVED = told("solved", "2026-11-02 11:00", "A")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with registry(tmp_path) as opened:
        yield opened


def test_an_event_is_recorded_once(connection: sqlite3.Connection) -> None:
    assert store.next_number(connection) == 1
    assert store.add(connection, OPENED, "first", 10) == 1
    assert store.add(connection, OPENED._replace(note="again"), "second", 20) is None
    assert store.add_all(connection, [OPENED, SOLVED, SOLVED], "third", 30) == 1
    first, second = store.of_subject(connection, "fault", "H1")
    assert (first.told, first.source, first.recorded_us) == (OPENED, "first", 10)
    assert (second.told, second.id, store.next_number(connection)) == (SOLVED, 2, 3)
    assert store.event(connection, 1) == first
    assert store.event(connection, 9) is None


@pytest.mark.parametrize("statement", ["UPDATE duty_events SET at_us = 0", "DELETE FROM duty_events"])
def test_an_event_never_changes(connection: sqlite3.Connection, statement: str) -> None:
    store.add(connection, OPENED, "first", 10)
    with pytest.raises(sqlite3.IntegrityError, match="an event of a duty is never"):
        connection.execute(statement)


def test_what_was_known_at_a_time(connection: sqlite3.Connection) -> None:
    store.add(connection, OPENED, "first", 10)
    store.add(connection, SOLVED, "second", 20)
    for known, events in ((9, []), (10, [OPENED]), (19, [OPENED]), (20, [OPENED, SOLVED])):
        look_back(connection, known)
        assert [one.told for one in store.of_subject(connection, "fault", "H1")] == events
        found = list(store.by_subject(connection, ["fault"]))
        assert [(kind, subject, [one.told for one in them]) for kind, subject, them in found] == (
            [("fault", "H1", events)] if events else []
        )


def test_subjects_and_kinds(connection: sqlite3.Connection) -> None:
    for number, kind in ((1, "fault"), (2, "fault"), (3, "visit")):
        store.add(connection, OPENED._replace(subject=f"H{number}", kind=kind), "first", 10)
    at_us = OPENED.at_us
    assert store.subjects(connection, "fault") == ["H1", "H2"]
    assert store.subjects(connection, "fault", at_us, at_us + 1) == ["H1", "H2"]
    assert store.subjects(connection, "fault", at_us + 1) == store.subjects(connection, "fault", 0, at_us) == []
    assert store.kinds_about(connection, "H3", ["fault", "visit"]) == ["visit"]
    assert [subject for _, subject, _ in store.by_subject(connection, ["visit", "fault"])] == ["H3", "H1", "H2"]


def test_a_reference_is_looked_up(connection: sqlite3.Connection) -> None:
    store.add(connection, OPENED, "first", 10)
    other = OPENED._replace(at_us=OPENED.at_us + 1)
    assert [one.id for one in store.same_reference(connection, other)] == [1]
    assert [one.id for one in store.with_reference(connection, other)] == [1]
    assert store.at_that_time(connection, other) == []
    assert [one.id for one in store.at_that_time(connection, OPENED)] == [1]
    store.add(connection, told("withdrawn", "2026-11-02 12:00", "#1", withdraws=1), "second", 20)
    assert store.same_reference(connection, other) == []
    assert [one.id for one in store.with_reference(connection, other)] == [1]
    assert store.at_that_time(connection, other) == []
    assert [one.id for one in store.at_that_time(connection, OPENED)] == [1]
    assert list(store.exported(connection, ["fault"])) == []


def test_a_withdrawal_may_be_withdrawn(connection: sqlite3.Connection) -> None:
    store.add(connection, OPENED, "x", 1)
    for number in range(1, 5):
        store.add(connection, told("withdrawn", "2026-11-02 12:00", f"#{number}", withdraws=number), "x", 1)
        events = store.of_subject(connection, "fault", "H1")
        assert [one.id for one in standing_events(events)] == ([] if number % 2 else [1])
        assert withdrawn_numbers(events) == set(range(number, 0, -2))


def test_the_index_forgets_and_sorts(connection: sqlite3.Connection) -> None:
    events = [OPENED._replace(subject=f"H{number}") for number in range(1, 6)]
    store.add_all(connection, events, "x", 1)
    index.clear(connection, "a")
    assert (index.is_of(connection, "a"), index.is_of(connection, "b")) == (True, False)
    rows = [OpenDuty(1, "fault", "H1", 30), OpenDuty(2, "fault", "H2", 20), OpenDuty(3, "fault", "H3", None)]
    index.add(connection, [*rows, LooseEvent(4, "fault", "H4"), LooseEvent(5, "fault", "H5")])
    assert [one.duty for one in index.due(connection, 31, ["fault"])] == [2, 1]
    assert [one.duty for one in index.due(connection, 30, ["fault", "other"])] == [2]
    assert list(index.due(connection, 31, ["other"])) == []
    assert [index.count_due(connection, 31, kinds) for kinds in (["fault"], ["other"], [])] == [2, 0, 0]
    assert list(index.all_open(connection, "fault")) == rows
    index.forget(connection, [("fault", "H2"), ("fault", "H4")])
    assert [one.duty for one in index.all_open(connection, "fault")] == [1, 3]
    assert [one.event for one in index.all_loose(connection)] == [5]
    assert [one.event for one in index.loose_of(connection, [("fault", "H4"), ("fault", "H5")])] == [5]
