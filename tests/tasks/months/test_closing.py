"""Closing a month: when it may be closed, what is undecided then, and facts that come in at the same time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.clock import ManualClock, iso, to_us
from vetlla.domain.closing import ClosedFile
from vetlla.domain.duties import NewEvent
from vetlla.domain.errors import StoreError, UsageError
from vetlla.domain.month_findings import FindingKind
from vetlla.store.duties import events as duty_events
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.duties.rules import read_rule_files
from vetlla.tasks.months.closing import CloseOrder, close_month
from vetlla.tasks.months.looking import closing, closings
from vetlla.tasks.months.parts import LEVELS_PAGE, PARTS
from vetlla.tasks.months.verifying import verify

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.tasks.months.sources import MonthSources

ORDER = CloseOrder(month=date(2026, 10, 1), by="x", reason="", note="", documents=(), dry_run=False)
FILES = read_rule_files()


def clock_at(day: int, month: int = 11, hour: int = 0) -> ManualClock:
    """Return a clock at a time in UTC."""
    return ManualClock(datetime(2026, month, day, hour, tzinfo=UTC))


def record(folder: Path, recorded_us: int, kind: str, event: str, at: datetime) -> None:
    """Record an event of a duty."""
    with transaction(folder, clock_at(1)) as connection:
        told = NewEvent(kind, "H1", event, to_us(at), ref="R-1")
        duty_events.add_all(connection, [told], "test", recorded_us)


def test_undecided_cases_are_named_with_the_time_they_run_out(tmp_path: Path) -> None:
    """A complaint counts in the month of its arrival, and may be answered in the next one."""
    record(tmp_path, 1, "complaint", "received", datetime(2026, 10, 30, 12, tzinfo=UTC))
    (one,) = close_month(tmp_path, clock_at(3), FILES, ORDER, lambda: None).undecided
    assert (one.ans, one.kind, one.subject) == (19, "complaint", "H1")
    assert str(iso(one.due_us)).startswith("2026-11-06")


def test_a_month_is_over_on_the_clock_of_the_service(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not over"):
        close_month(tmp_path, clock_at(31, month=10, hour=22), FILES, ORDER, lambda: None)
    close_month(tmp_path, clock_at(31, month=10, hour=23), FILES, ORDER, lambda: None)


def test_a_fact_that_comes_in_while_the_month_is_closed_refuses_the_close(tmp_path: Path) -> None:
    """A command that was stamped before the close, and had to wait, commits after the record was read."""
    clock = clock_at(3)
    name, part = next(iter(PARTS.items()))

    def make(found: MonthSources) -> bytes:
        made = part.make(found)
        connection = found.record.connection
        connection.execute("ROLLBACK")  # so that another process can write
        record(tmp_path, clock.now().utc_us - 1, "fault", "detected", datetime(2026, 10, 5, tzinfo=UTC))
        connection.execute("BEGIN")
        return made

    record(tmp_path, 1, "fault", "detected", datetime(2026, 10, 4, tzinfo=UTC))
    parts = dict(PARTS) | {name: part._replace(make=make)}
    with pytest.raises(StoreError, match="duty_events"):
        close_month(tmp_path, clock, FILES, ORDER, lambda: None, parts=parts)
    assert closings(tmp_path, clock) == []


def test_a_page_that_another_version_makes_in_another_way_is_no_fault(tmp_path: Path) -> None:
    """Its figures are compared in the results."""
    clock = clock_at(3)
    close_month(tmp_path, clock, FILES, ORDER, lambda: None)
    kept = closing(tmp_path, clock, ORDER.month)
    pages = [ClosedFile.of(one.role, one.name, one.media, b"%PDF") for one in kept.files if one.name == LEVELS_PAGE]
    others = [one for one in kept.files if one.name != LEVELS_PAGE]
    for program, kind in ((kept.program, FindingKind.FIGURE), ("0.0.1", FindingKind.INFORMATION)):
        changed = replace(kept, files=(*others, *pages), program=program)
        found = [one for one in verify(tmp_path, clock, changed, FILES) if one.subject == LEVELS_PAGE]
        assert [one.kind for one in found] == [kind]
