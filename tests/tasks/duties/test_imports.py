"""Imports of events: any order and any split give the same duties; nothing is lost or changed in silence."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.duties import DAY_US, HOUR_US, NOW, NOW_US, kind, promising, registry, rules
from vetlla.domain.clock import ManualClock, iso
from vetlla.service.duties.columns import COLUMNS, event_row
from vetlla.service.duties.standing import standing
from vetlla.store.duties import events as store
from vetlla.tasks.duties import book, index
from vetlla.tasks.duties.book import Recording
from vetlla.tasks.duties.imports import ImportedEvents, import_events

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES = rules(1, "working days", fault=kind(subject="document"), plan=promising("date", subject="document"))
Row = dict[str, Any]


def row(event: str, at: str | int, ref: str = "", **more: str) -> Row:
    """Return a row of a file."""
    time = at if isinstance(at, str) else iso(at)
    texts = {"kind": "fault", "subject": "D1", "event": event, "at": time, "ref": ref} | more
    return {name: texts.get(name) or None for name in COLUMNS}


def take(folder: Path, rows: Sequence[Row], **options: Any) -> ImportedEvents:  # noqa: ANN401 - passed on
    """Import rows as a file has them."""
    numbered: Any = enumerate(rows, start=2)
    return import_events(folder, ManualClock(NOW), RULES, numbered, "file.csv", **options)


def duties(folder: Path) -> tuple[list[Any], list[Any]]:
    """Return what all duties say, without the numbers of recording."""
    with registry(folder) as connection:
        found = [
            ([event.told for event in duty.events], str(one.verdict), one.due_us, one.elapsed_us)
            for name in RULES.kinds.names()
            for subject in store.subjects(connection, name)
            for duty in book.duties_of(connection, RULES, name, subject)
            for one in [standing(duty, RULES, NOW_US)]
        ]
        loose = [store.event(connection, one.event) for one in index.loose(connection, RULES)]
        return sorted(found, key=repr), sorted((one.told for one in loose if one), key=repr)


def _happens_once(one: Row) -> bool:
    return bool(one["ref"]) and one["event"] in {"detected", "solved", "cancelled"}


TIMES = st.integers(0, 60).map(lambda hours: NOW_US - 4 * DAY_US + hours * HOUR_US)
ROWS = st.lists(
    st.builds(
        lambda event, at, ref, subject: row(event, at, ref, subject=subject),
        st.sampled_from(["detected", "detected", "arrived", "paused", "resumed", "solved", "cancelled"]),
        TIMES, st.sampled_from(["", "A", "B"]), st.sampled_from(["D1", "D2"]),
    ),
    max_size=10,
    unique_by=lambda one: (one["event"], one["subject"], one["ref"], "" if _happens_once(one) else one["at"]),
)  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(ROWS, st.randoms(use_true_random=False), st.integers(0, 10), st.integers(0, 10))
def test_any_order_and_any_split_give_the_same_duties(rows: list[Row], chance: Any, first: int, second: int) -> None:  # noqa: ANN401
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        take(Path(one), rows)
        shuffled = list(rows)
        chance.shuffle(shuffled)
        low, high = sorted((first, second))
        for part in (shuffled[low:high], shuffled[:low], shuffled[high:], shuffled[: len(rows) // 2]):
            take(Path(other), part)
        assert duties(Path(one)) == duties(Path(other))


@settings(max_examples=12, deadline=None)
@given(ROWS)
def test_an_export_makes_the_same_duties_elsewhere(rows: list[Row]) -> None:
    """Events that were recorded by the number of their duty find it again, too."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        take(Path(one), rows)
        with registry(Path(one)) as connection:
            for subject in ("D1", "D2"):
                for found in book.open_duties_of(connection, RULES, ["fault"], subject, NOW_US)[:1]:
                    told = found.duty.events[0].told._replace(event="absent", at_us=NOW_US - HOUR_US, ref="own")
                    book.record(connection, RULES, found.duty.id, told, Recording(NOW_US, "test"))
            exported = [event_row(event) for event in store.exported(connection, RULES.kinds.names())]
        again = [{name: text or None for name, text in cells.items()} for cells in exported]
        assert take(Path(one), again).new == 0, "it is known here"
        assert take(Path(other), again).faults == []
        mine, theirs = duties(Path(one)), duties(Path(other))
        assert _without_numbers(mine) == _without_numbers(theirs)


def _without_numbers(found: tuple[list[Any], list[Any]]) -> tuple[list[Any], list[Any]]:
    every, loose = found
    return [([told._replace(duty=0) for told in events], *rest) for events, *rest in every], loose


# --- repeated, contradictory, bad -------------------------------------------------------------------------------------

OPENED, SOLVED = row("detected", "2026-11-02 09:00", "A"), row("solved", "2026-11-03 09:00", "A")


def test_an_import_again_changes_nothing(tmp_path: Path) -> None:
    assert take(tmp_path, [OPENED, SOLVED]) == ImportedEvents(2, 0, [], 0)
    assert take(tmp_path, [SOLVED, OPENED]) == ImportedEvents(0, 2, [], 0)
    assert take(tmp_path, [SOLVED, SOLVED]) == ImportedEvents(0, 2, [], 0)


