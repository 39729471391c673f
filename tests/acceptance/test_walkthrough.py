"""The walk-through of a month is true: its commands print what the page shows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs import journals
from tests.rigs.walkthrough import ROOT, Page, comparable, walked
from vetlla.domain.alarms import AlarmOutcome, State
from vetlla.domain.clock import SECOND_US, ManualClock, to_us
from vetlla.domain.signals import Priority

if TYPE_CHECKING:
    from pathlib import Path

MINUTE_US = 60 * SECOND_US


def alarms_of_november(state_dir: Path) -> None:
    """Write the alarms of the page: a press that was closed as a false alarm, and a second one 17 minutes later."""
    clock = ManualClock(datetime(2026, 11, 12, 15, 37, tzinfo=UTC))
    presses = (
        (1, datetime(2026, 11, 12, 15, 20, tzinfo=UTC), datetime(2026, 11, 12, 15, 24, tzinfo=UTC)),
        (2, datetime(2026, 11, 12, 15, 37, tzinfo=UTC), None),
    )
    with journals.journal(state_dir, clock) as scribe:
        batch = scribe.batch()
        for number, opened, closed in presses:
            opened_us = to_us(opened)
            ended: dict[str, Any] = {"priority": Priority.LIFE}
            if closed:
                ended |= {"state": State.CLOSED, "closed_us": to_us(closed), "outcome": AlarmOutcome.FALSE_ALARM}
            batch.alarms[number] = journals.alarm(
                number, clock, home="H-0101", established_us=opened_us - SECOND_US, opened_us=opened_us, **ended
            )
        scribe.write(batch)


PAGES = {"month.md": alarms_of_november}
"""The pages that are run, and what has happened in the service before their first command."""


@pytest.mark.parametrize("name", PAGES)
def test_the_page_shows_what_the_commands_print(name: str) -> None:
    """``python -m tests.rigs.walkthrough PAGE`` writes the real output into the page."""
    page = Page(ROOT / "docs" / name)
    real = walked(page, PAGES[name])
    assert len(real) > 40, "the page has lost its commands"
    for step, printed in real:
        assert (step.at, step.command, comparable(printed)) == (step.at, step.command, comparable(step.shown))
