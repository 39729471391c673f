"""The figures of a month count goals that are decided, and say of how many."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.rigs.support import LEVELS, local, ticket
from vetlla.service.support.report import ALL, GoalFigures, SeverityFigures, figures
from vetlla.service.support.standing import standing

HOUR = timedelta(hours=1)
OPENED = ("opened", "2026-11-23 09:00")
NOW = "2026-11-25 10:00"


def found(*tickets: tuple[tuple[str, str], ...], now: str = NOW, severity: str = "critical") -> list[SeverityFigures]:
    """Return the figures of tickets of one severity."""
    standings = [standing(ticket(*acts, severity=severity), LEVELS, local(now)) for acts in tickets]
    return figures(standings, LEVELS.severities)


def test_each_severity_has_a_row_and_all_together() -> None:
    rows = found((OPENED, ("solved", "2026-11-23 10:00")))
    assert [(one.severity, one.tickets) for one in rows] == [("critical", 1), ("low", 0), (ALL, 1)]
    assert rows[1].answer == rows[1].solve == GoalFigures(0, 0, None, None)
    assert rows[1].answer.percent is None


def test_a_share_is_of_decided_goals_and_times_are_working_time() -> None:
    quick = (OPENED, ("answered", "2026-11-23 10:00"), ("solved", "2026-11-23 12:00"))
    slow = (OPENED, ("answered", "2026-11-23 16:00"), ("solved", "2026-11-24 10:00"))
    running = (("opened", "2026-11-25 09:00"),)
    row = found(quick, slow, running)[0]
    assert (row.tickets, row.open) == (3, 1)
    assert row.answer == GoalFigures(1, 1, 3.5 * HOUR, 6 * HOUR)
    assert row.solve == GoalFigures(2, 0, 6 * HOUR, 9 * HOUR)
    assert (row.answer.decided, row.answer.percent) == (2, Decimal("50.0"))


def test_an_open_ticket_whose_clock_has_run_out_counts_as_late() -> None:
    row = found((OPENED,))[0]
    assert row.answer == GoalFigures(0, 1, 17 * HOUR, 17 * HOUR)
    assert (row.solve.late, row.open) == (1, 1)


def test_pauses_and_reopenings_are_counted_by_ticket() -> None:
    acts = (
        OPENED,
        ("paused", "2026-11-23 10:00"),
        ("resumed", "2026-11-23 11:00"),
        ("paused", "2026-11-23 12:00"),
        ("resumed", "2026-11-23 13:00"),
        ("solved", "2026-11-23 13:30"),
        ("reopened", "2026-11-24 09:00"),
    )
    row = found(acts, (OPENED,))[0]
    assert (row.paused, row.reopened, row.open) == (1, 1, 2)
