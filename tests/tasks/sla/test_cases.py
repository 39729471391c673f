"""The duties that are read for a month are enough: against the computation of all duties of all years."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rigs.homes_on_record import register_homes, scrap, us
from tests.rigs.ledger import write_ledger
from vetlla.domain.clock import DAY_US
from vetlla.domain.duties import NewEvent
from vetlla.service.sla.from_duties import CountedBy, counts_at, is_of_month
from vetlla.store.duties import events as store
from vetlla.store.journal.archive import Archive
from vetlla.tasks.duties import looking
from vetlla.tasks.duties.looking import Wanted
from vetlla.tasks.duties.rules import load_rules
from vetlla.tasks.sla.cases import standings
from vetlla.tasks.sla.month import MonthRecord
from vetlla.tasks.supervision.month import checks, counted, ledger_month

if TYPE_CHECKING:
    from pathlib import Path

RULES = load_rules()
KINDS = ("fault", "installation", "follow_up", "visit", "umo_1", "claim", "key_destruction", "document", "call_audit")
NAMES = {name: RULES.kinds.kind(name).all_events for name in KINDS}
BEGIN_US = us("2025-01-01T00:00")
MOMENTS = st.integers(0, 400 * 24).map(lambda hour: BEGIN_US + hour * DAY_US // 24)


@st.composite
def duties(draw: st.DrawFn) -> list[NewEvent]:
    """Return the events of a duty: its opening, and others that may contradict each other."""
    kind, ref = draw(st.sampled_from(KINDS)), f"R{draw(st.integers(0, 30))}"
    described = RULES.kinds.kind(kind)
    at_us = draw(MOMENTS)
    found = []
    later = st.integers(0, 120 * 24).map(lambda hour: at_us + hour * DAY_US // 24)
    others = st.lists(st.tuples(st.sampled_from(NAMES[kind]), later), max_size=4)
    for name, moment in [(described.opens, at_us), *draw(others)]:
        begin_us = end_us = None
        if name in described.promises and draw(st.booleans()):
            begin_us = draw(MOMENTS)
            end_us = begin_us + draw(st.integers(0, 30 * 24)) * DAY_US // 24
        found.append(NewEvent(kind, draw(st.sampled_from(["H1", "H2"])), name, moment, ref, "T", "", begin_us, end_us))
    return found


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a registry with homes."""
    return register_homes(tmp_path_factory.mktemp("registry"))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(st.lists(duties(), min_size=1, max_size=8), st.sampled_from(CountedBy))
def test_every_duty_of_a_month_is_read(state: Path, told: list[list[NewEvent]], by: CountedBy) -> None:
    with scrap(state) as connection:
        store.add_all(connection, [event for events in told for event in events], "a test", BEGIN_US)
        now_us = BEGIN_US + 600 * DAY_US
        every = list(looking.found(connection, RULES, Wanted(kinds=KINDS), now_us))
        moments = [at_us for one in every if (at_us := counts_at(one, by)) is not None]
        for first in {RULES.calendar.date_of(at_us).replace(day=1) for at_us in moments}:
            record = MonthRecord(connection, None, RULES, first, now_us)
            wanted = [one for one in every if is_of_month(counts_at(one, by), record.cases)]
            read = [one for one in standings(record, KINDS, by) if is_of_month(counts_at(one, by), record.cases)]
            assert sorted(read, key=lambda one: one.duty.id) == sorted(wanted, key=lambda one: one.duty.id)
            assert wanted


def test_checks_are_counted_as_the_report_of_supervision_counts_them(tmp_path: Path) -> None:
    write_ledger(tmp_path)
    with Archive(tmp_path) as archive:
        month = ledger_month(archive, date(2026, 10, 1), RULES.calendar.zone, us("2026-12-01T00:00"))
        breached: list[str] = []
        found = checks(archive, month, lambda one: breached.append(one.day))
        slow = counted(archive, month, lambda *_: None)
    assert {key: tuple(pair) for key, pair in found.items()} == {
        key: (sums.checked, sums.supervised) for key, sums in slow.items() if sums.supervised
    }
    assert len(breached) == sum(sums.breaches for sums in slow.values()) == 1
