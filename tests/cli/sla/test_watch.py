"""``vetlla sla watch``: what is open until the month's end, what a level can bear, and the monitoring plug-in."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.homes_on_record import register_homes
from vetlla.cli.sla import watching
from vetlla.domain.clock import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla
    from tests.cli.sla.conftest import Changed

EVENTS = """kind,subject,event,at,ref
fault,H1,detected,2025-10-06T09:00:00+02:00,F-1
fault,H1,solved,2025-10-06T15:00:00+02:00,F-1
fault,H2,detected,2025-10-20T09:00:00+02:00,F-2
umo_1,H2,communicated,2025-10-20T09:40:00+02:00,E-1
claim,H1,received,2025-10-28T09:00:00+01:00,C-1
"""


def at(moment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be a moment."""
    monkeypatch.setattr(watching, "CLOCK", ManualClock(datetime.fromisoformat(moment).astimezone(UTC)))


@pytest.fixture
def service(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> Vetlla:
    """Make a registry with homes and open duties of October 2025."""
    register_homes(state_dir.parent)
    events = tmp_path / "events.csv"
    events.write_text(EVENTS, encoding="utf-8")
    done = vetlla("duties", "import", events)
    assert done.status == 0, done.error
    return vetlla


def levels(service: Vetlla, *words: object) -> dict[int, dict[str, Any]]:
    """Return the levels by number."""
    return {one["ans"]: one for one in service("sla", "watch", *words, "--json").json}


def test_open_duties_of_the_month_are_counted_and_those_that_run_out_soon_named(
    service: Vetlla, monkeypatch: pytest.MonkeyPatch
) -> None:
    at("2025-10-20T09:50+02:00", monkeypatch)
    found = levels(service)
    assert sorted(found) == list(range(1, 24))
    assert found[11]["month"] == "2025-10"
    assert (found[11]["open"], found[11]["running_out"], found[11]["next_due"]) == (1, 1, "2025-10-20T08:15:00.000000Z")
    assert [(one["kind"], one["subject"]) for one in found[11]["soon"]] == [("umo_1", "H2")]
    assert (found[14]["open"], found[14]["running_out"], found[14]["verdict"]) == (1, 0, "kept")
    assert levels(service, "--within", "4d")[14]["running_out"] == 1
    assert found[2]["may_fail"] is None


def test_the_plug_in_warns_before_a_clock_runs_out_and_is_critical_after(
    service: Vetlla, monkeypatch: pytest.MonkeyPatch
) -> None:
    for moment, status, said in (
        ("2025-10-15T09:00+02:00", 0, "SLA OK"),
        ("2025-10-20T09:50+02:00", 1, "ANS 11: 1 clocks run out within 8 h 00"),
        ("2025-10-20T10:15:01+02:00", 2, "ANS 11 is not kept in 2025-10: 1 breaches"),
    ):
        at(moment, monkeypatch)
        done = service("sla", "watch", "--check")
        assert (done.status, said in done.out) == (status, True), done.out
    (finding, *_) = service("sla", "watch", "--check", "--json").json
    assert finding["remedy"] == "vetlla sla explain 11 --month 2025-10 --breaches"


def test_the_plug_in_is_unknown_without_a_registry(vetlla: Vetlla, tmp_path: Path) -> None:
    done = vetlla("sla", "watch", "--check", "--state-dir", tmp_path / "none")
    assert (done.status, "UNKNOWN" in done.out) == (3, True)


def test_a_share_below_100_bears_breaches(service: Vetlla, monkeypatch: pytest.MonkeyPatch, changed: Changed) -> None:
    at("2025-10-29T09:00+01:00", monkeypatch)
    half = changed("sla.share", 50)
    found = levels(service, "--parameters", half)
    assert (found[19]["may_fail"], found[14]["may_fail"]) == (0, 0)
    assert (found[14]["numerator"], found[14]["denominator"], found[14]["verdict"]) == (1, 2, "kept")


def test_people_see_the_month_up_to_now(service: Vetlla, monkeypatch: pytest.MonkeyPatch) -> None:
    at("2025-10-20T09:50+02:00", monkeypatch)
    done = service("sla", "watch")
    assert (done.status, "Service levels of 2025-10 up to now" in done.out) == (0, True)
    assert "umo_1" in done.out


def test_the_month_is_that_of_the_clock(service: Vetlla, monkeypatch: pytest.MonkeyPatch) -> None:
    at("2025-10-31T23:30+00:00", monkeypatch)
    assert {one["month"] for one in levels(service).values()} == {f"{date(2025, 11, 1):%Y-%m}"}