def test_two_openings_without_reference_at_one_time_are_never_one(tmp_path: Path) -> None:
    """The second one would be lost, whether a note tells them apart or not; with references they are two duties."""
    opening = row("detected", "2026-11-02 09:00")
    for second in (opening, opening | {"note": "another"}):
        (fault,) = take(tmp_path, [opening, SOLVED, second]).faults
        assert (fault.row, fault.column) == (4, "ref")
        assert fault.reason.startswith("is empty, and row 2 opens a duty without one at the same time")
    done = take(tmp_path, [opening, opening], keep_good_rows=True)
    assert (done.new, len(done.faults)) == (1, 1)
    assert [fault.row for fault in take(tmp_path, [opening, opening]).faults] == [3], "also if it is recorded already"
    assert take(tmp_path, [opening]) == ImportedEvents(0, 1, [], 0)
    assert take(tmp_path, [opening | {"ref": "A"}, opening | {"ref": "B"}]).new == 2
    again = row("solved", "2026-11-05 09:00")
    assert take(tmp_path, [again, again]).faults == [], "it opens nothing, so no duty is lost"


def test_a_bad_row_keeps_out_all_rows(tmp_path: Path) -> None:
    wrong = row("mended", "2026-11-02 09:00")
    done = take(tmp_path, [OPENED, wrong, SOLVED])
    assert ([(fault.row, fault.column) for fault in done.faults], done.new) == ([(3, "event")], 0)
    assert duties(tmp_path) == ([], [])
    done = take(tmp_path, [OPENED, wrong, SOLVED], keep_good_rows=True)
    assert (len(done.faults), done.new) == (1, 2)


def test_a_dry_run_keeps_nothing(tmp_path: Path) -> None:
    for large in (False, True):
        assert take(tmp_path, [OPENED, SOLVED], dry_run=True, large=large).new == 2
    assert duties(tmp_path) == ([], [])
    assert take(tmp_path, [OPENED, SOLVED], large=True).new == 2
    assert len(duties(tmp_path)[0]) == 1


def test_another_time_for_what_happens_once_is_refused(tmp_path: Path) -> None:
    later = row("solved", "2026-11-04 09:00", "A")
    for rows in ([OPENED, SOLVED, later], [later]):
        done = take(tmp_path, rows)
        take(tmp_path, [OPENED, SOLVED])
        (fault,) = done.faults
        assert (fault.column, fault.value) == ("at", "2026-11-04 09:00:00 CET")
        assert fault.reason.startswith("solved of A is recorded at 2026-11-03 09:00:00 CET: ")
    assert take(tmp_path, [row("arrived", "2026-11-02 10:00", "A"), row("arrived", "2026-11-02 11:00", "A")]).new == 2


def test_another_promise_at_the_same_time_is_refused(tmp_path: Path) -> None:
    """A changed date in the source system must not be dropped in silence."""
    plan = row("scheduled", "2026-11-02 09:00", "A", kind="plan", to="2026-11-20")
    later = row("scheduled", "2026-11-02 09:00", "A", kind="plan", to="2026-11-27")
    done = take(tmp_path, [plan, later])
    assert [fault.column for fault in done.faults] == ["to"]
    assert take(tmp_path, [plan]).new == 1
    done = take(tmp_path, [later])
    ((column, reason),) = [(fault.column, fault.reason) for fault in done.faults]
    assert (column, reason.partition(",")[0]) == ("to", "scheduled is recorded with another promise")
    assert take(tmp_path, [row("moved", "2026-11-10 09:00", "A", kind="plan", to="2026-11-27")]).new == 1


def test_what_was_taken_back_stays_so_when_its_file_is_imported_again(tmp_path: Path) -> None:
    take(tmp_path, [OPENED, SOLVED])
    with registry(tmp_path) as connection:
        book.withdraw(connection, RULES, 2, by="me", note="", recording=Recording(NOW_US, "test"))
    assert take(tmp_path, [OPENED, SOLVED]) == ImportedEvents(0, 2, [], 0)
    assert take(tmp_path, [row("solved", "2026-11-03 10:00", "A")]).new == 1
    assert take(tmp_path, [OPENED, SOLVED]).faults == []
    (((events, *_),), _) = duties(tmp_path)
    assert [iso(told.at_us) for told in events][1:] == ["2026-11-03T09:00:00.000000Z"]


def test_another_note_does_not_change_what_is_recorded(tmp_path: Path) -> None:
    """The file is imported all the same, and the import says how many events differ."""
    take(tmp_path, [OPENED])
    assert take(tmp_path, [OPENED | {"note": "in the kitchen"}, SOLVED]) == ImportedEvents(1, 1, [], 0, 1)
    (((events, *_),), _) = duties(tmp_path)
    assert events[0].note == ""


def test_events_that_belong_to_no_duty_are_counted(tmp_path: Path) -> None:
    done = take(tmp_path, [OPENED, SOLVED, row("solved", "2026-11-05 09:00", subject="D2")])
    assert done.loose == 1
