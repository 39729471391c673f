"""The index of duties always says what is computed from all events, whatever is written and by whichever rules."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.rigs.duties import DAY_US, HOUR_US, NOW_US, kind, registry, rules, told
from vetlla.domain.errors import UsageError
from vetlla.store.duties import events as store
from vetlla.store.duties import index as kept
from vetlla.store.duties.index import LooseEvent, OpenDuty
from vetlla.tasks.duties import book, index, looking
from vetlla.tasks.duties.book import Recording
from vetlla.tasks.duties.looking import Wanted

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from vetlla.domain.duties import NewEvent
    from vetlla.service.duties.terms import DutyRules

DOCUMENT = kind(subject="document")
FIRST = rules(2, "working days", fingerprint="first", fault=DOCUMENT, other=kind(subject="service"))
SECOND = rules(3, "hours", stops=False, fingerprint="second", fault=DOCUMENT, other=kind(subject="service"))
SUBJECTS = st.sampled_from(["D1", "D2", "D3"])
KINDS = st.sampled_from(["fault", "other"])
REFS = st.sampled_from(["", "A", "B"])
AGO = st.integers(0, 40).map(lambda hours: NOW_US - 2 * DAY_US + hours * HOUR_US)
NAMES = st.sampled_from(["detected", "arrived", "absent", "paused", "resumed", "solved", "cancelled"])
TOLD = st.builds(
    lambda name, at, ref, subject, kind: told(name, at, ref, subject=subject, kind=kind),
    NAMES,
    AGO,
    REFS,
    SUBJECTS,
    KINDS,
)


def computed(connection: sqlite3.Connection, known: DutyRules) -> tuple[list[OpenDuty], list[LooseEvent]]:
    rows = list(index.computed(connection, known))
    duties = sorted(row for row in rows if isinstance(row, OpenDuty))
    return duties, sorted(row for row in rows if isinstance(row, LooseEvent))


class Writers(RuleBasedStateMachine):
    """Commands of two installations whose parameters differ, on one registry."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.connection = self.stack.enter_context(registry(folder))
        self.known = FIRST
        self.writer: DutyRules | None = None
        self.recording = Recording(NOW_US, "test")

    def teardown(self) -> None:
        self.stack.close()

    @rule(known=st.sampled_from([FIRST, SECOND]))
    def other_rules(self, known: DutyRules) -> None:
        self.known = known

    @rule(event=TOLD)
    def opens(self, event: NewEvent) -> None:
        try:
            one = book.open_duty(self.connection, self.known, event, self.recording)
        except UsageError:
            return
        self.writer = self.known
        assert one.duty.events[0].told.event == "detected"

    @rule(event=TOLD, number=st.integers(1, 12))
    def records(self, event: NewEvent, number: int) -> None:
        try:
            book.record(self.connection, self.known, number, event, self.recording)
        except UsageError:
            return
        self.writer = self.known

    @rule(number=st.integers(1, 12))
    def withdraws(self, number: int) -> None:
        self.recording = self.recording._replace(now_us=self.recording.now_us + 1)
        try:
            book.withdraw(self.connection, self.known, number, by="me", note="", recording=self.recording)
        except UsageError:
            return
        self.writer = self.known

    @rule(events=st.lists(TOLD, max_size=4))
    def imports(self, events: list[NewEvent]) -> None:
        store.add_all(self.connection, events, "file", self.recording.now_us)
        index.keep_index(self.connection, self.known, [(event.kind, event.subject) for event in events])
        self.writer = self.known

    @invariant()
    def the_index_is_what_is_computed(self) -> None:
        if self.writer is None:
            return
        duties, loose = computed(self.connection, self.writer)
        assert kept.is_of(self.connection, self.writer.fingerprint)
        found = sorted(row for name in ("fault", "other") for row in kept.all_open(self.connection, name))
        assert found == duties
        assert sorted(kept.all_loose(self.connection)) == loose

    @invariant()
    def open_duties_are_listed_alike_with_and_without_the_index(self) -> None:
        for known in (FIRST, SECOND):
            wanted = [one for one in looking.found(self.connection, known, Wanted(), NOW_US) if one.is_open]
            assert list(looking.found(self.connection, known, Wanted(is_open=True), NOW_US)) == wanted

    @invariant()
    def readers_with_any_rules_get_their_own_answer(self) -> None:
        for known in (FIRST, SECOND):
            duties, loose = computed(self.connection, known)
            wanted = sorted((row.due_us, row.duty) for row in duties if row.due_us is not None and row.due_us < NOW_US)
            assert [(row.due_us, row.duty) for row in index.due(self.connection, known, NOW_US)] == wanted
            assert sorted(index.loose(self.connection, known)) == loose
            assert looking.count_due(self.connection, known, (), NOW_US) == len(wanted)
            assert [one.duty.id for one in looking.due(self.connection, known, (), NOW_US, NOW_US)] == [
                number for _, number in wanted
            ]


