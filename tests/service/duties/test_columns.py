"""The rows of files of events: what is refused, and that an exported row comes back the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.duties import MADRID, NOW_US, kind, promising, recorded, rules, told, us
from vetlla.domain.duties import NewEvent
from vetlla.service.duties.columns import COLUMNS, EVENTS, REF_MAX, EventRows, details_text, event_row, unfit
from vetlla.service.duties.kinds import Subject
from vetlla.service.local_time import LocalTime

if TYPE_CHECKING:
    from vetlla.domain.columns import Fault

KINDS = rules(
    fault=kind(), visit=promising("interval"), plan=promising("date"), document=kind(subject="document")
).kinds
ROWS = EventRows(KINDS, LocalTime(MADRID), NOW_US, {Subject.HOME: lambda code: "" if code == "H1" else "no such home"})


def row(**changes: str) -> NewEvent | list[Fault]:
    """Return the event of a row, or its faults."""
    texts: dict[str, Any] = {"kind": "fault", "subject": "H1", "event": "detected", "at": "2026-11-02 09:00"} | changes
    return ROWS.event(2, EVENTS.check({name: texts.get(name) or None for name in COLUMNS}))


def faults(**changes: str) -> list[tuple[str, str]]:
    """Return column and reason of each fault of a row."""
    found = row(**changes)
    assert isinstance(found, list)
    assert {fault.row for fault in found} == {2}
    return [(fault.column, fault.reason) for fault in found]


def test_a_row_is_an_event() -> None:
    assert row(ref="F-1", by="T1", note="a note", base="NORD", team="T1", alarm="17") == told(
        "detected", "2026-11-02 09:00", "F-1", by="T1", note="a note",
        details='{"alarm":"17","base":"NORD","team":"T1"}',
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"kind": "faults"}, "kind", "no such kind: fault, visit, plan, document"),
        ({"event": "mended"}, "event", "a fault has detected, arrived, absent, paused, resumed, solved, cancelled"),
        ({"subject": "H2"}, "subject", "no such home"),
        ({"at": "soon"}, "at", "is no time: write"),
        ({"at": "2026-11-30 13:00:00.000001"}, "at", "lies in the future"),
        ({"at": "1990-01-01"}, "at", "lies before 1990"),
        ({"at": "2026-10-25 02:30"}, "at", "comes twice"),
        ({"to": "2026-11-03"}, "to", "detected promises no time"),
        ({"from": "2026-11-03"}, "from", "detected promises no time"),
        ({"kind": "plan", "event": "scheduled"}, "to", "is empty, but scheduled promises a time"),
        (
            {"kind": "visit", "event": "scheduled", "to": "2026-11-03"},
            "from",
            "is empty, but scheduled promises an inte",
        ),
        ({"kind": "plan", "event": "scheduled", "from": "2026-11-04", "to": "2026-11-03"}, "to", "is before from"),
        ({"kind": "plan", "event": "scheduled", "to": "x"}, "to", "is no time"),
    ],
)
def test_a_bad_cell_is_refused(changes: dict[str, str], column: str, reason: str) -> None:
    ((found, said),) = faults(**changes)
    assert (found, said[: len(reason)]) == (column, reason)


def test_every_bad_cell_of_a_row_is_named() -> None:
    assert [column for column, _ in faults(event="mended", subject="H2", at="x")] == ["event", "subject", "at"]


def test_what_need_not_be_registered_is_not_looked_up() -> None:
    assert isinstance(row(kind="document", subject="report-2026-10"), NewEvent)


def test_now_is_not_the_future() -> None:
    assert isinstance(row(at="2026-11-30 13:00"), NewEvent)


def test_a_day_as_the_end_of_a_promise_means_its_end() -> None:
    found = row(kind="plan", event="scheduled", to="30/11/2026")
    assert isinstance(found, NewEvent)
    assert found.end_us == us("2026-12-01 00:00") - 1


@pytest.mark.parametrize("text", ["x", "[]", '{"place": 1}', '{"base": "NORD"}', '{"a": "\\u0007"}', '{"a": {}}'])
def test_other_details_are_texts_without_a_column(text: str) -> None:
    with pytest.raises(ValueError, match=r"details"):
        row(details=text)


def test_details_are_written_in_one_way() -> None:
    assert details_text({"team": "T1", "base": "NORD", "alarm": None, "x": ""}) == '{"base":"NORD","team":"T1"}'
    assert details_text({}) == ""


TEXTS = st.text(st.characters(categories=["L", "N", "P"]), max_size=20)


@given(
    st.builds(
        lambda at, by, ref, details: told("detected", NOW_US - at, ref, by=by, details=details_text(details)),
        st.integers(0, 10**15), TEXTS, TEXTS, st.dictionaries(st.sampled_from(["base", "team", "place", "ref"]), TEXTS),
    )
)  # fmt: skip
def test_an_exported_row_comes_back_the_same(event: NewEvent) -> None:
    (exported,) = map(event_row, recorded(event))
    assert tuple(exported) == COLUMNS
    assert row(**exported) == event
    assert json.loads(exported["details"] or "{}").keys() <= {"place", "ref"}


@given(st.integers(1, 10**12), st.integers(1, 10**9))
def test_an_exported_promise_comes_back_the_same(at: int, length: int) -> None:
    event = told("scheduled", NOW_US - at, kind="visit", begin_us=NOW_US, end_us=NOW_US + length)
    (exported,) = map(event_row, recorded(event))
    assert row(**exported) == event


TEXTS = st.one_of(st.text(max_size=70), st.integers(0, 600).map("x".__mul__), st.sampled_from(["", " F-1", "no\nline"]))


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_what_may_be_recorded_comes_back_from_an_export(ref: str, by: str, note: str, team: str) -> None:
    """Commands and imports have one bound: an event is refused at once, or its row makes the same event again."""
    event = told("detected", "2026-11-02 09:00", ref, by=by, note=note, details=details_text({"team": team}))
    if unfit(event):
        assert max(map(len, (ref, by, note, team))) > 64 or any(
            text != text.strip() or not text.isprintable() for text in (ref, by, note, team)
        )
        return
    (made,) = recorded(event)
    assert row(**event_row(made)) == event
    assert len(ref) <= REF_MAX
