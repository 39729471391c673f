"""A time without zone is on the clock of the service, wherever a dispatcher's command runs."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.rigs.street import furnish, write_alarms

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


@pytest.fixture
def away(vetlla: Vetlla, state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vetlla:
    """Return the command line in another zone."""
    furnish(vetlla, tmp_path)
    write_alarms(state_dir, (1, "H1", 12, None))
    monkeypatch.setenv("TZ", "EST5")
    time.tzset()
    return vetlla


def test_the_times_of_a_unit_are_those_of_the_service(away: Vetlla) -> None:
    (added,) = away("dispatch", "units", "add", "U9", "--base", "NORD", "--at", "2026-11-02T10:00", "--json").json
    (off,) = away("dispatch", "units", "off", "U9", "--at", "2026-11-02T10:30", "--json").json
    assert (added["since"][11:16], off["since"][11:16]) == ("09:00", "09:30")


def test_the_times_of_an_emergency_are_those_of_the_service(away: Vetlla) -> None:
    now = datetime.now(ZoneInfo("Europe/Madrid"))
    for minutes, words in ((9, ("type", 1, "I")), (8, ("send", 1, "--unit", "UMO-03")), (3, ("access", 1))):
        at = (now - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M")
        done = away("dispatch", *words, "--at", at)
        assert done.status == 0, done.error
