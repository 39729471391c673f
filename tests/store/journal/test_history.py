"""Questions to the journal return the right rows in order, by an index or a short range of numbers, at any size."""

from __future__ import annotations

import tracemalloc
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.journals import arrival, journal, reject, report, write_a_story
from vetlla.domain.accounts import AccountKey
from vetlla.domain.alarms import Tally
from vetlla.domain.clock import SECOND_US, ManualClock
from vetlla.domain.signals import AccountId, Event, Flag, Kind, Phase, Priority, Reason
from vetlla.store.accounts.table import AccountEntry as Row
from vetlla.store.accounts.table import accounts_of_home, register, remove
from vetlla.store.inventory import heard as inventory_heard
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.batch import Entry
from vetlla.store.journal.history import PAGE, SCAN_ROWS, STEP_US, Question, newest, stream
from vetlla.store.journal.opening import JOURNAL
from vetlla.store.journal.rows import reject_row
from vetlla.store.registry.registry import writing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

START_US = ManualClock().now().utc_us
FALL = Event(Kind.FALL, Phase.NEW, "120", "ADM-CID")
TEST = Event(Kind.PERIODIC_TEST, Phase.NEW, "602", "ADM-CID")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """Open a journal of 1,200 signals, one a second, from three homes; every tenth one of the third home is a fall."""
    directory = tmp_path_factory.mktemp("history")
    clock = ManualClock()
    with journal(directory, clock) as scribe:
        batch = scribe.batch()
        for number in range(1, 1201):
            home = number % 3
            said: dict[str, Any] = {"id": AccountId("", "L0", ["00ab", "00AB", "0777"][home])}
            said["event"] = FALL if number % 30 == 2 else TEST
            batch.signals.append(
                scribe.row(
                    report(number, **said),
                    arrival(clock),
                    number,
                    batch.commit,
                    home=f"H-{home}",
                    priority=Priority.LIFE if said["event"] is FALL else Priority.ROUTINE,
                    alarm=number // 30 + 1 if said["event"] is FALL else None,
                )
            )
            batch.audit.append(Entry(clock.now().utc_us, "maria", "note", f"alarm {number % 4}", {"n": number}))
            batch.rejects.append(
                reject_row(
                    arrival(clock, f"192.0.2.{number % 5}:{40000 + number}"),
                    reject(reason=[Reason.TRUNCATED, Reason.MALFORMED][number % 2]),
                )
            )
            clock.advance(1)
        batch.decided.append(Entry(clock.now().utc_us, "receiver", "commit", "commit 1", {"first": 1, "last": 1200}))
        scribe.write(batch)
        scribe.flush()
        with Archive(directory) as opened:
            yield opened


def numbers(archive: Archive, question: Question[Any]) -> list[int]:
    """Return the numbers that ``stream`` yields; assert that ``newest`` yields the same numbers in the same order."""
    found = [row.id for row in stream(archive, question)]
    for limit in (1, 3, len(found) + 1):
        assert [row.id for row in newest(archive, question, limit)] == found[-limit:]
    return found


def after(seconds: int) -> int:
    return START_US + seconds * SECOND_US