Writers.TestCase.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
TestWriters = Writers.TestCase


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with registry(tmp_path) as opened:
        yield opened


def write(
    connection: sqlite3.Connection, known: DutyRules, subject: str, *, most: int = 0, large: bool = False
) -> None:
    event = told("detected", NOW_US - HOUR_US, subject=subject)
    store.add_all(connection, [event], "test", NOW_US)
    index.keep_index(connection, known, [("fault", subject)], large=large, rebuilt_at_most=most)


def test_a_small_writer_leaves_a_long_index_of_other_rules_to_reindex(connection: sqlite3.Connection) -> None:
    """A unit that is sent to a home does not wait until millions of events are computed."""
    write(connection, FIRST, "D1", most=9)
    read: list[str] = []
    connection.set_trace_callback(read.append)
    write(connection, SECOND, "D2")
    connection.set_trace_callback(None)
    assert not [sql for sql in read if "ORDER BY kind, subject" in sql], "it reads its own subject only"
    for known in (FIRST, SECOND):
        assert not kept.is_of(connection, known.fingerprint)
        assert index.needs_reindex(connection, known, rebuilt_at_most=0)
        assert [row.subject for row in index.due(connection, known, NOW_US + 9 * DAY_US)] == ["D1", "D2"]
    assert [row.subject for row in kept.all_open(connection, "fault")] == ["D1", "D2"], "the receiver reads these"
    index.keep_index(connection, FIRST, [], rebuilt_at_most=0)
    write(connection, SECOND, "D3", large=True)
    assert [index.needs_reindex(connection, one, rebuilt_at_most=0) for one in (SECOND, FIRST)] == [False, True]


def test_a_writer_of_nothing_leaves_the_index_of_other_rules_alone(connection: sqlite3.Connection) -> None:
    write(connection, FIRST, "D1", most=9)
    index.keep_index(connection, SECOND, [], rebuilt_at_most=0)
    assert kept.is_of(connection, FIRST.fingerprint)


def test_loose_events_are_counted_by_any_rules(connection: sqlite3.Connection) -> None:
    solved = told("solved", NOW_US, subject="D1")
    store.add_all(connection, [solved], "test", NOW_US)
    index.keep_index(connection, FIRST, [("fault", "D1")])
    for known in (FIRST, SECOND):
        assert index.loose_of(connection, known, [("fault", "D1"), ("fault", "D2")]) == 1


def test_open_duties_are_listed_without_the_events_of_others(connection: sqlite3.Connection) -> None:
    write(connection, FIRST, "D1", most=9)
    write(connection, FIRST, "D2", most=9)
    kept.forget(connection, [("fault", "D1")])
    found = looking.found(connection, FIRST, Wanted(is_open=True), NOW_US)
    assert [one.duty.subject for one in found] == ["D2"], "only what the index names is read"
