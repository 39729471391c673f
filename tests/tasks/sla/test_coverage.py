"""ANS 5, 6 and 13 of a month of which the journal has not everything: what is left never keeps a level."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.rigs.journals import journal, report
from tests.rigs.removals import removed
from vetlla.domain.clock import DAY_US, SECOND_US, ManualClock, to_us
from vetlla.domain.service_levels import LevelNote, LevelVerdict
from vetlla.domain.supervision import DayOf, KeptDevice, LedgerDay, Stretch
from vetlla.service.duties.terms import DutyRules
from vetlla.service.parameters import Parameters
from vetlla.store.backups.backup import back_up
from vetlla.store.backups.restore import restore
from vetlla.store.journal.free_space import FreeSpace
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.duties.rules import load_rules
from vetlla.tasks.sla.coverage import START
from vetlla.tasks.sla.month import month_record
from vetlla.tasks.sla.sources import figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from vetlla.domain.service_levels import LevelFigure

DAY_S: Final = 86_400
LATE_US: Final = 21 * SECOND_US
KEPT, NOT_KEPT, NOT_MEASURED = LevelVerdict.KEPT, LevelVerdict.NOT_KEPT, LevelVerdict.NOT_MEASURED
MARCH: Final = date(2026, 3, 1)


def rules(start: date = date(2024, 4, 1)) -> DutyRules:
    """Return the rules with another start of the contract."""
    # The signals of these tests have no alarm, and there are no telephone calls.
    given: dict[str, Any] = {"sla.phone_calls": "no", "sla.t3.routine": "yes", START: start}
    shipped = load_rules()
    entries = [entry for name in shipped.parameters.names() for entry in shipped.parameters.all(name)]
    changed: Any = [replace(one, value=given.get(one.name, one.value)) for one in entries]
    return DutyRules(shipped.kinds, Parameters(changed))


def signals(state: Path, begin: datetime, days: Iterable[int], late: int = -1, keep_days: int = 0) -> ManualClock:
    """Write a signal on days after a begin, the one of day ``late`` with a *t2* of 21 s; return the clock.

    ``keep_days`` removes older ones 60 days later.
    """
    clock = ManualClock(begin)
    with journal(state, clock) as scribe:
        at = 0
        for number in days:
            clock.advance((number - at) * DAY_S)
            at = number
            batch = scribe.signals([report(number)])
            scribe.write(batch)
            if number == late:
                stamps = scribe._stamps.pop()  # of the commit, which the next one writes
                ready = {"ready_us": stamps.ready_us + LATE_US, "ready_mono_us": stamps.ready_mono_us + LATE_US}
                scribe._stamps.append(stamps._replace(**ready))
        scribe.flush()
        clock.advance(60 * DAY_S)
        if keep_days:
            removed(scribe, signals=keep_days)
    return clock


@contextmanager
def levels(state: Path, clock: ManualClock, month: date, with_rules: DutyRules) -> Iterator[dict[int, LevelFigure]]:
    """Yield the levels of the journal in a month."""
    with transaction(state, clock):
        pass
    with month_record(state, clock, with_rules, month) as record:
        yield {one.ans: one for one in figures(record, (5, 6, 13))}


def test_a_removal_by_age_never_keeps_a_month_that_was_not_kept(tmp_path: Path) -> None:
    """March has a late report on its 20th day. After a removal up to the 25th, the rest of them are in time."""
    begin = datetime(2026, 2, 1, 9, tzinfo=UTC)
    whole = signals(tmp_path / "whole", begin, range(60), late=47)
    with levels(tmp_path / "whole", whole, MARCH, rules()) as found:
        assert (found[5].verdict, found[5].notes) == (NOT_KEPT, ())
    clock = signals(tmp_path / "cut", begin, range(60), late=47, keep_days=66)
    with levels(tmp_path / "cut", clock, MARCH, rules()) as found:
        (part,) = found[5].parts
        assert (part.numerator, part.denominator) == (6, 6)
        assert {found[ans].verdict for ans in (5, 6)} == {part.verdict} == {NOT_MEASURED}
        assert found[5].notes == found[6].notes == (LevelNote.JOURNAL_REMOVED,)
    with levels(tmp_path / "cut", clock, date(2026, 2, 1), rules()) as found:
        assert (found[5].verdict, found[5].notes[0]) == (NOT_MEASURED, LevelNote.JOURNAL_REMOVED)
    with levels(tmp_path / "cut", clock, date(2026, 4, 1), rules()) as found:
        assert (found[5].verdict, found[5].notes) == (KEPT, ()), "April lacks nothing"


def test_a_breach_that_is_left_still_breaks_a_month_of_which_signals_were_removed(tmp_path: Path) -> None:
    clock = signals(tmp_path, datetime(2026, 2, 1, 9, tzinfo=UTC), range(60), late=55, keep_days=66)
    with levels(tmp_path, clock, MARCH, rules()) as found:
        assert (found[5].verdict, found[5].notes) == (NOT_KEPT, (LevelNote.JOURNAL_REMOVED,))


@pytest.mark.parametrize(
    ("begin", "contract", "verdict", "notes"),
    [
        (datetime(2026, 2, 28, 9, tzinfo=UTC), date(2024, 4, 1), KEPT, ()),
        (datetime(2026, 3, 1, 9, tzinfo=UTC), date(2024, 4, 1), KEPT, ("journal_later",)),
        (datetime(2026, 3, 2, 9, tzinfo=UTC), date(2024, 4, 1), NOT_MEASURED, ("journal_later",)),
        (datetime(2026, 3, 14, 9, tzinfo=UTC), date(2026, 3, 15), KEPT, ()),
        (datetime(2026, 3, 16, 9, tzinfo=UTC), date(2026, 3, 15), NOT_MEASURED, ("journal_later",)),
    ],
)
def test_a_month_is_measured_from_the_first_start_of_the_receiver(
    tmp_path: Path, begin: datetime, contract: date, verdict: LevelVerdict, notes: tuple[str, ...]
) -> None:
    """A journal that begins on the first day of the service is whole, with a note; one that begins later is not."""
    clock = signals(tmp_path, begin, range(2, 20))
    with levels(tmp_path, clock, MARCH, rules(contract)) as found:
        assert {(found[ans].verdict, found[ans].notes) for ans in (5, 6)} == {(verdict, notes)}


def test_a_month_before_the_journal_and_a_service_without_one_are_not_measured(tmp_path: Path) -> None:
    """Telephone calls alone never prove ANS 6."""
    clock = signals(tmp_path / "later", datetime(2026, 4, 1, 9, tzinfo=UTC), range(3))
    for state, note in ((tmp_path / "later", "journal_later"), (tmp_path / "none", "no_journal")):
        state.mkdir(exist_ok=True)
        with levels(state, clock, MARCH, rules()) as found:
            assert {(found[ans].verdict, note in found[ans].notes) for ans in (5, 6)} == {(NOT_MEASURED, True)}


def test_a_month_of_which_a_restore_may_have_lost_signals_is_not_measured(tmp_path: Path) -> None:
    """A backup of 2 March is restored on the 12th, after signals of each day between them; April lacks nothing."""
    state, backup = tmp_path / "state", tmp_path / "backup"
    signals(state, datetime(2026, 2, 1, 9, tzinfo=UTC), range(28))
    room = FreeSpace(state, reserve=0)
    back_up(state, backup, ManualClock(datetime(2026, 3, 2, tzinfo=UTC)), room)
    signals(state, datetime(2026, 3, 2, 9, tzinfo=UTC), range(10))
    restore(backup, state, ManualClock(datetime(2026, 3, 12, tzinfo=UTC)), room, actor="enric")
    clock = signals(state, datetime(2026, 3, 12, 9, tzinfo=UTC), range(40))
    with levels(state, clock, MARCH, rules()) as found:
        assert {(found[ans].verdict, found[ans].notes) for ans in (5, 6)} == {
            (NOT_MEASURED, (LevelNote.JOURNAL_RESTORED,))
        }
    for month in (date(2026, 2, 1), date(2026, 4, 1)):
        with levels(state, clock, month, rules()) as found:
            assert LevelNote.JOURNAL_RESTORED not in found[5].notes


def ledger(state: Path, days: Iterable[int], silent: int = -1) -> ManualClock:
    """Write a ledger with one terminal for days of March; on day ``silent`` it was not checked."""
    clock = ManualClock(datetime(2026, 2, 1, tzinfo=UTC))
    with journal(state, clock) as scribe:
        batch = scribe.batch()
        batch.supervision.units.append(KeptDevice(0, "4C01", "", "1", "", 1, 1, 1, 0, 900, 3, "", 0, 0, 0, 0))
        for number in days:
            day, stretch = date(2026, 3, number).isoformat(), Stretch(0)
            length_s = 82_800 if number == 29 else DAY_S
            stretch.put(DayOf(0, 900, 3, length_s, 96, 9_000 if number == silent else 905, 0, 1))
            batch.supervision.add_stretch(day, stretch)
            batch.supervision.days.append(LedgerDay(day, 0, 5.0))
        scribe.write(batch)
    clock.advance(90 * DAY_S)
    return clock


@pytest.mark.parametrize(
    ("first", "silent", "verdict"),
    [(1, 3, NOT_KEPT), (1, -1, KEPT), (20, -1, NOT_MEASURED), (20, 25, NOT_KEPT)],
)
def test_a_ledger_that_lost_the_first_days_of_a_month_does_not_keep_it(
    tmp_path: Path, first: int, silent: int, verdict: LevelVerdict
) -> None:
    """Days before the whole ledger are no days on which the receiver did not run."""
    clock = ledger(tmp_path, range(first, 32), silent)
    with levels(tmp_path, clock, MARCH, rules()) as found:
        days = next(part for part in found[13].parts if part.name == "days_recorded")
        assert (days.numerator, days.denominator) == (32 - first, 32 - first)
        assert (found[13].verdict, LevelNote.LEDGER_LATER in found[13].notes) == (verdict, first > 1)
    with levels(tmp_path, clock, date(2026, 2, 1), rules()) as found:
        assert (found[13].verdict, found[13].notes) == (NOT_MEASURED, (LevelNote.LEDGER_LATER,))


def test_a_running_month_says_that_it_is_not_over(tmp_path: Path) -> None:
    signals(tmp_path, datetime(2026, 2, 1, 9, tzinfo=UTC), range(40))
    end_us = to_us(datetime(2026, 3, 31, 22, tzinfo=UTC))  # midnight in Barcelona
    with transaction(tmp_path, ManualClock(datetime(2026, 2, 1, tzinfo=UTC))):
        pass
    for seen_us, notes in ((end_us - DAY_US, {("month_runs",)}), (end_us - 1, {("month_runs",)}), (end_us, {()})):
        clock = ManualClock(datetime.fromtimestamp(seen_us // SECOND_US, UTC))
        clock.advance(seen_us % SECOND_US / SECOND_US)
        with month_record(tmp_path, clock, rules(), MARCH) as record:
            assert {one.notes for one in figures(record, (1, 5, 20))} == notes