EVERY = range(1, 1201)
QUESTIONS: list[tuple[Question[Any], Sequence[int]]] = [
    (history.signals(), EVERY),
    (history.signals(accounts=["0777"]), [n for n in EVERY if n % 3 == 2]),
    (history.signals(accounts=["0777", "nobody"], kinds=[Kind.FALL]), [n for n in EVERY if n % 30 == 2]),
    (history.signals(kinds=[Kind.FALL]), [n for n in EVERY if n % 30 == 2]),
    (history.signals(kinds=[Kind.FALL, Kind.PERIODIC_TEST]), EVERY),
    (history.signals(priorities=[Priority.LIFE]), [n for n in EVERY if n % 30 == 2]),
    (history.signals(codes=["602"]), [n for n in EVERY if n % 30 != 2]),
    (history.signals(alarm=3), [62]),
    (history.signals(accounts=["00AB"], home="H-0"), [n for n in EVERY if n % 3 == 0]),
    (history.signals(since_us=after(100), until_us=after(200)), range(101, 201)),
    (history.signals(since_us=after(1190)), range(1191, 1201)),
    (history.signals(until_us=after(10)), range(1, 11)),
    (history.signals(since_us=after(5000)), []),
    (history.signals(until_us=after(-5000)), []),
    (history.signals(accounts=["0777"], since_us=after(600), until_us=after(609)), [602, 605, 608]),
    (history.rejects(), EVERY),
    (history.rejects(reasons=[Reason.MALFORMED]), range(1, 1201, 2)),
    (history.rejects(peer="192.0.2.1"), range(1, 1201, 5)),
    (history.rejects(peer="192.0.2.1:40006"), [6]),
    (history.rejects(peer="192.0.2"), []),
    (history.rejects(accounts=["00af"], since_us=after(1199)), [1200]),
    (history.records(actors=["maria"], actions=["note"], subjects=["alarm 3"]), range(3, 1201, 4)),
    (history.records(), EVERY),
    (history.records(commits=True), range(1, 1202)),
    (history.records(actors=["receiver"]), []),
    (history.records(actions=["commit"], commits=True), [1201]),
]


@pytest.mark.parametrize(("question", "expected"), QUESTIONS)
def test_the_right_rows_in_order(archive: Archive, question: Question[Any], expected: Sequence[int]) -> None:
    """Questions by account, home, kind, priority, code, alarm, peer, reason, actor and time find the right rows."""
    assert numbers(archive, question) == list(expected)


@pytest.mark.parametrize("spelled", ["00ab", "00AB", "00Ab"])
def test_an_account_is_found_however_it_is_spelled(archive: Archive, spelled: str) -> None:
    """Panels send hex digits in both cases. They mean one account, and each signal keeps its own spelling."""
    found = list(stream(archive, history.signals(accounts=[spelled])))

    assert [one.id for one in found] == [n for n in EVERY if n % 3 != 2]
    assert {one.signal.id.account for one in found} == {"00ab", "00AB"}


def test_a_stream_continues_after_a_number(archive: Archive) -> None:
    """A stream yields the rows after a given number."""
    assert [one.id for one in stream(archive, history.signals(codes=["602"]), after=1197)] == [1198, 1199, 1200]
    assert list(stream(archive, history.signals(), after=1200)) == []


def test_single_things_are_found_by_number(archive: Archive) -> None:
    """A number that does not exist gives None."""
    found = history.signal(archive, 62)
    assert found is not None
    assert (found.id, found.alarm, found.signal.event.kind) == (62, 3, Kind.FALL)
    assert history.signal(archive, 0) is None
    assert history.signal(archive, 1201) is None
    assert history.alarm(archive, 404) is None
    assert history.alarm(archive, 1 << 63) is None
    assert history.signal(archive, 1 << 63) is None
    assert history.last_number(archive, history.SIGNALS) == 1200


def test_an_alarm_and_its_notes_are_found(tmp_path: Path) -> None:
    """Closed alarms and their notes are found too."""
    write_a_story(tmp_path)
    with Archive(tmp_path) as opened:
        found = history.alarm(opened, 1)
        assert found is not None
        assert found.outcome == "handled_by_voice"
        (note,) = history.notes(opened, 1)
        duplicate = history.last_duplicate(opened, 3)
        assert history.last_duplicate(opened, 4) is None
    assert (note.operator, note.text) == ("maria", "speaking")
    assert duplicate is not None
    assert (duplicate.times, duplicate.transport, duplicate.peer) == (2, "udp", "192.0.2.8:9")


