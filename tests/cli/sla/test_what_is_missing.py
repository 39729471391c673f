"""What the journal no longer has, and what has no time: the report says it, and counts nothing of it as kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.rigs.homes_on_record import register_homes
from tests.rigs.journals import journal, report
from vetlla.domain.clock import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

DAY_S = 86_400


@pytest.fixture
def pruned(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> Vetlla:
    """Make a journal with a signal on each day of two months, and let it remove those up to the middle of March."""
    register_homes(state_dir.parent)
    clock = ManualClock(datetime(2025, 2, 1, 9, tzinfo=UTC))
    with journal(state_dir, clock) as scribe:
        for number in range(70):
            scribe.commit(report(number))
            clock.advance(DAY_S)
        scribe.flush()
    config = tmp_path / "keep.toml"
    keep_days = (datetime.now(UTC) - datetime(2025, 3, 16, 9, tzinfo=UTC)).days
    config.write_text(f'state_dir = "{state_dir}"\n[retention]\nsignals_days = {keep_days}\n', encoding="utf-8")
    with journal(state_dir, ManualClock(datetime.now(UTC))) as scribe:
        scribe.commit(report(71))  # the journal believes the clock only near its last report
        scribe.flush()
    done = vetlla("db", "prune", "--config", config)
    assert done.status == 0, done.error
    return vetlla


def test_a_month_that_lost_signals_is_not_measured_wherever_it_is_shown(pruned: Vetlla, tmp_path: Path) -> None:
    march, april = pruned("sla", "report", "--month", "2025-03..2025-04", "--ans", "5", "--json").json
    assert 0 < march["denominator"] < 31
    assert (march["numerator"], march["verdict"], march["notes"]) == (
        march["denominator"],
        "not_measured",
        ["journal_removed"],
    )
    assert (april["verdict"], april["notes"]) == ("kept", [])
    done = pruned("sla", "report", "--month", "2025-03", "--ans", "5")
    assert (done.status, "not measured" in done.out) == (3, True)
    assert "ANS 5: The journal no longer has all signals of the month" in done.out
    assert "vetlla month show" in done.out
    told = pruned("sla", "explain", "5", "--month", "2025-03").out
    assert "does not count as kept" in told
    assert "no longer has all signals" in told
    out = tmp_path / "ans.html"
    pruned("sla", "report", "--month", "2025-03", "--ans", "5", "--out", out)
    assert "ja no té tots els senyals" in out.read_text(encoding="utf-8")


def test_one_report_without_its_times_keeps_a_level_of_all_reports_from_being_kept(
    vetlla: Vetlla, state_dir: Path
) -> None:
    """The receiver was killed before it had written the stamps of its last commit."""
    register_homes(state_dir.parent)
    clock = ManualClock(datetime(2025, 3, 1, tzinfo=UTC))
    with journal(state_dir, clock) as scribe:
        for number in range(8):
            scribe.commit(report(number))
            clock.advance(DAY_S)
    (row,) = vetlla("sla", "report", "--month", "2025-03", "--ans", "5", "--json").json
    assert (row["numerator"], row["denominator"], row["unmeasured"], row["verdict"]) == (7, 7, 1, "not_measured")
    done = vetlla("sla", "report", "--month", "2025-03", "--ans", "5")
    assert (done.status, "unmeasured" in done.out, "not measured" in done.out) == (3, True, True)
    assert "was not recorded: 1" in vetlla("sla", "explain", "5", "--month", "2025-03").out


def test_a_running_month_is_called_so(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> None:
    register_homes(state_dir.parent)
    month = f"{datetime.now(UTC):%Y-%m}"
    (row,) = vetlla("sla", "report", "--month", month, "--ans", "3", "--json").json
    assert row["notes"] == ["month_runs"]
    assert "which is not over" in vetlla("sla", "report", "--month", month, "--ans", "3").out
    assert "The month is not over." in vetlla("sla", "explain", "3", "--month", month).out
    out = tmp_path / "ans.html"
    vetlla("sla", "report", "--month", month, "--ans", "3", "--out", out, "--language", "en")
    assert "The month is not over: the figures are provisional." in out.read_text(encoding="utf-8")
    assert "which is not over" not in vetlla("sla", "report", "--ans", "3").out
