"""The check names clocks that ran out, or are about to, by the ticket's number."""

from __future__ import annotations

from tests.rigs.support import LEVELS, local, ticket
from vetlla.domain.findings import Level, worst
from vetlla.service.support.checking import check
from vetlla.service.support.standing import standing

OPENED = ("opened", "2026-11-23 09:00")


def levels_at(now: str, *acts: tuple[str, str]) -> list[tuple[str, Level]]:
    """Return goal and level of the findings about a ticket."""
    found = check([standing(ticket(OPENED, *acts), LEVELS, local(now))], LEVELS)
    return [(one.check, one.level) for one in found]


def test_a_clock_warns_before_it_runs_out() -> None:
    assert levels_at("2026-11-23 11:59") == []
    assert levels_at("2026-11-23 12:00") == [("answer", Level.WARNING)]
    assert levels_at("2026-11-23 13:01") == [("answer", Level.CRITICAL)]


def test_a_goal_that_was_reached_or_a_clock_that_stands_does_not_warn() -> None:
    assert levels_at("2026-11-23 12:30", ("answered", "2026-11-23 12:15")) == []
    assert levels_at("2026-11-25 12:30", ("paused", "2026-11-23 12:15")) == []
    assert levels_at("2026-11-25 12:30", ("solved", "2026-11-23 16:00")) == []


def test_the_worst_clock_comes_first_and_no_text_is_shown() -> None:
    early = ticket(("opened", "2026-11-23 09:00"), number=1)
    late = ticket(("opened", "2026-11-23 10:00"), number=2)
    found = check([standing(one, LEVELS, local("2026-11-24 15:30")) for one in (late, early)], LEVELS)
    assert [(one.figures or {})["ticket"] for one in found] == [1, 2, 1, 2]
    assert [one.level for one in found] == [Level.CRITICAL] * 2 + [Level.WARNING] * 2
    assert worst(found) is Level.CRITICAL
    assert found[0].text == "ticket 1 (critical): the time to answer has run out"
    assert found[0].remedy == "vetlla support show 1"