def test_all_signals_of_an_alarm_are_counted(tmp_path: Path) -> None:
    """All signals and repetitions of an alarm are counted, even if they need more than a page."""
    clock = ManualClock()
    with journal(tmp_path, clock) as scribe:
        many = scribe.signals([report(number) for number in range(1, 2 * PAGE + 1)], alarm=7)
        scribe.write(many)
        again = scribe.batch()
        told = clock.now()
        again.duplicates = {1: (2, *told, "tcp", "192.0.2.8:9"), 2 * PAGE: (1, *told, "tcp", "192.0.2.8:9")}
        scribe.write(again)
    with Archive(tmp_path) as opened:
        assert history.tally(opened, 7) == Tally(2 * PAGE, 2 * PAGE, told.utc_us, 3, told.utc_us)
        assert history.tally(opened, 8) == Tally(0, 0, 0)


def test_progress_counts_the_numbers_that_were_read(archive: Archive) -> None:
    """The progress ends at the total, however few rows match."""
    told: list[tuple[int, int]] = []
    question = history.signals(since_us=after(900))
    assert len(list(stream(archive, question, progress=lambda done, of: told.append((done, of))))) == 300
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]


def test_a_stream_needs_the_memory_of_a_page(archive: Archive) -> None:
    """Even an export of years needs only constant memory."""
    tracemalloc.start()
    for _ in stream(archive, history.signals()):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < PAGE * 4000


# --- time to numbers --------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(st.integers(-STEP_US // SECOND_US, 2000), min_size=1, max_size=60),
    ends=st.tuples(st.none() | st.integers(-1000, 40_000), st.none() | st.integers(-1000, 40_000)),
)
def test_a_time_range_is_exact_while_the_clock_steps(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], ends: tuple[int | None, int | None]
) -> None:
    """The clock may step forward by any time, and back by the margin in all: exactly the right rows are found."""
    stamps = [0]
    for step in steps:
        stamps.append(max(stamps[-1] + step, max(stamps) - STEP_US // SECOND_US))
    since, until = ends
    with journal(tmp_path_factory.mktemp("steps")) as scribe:
        batch = scribe.batch()
        batch.audit = [Entry(after(stamp), "maria", "note", "alarm 1", {}) for stamp in stamps]
        scribe.write(batch)
        with Archive(scribe.journal.path.parent) as opened:
            question = history.records(
                since_us=None if since is None else after(since), until_us=None if until is None else after(until)
            )
            found = numbers(opened, question)

    assert found == [
        number
        for number, stamp in enumerate(stamps, 1)
        if (since is None or stamp >= since) and (until is None or stamp < until)
    ]


@pytest.mark.parametrize("wrong", [-(10**9), 10**9])
@pytest.mark.parametrize("place", [0, 500, 750, 999])
def test_a_clock_that_was_wrong_for_a_moment_hides_nothing(tmp_path: Path, place: int, wrong: int) -> None:
    """A machine may start in 1970 or far in the future; bisection stops narrowing at such a stamp."""
    stamps = [10 * number for number in range(1000)]
    stamps[place] = wrong
    with journal(tmp_path) as scribe:
        batch = scribe.batch()
        batch.audit = [Entry(after(stamp), "maria", "note", "alarm 1", {}) for stamp in stamps]
        scribe.write(batch)
        with Archive(tmp_path) as opened:
            found = numbers(opened, history.records(since_us=after(3000), until_us=after(8000)))

    assert found == [number for number in range(301, 801) if number != place + 1]


def test_a_time_range_costs_few_reads(archive: Archive) -> None:
    """Bisection reads a few single rows, and then the range with its margin; it does not scan the table."""
    first, last = history.span(archive, history.signals(since_us=after(1100), until_us=after(1110)))
    assert 1100 - STEP_US // SECOND_US <= first <= 1100
    assert last == 1200


# --- how SQLite finds them --------------------------------------------------------------------------------------------


def plan(archive: Archive, question: Question[Any], *, newest_first: bool) -> list[str]:
    sql, values = history._select(question, newest_first=newest_first)
    return [row["detail"] for row in archive.read(f"EXPLAIN QUERY PLAN {sql}", (1, 2, *values, 3))]


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize(("question", "expected"), QUESTIONS)
def test_no_question_reads_a_table_from_end_to_end(
    archive: Archive, question: Question[Any], expected: Sequence[int], *, newest_first: bool
) -> None:
    """Each question uses an index or a range of numbers, joins by number, and sorts only to merge several accounts."""
    found = plan(archive, question, newest_first=newest_first)

    assert not [step for step in found if "SCAN" in step]
    assert found[0].startswith(
        f"SEARCH s USING {'INDEX ' + question.index if question.index else 'INTEGER PRIMARY KEY'}"
    )
    joined = [step for step in found[1:] if step.startswith("SEARCH") and not step.startswith("SEARCH f ")]
    assert all("USING INTEGER PRIMARY KEY (rowid=?)" in step for step in joined)
    # The query finds the bytes of a frame among the frame's own parts.
    of_frames = [step for step in found if step.startswith("SEARCH f ")]
    assert of_frames == ["SEARCH f USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"] * (question.log is history.SIGNALS)
    several = any(
        condition.sql.startswith("s.account") and len(condition.values) > 1 for condition in question.conditions
    )
    assert ("USE TEMP B-TREE FOR ORDER BY" in found) == several


def test_stretches_are_bounded(archive: Archive) -> None:
    """If no index helps, one read scans a bounded range of numbers, so it never holds back a checkpoint for long."""
    assert SCAN_ROWS <= 100_000
    bounds: list[tuple[Any, Any]] = []

    class Watched:
        def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
            if "BETWEEN" in sql:
                bounds.append((parameters[0], parameters[1]))
            elif "max(id)" in sql:
                return [{"last": 10 * SCAN_ROWS}]
            return archive.read(sql, parameters)

    watched: Any = Watched()
    assert list(newest(watched, history.signals(codes=["none"]), 5)) == []
    assert list(stream(watched, history.signals(codes=["none"]))) == []
    assert {last - first + 1 for first, last in bounds} == {SCAN_ROWS}
    backward, forward = bounds[:10], bounds[10:]
    assert all(earlier[0] == later[1] + 1 for earlier, later in pairwise(backward))
    assert all(earlier[1] + 1 == later[0] for earlier, later in pairwise(forward))
    assert list(accumulate([len(backward), len(forward)])) == [10, 20]


# --- homes ------------------------------------------------------------------------------------------------------------


def test_a_home_is_found_through_every_account_it_ever_had(tmp_path: Path) -> None:
    """A home is found by accounts that belong to it, were moved away or were removed, but by no others."""
    clock = ManualClock()

    def put(account: str, home: str) -> None:
        with writing(tmp_path, clock) as db:
            register(db, [Row(AccountKey(account, "", ""), {"home": home})], by="enric", at_us=0)

    put("0001", "H-1")
    put("0002", "H-1")
    put("0002", "H-2")
    put("0003", "H-1")
    put("0004", "H-2")
    put("0005", "H-3")
    put("0005", "H-1")
    with writing(tmp_path, clock) as db:
        remove(db, AccountKey("0003", "", ""), by="enric", at_us=0)

        assert accounts_of_home(db, "H-1") == ["0001", "0002", "0003", "0005"]
        assert accounts_of_home(db, "H-3") == ["0005"]
        assert accounts_of_home(db, "H-4") == []


def test_the_inventory_gets_unknown_callers(tmp_path: Path) -> None:
    """Each unknown account has a count of its calls, in one spelling; the read follows the numbers, not an index."""
    assert inventory_heard.unknown(tmp_path / JOURNAL) == {}
    with journal(tmp_path) as scribe:
        said = [report(number, id=AccountId("", "", text)) for number, text in enumerate(["00ab", "00AB", "0001"])]
        scribe.commit(*said, flags=Flag.UNKNOWN_ACCOUNT)
        scribe.commit(report(9, id=AccountId("", "", "0002")))
        with Archive(tmp_path) as opened:
            plans = [row["detail"] for row in opened.read(f"EXPLAIN QUERY PLAN {inventory_heard._UNKNOWN}", (1, 1))]

    assert inventory_heard.unknown(tmp_path / JOURNAL) == {"00AB": 2, "0001": 1}
    assert plans[0] == "SEARCH signals USING INTEGER PRIMARY KEY (rowid>?)"
