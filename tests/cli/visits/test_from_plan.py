"""Duties follow from the plan, from upkeep and from homes that left; movements of equipment end them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.visits.conftest import HOMES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


def made(service: Vetlla, *words: str) -> dict[str, tuple[int, int, int]]:
    """Make the duties; return for each kind how many were opened, known and ended."""
    done = service("visits", "from-plan", *words, "--json")
    assert done.status == 0, done.error
    return {row["kind"]: (row["opened"], row["known"], row["ended"]) for row in done.json}


def duties(service: Vetlla, kind: str, *words: str) -> dict[str, dict[str, Any]]:
    """Return the duties of a kind by subject."""
    return {one["subject"]: one for one in service("duties", "list", "--kind", kind, *words, "--json").json}


def plan(service: Vetlla) -> None:
    """Plan the renewals of the coming years."""
    done = service("renewals", "plan", "--from", "2026-12-01", "--to", "2032-12-31", "--no-growth")
    assert done.status == 0, done.error


def test_the_plan_becomes_duties_and_again_nothing_new(service: Vetlla) -> None:
    plan(service)
    first = made(service)
    assert first["renewal"][0] == len(duties(service, "renewal"))
    assert first["removal"] == (1, 0, 0)
    again = made(service)
    assert again == {kind: (0, opened, 0) for kind, (opened, _, _) in first.items()}
    assert made(service, "--dry-run") == again


def test_a_renewal_is_due_the_day_before_the_end_of_life(service: Vetlla) -> None:
    plan(service)
    made(service)
    (row,) = (
        one for one in service("renewals", "due", "--to", "2032-12-31", "--json").json if one["device"] == "ucr:U1"
    )
    one = duties(service, "renewal")["ucr:U1"]
    assert one["ref"] == f"renewal {row['ends']} H1"
    assert one["due"][:10] < row["ends"]


def test_a_dry_run_and_a_past_day_write_nothing(service: Vetlla) -> None:
    assert made(service, "--dry-run")["removal"] == (1, 0, 0)
    assert not duties(service, "removal")
    assert service("visits", "from-plan", "--to", "2020-01-01").status == 64
    assert service("visits", "from-plan", "--purpose", "fault").status == 64


def test_a_replacement_ends_the_renewal_and_calls_the_upkeep_off(service: Vetlla) -> None:
    plan(service)
    made(service)
    replaced = service("inventory", "replace", "ucr:U1", "ucr:U2", "--renewal")
    assert "renewal" in replaced.talk
    (renewal,) = service("duties", "show", duties(service, "renewal")["ucr:U1"]["id"], "--json").json
    assert renewal["events"][-1]["event"] == "done"
    upkeep = duties(service, "maintenance")["ucr:U1"]
    assert upkeep["ended"] is not None
    assert made(service)["renewal"][0] == 0


def test_upkeep_by_hand_ends_its_duty_and_the_next_one_is_made(service: Vetlla) -> None:
    made(service)
    before = duties(service, "maintenance")["ucr:U1"]
    dry = service("inventory", "battery", "ucr:U1", "--dry-run")
    assert (dry.status, duties(service, "maintenance")["ucr:U1"]["ended"]) == (0, None)
    told = service("inventory", "battery", "ucr:U1", "--json")
    assert (len(told.json), f"maintenance {before['id']}" in told.talk) == (1, True)
    (one,) = service("duties", "show", before["id"], "--json").json
    assert one["events"][-1]["event"] == "done"
    assert made(service, "--purpose", "maintenance", "--to", "2035-01-01")["maintenance"][0] >= 1


def test_upkeep_that_a_file_tells_ends_its_duty_with_the_next_run(service: Vetlla, tmp_path: Path) -> None:
    made(service)
    number = duties(service, "maintenance")["ucr:U1"]["id"]
    file = tmp_path / "newer.csv"
    file.write_text(
        "type,serial,ownership,place,home,made,first_installed,last_battery\n"
        "ucr,U1,municipal,home,H1,2018-W10,2018-05-02,2026-11-20\n",
        encoding="utf-8",
    )
    assert service("inventory", "import", file).status == 0
    assert made(service, "--to", "2035-01-01")["maintenance"][2] == 1
    (one,) = service("duties", "show", number, "--json").json
    assert one["events"][-1]["event"] == "done"


def test_the_last_device_of_a_home_that_left_is_the_recovery(service: Vetlla) -> None:
    made(service)
    removal = duties(service, "removal")["H3"]
    assert removal["opened"] == "2026-11-10T22:59:59.999999Z"
    assert service("inventory", "remove", "smoke:S3", "--day", "2026-11-20").status == 0
    after = duties(service, "removal")["H3"]
    assert (after["verdict"], after["ended"]) == ("kept", "2026-11-20T22:59:59.999999Z")


def test_a_home_that_comes_back_needs_no_recovery(service: Vetlla, tmp_path: Path) -> None:
    made(service)
    file = tmp_path / "again.csv"
    file.write_text(HOMES.replace("2018-01-01/2026-11-10", "2018-01-01/"), encoding="utf-8")
    assert service("inventory", "import", file, "--what", "homes").status == 0
    assert made(service)["removal"] == (0, 0, 1)
    assert duties(service, "removal")["H3"]["ended"] is not None


@pytest.mark.parametrize(
    ("active", "verdict"),
    [("2018-01-01/", "cancelled"), ("2018-01-01/2026-11-10;2026-11-20/", "cancelled"),
     ("2018-01-01/2026-11-10;2026-11-30/", "breached")],
)  # fmt: skip
def test_a_corrected_day_of_leaving_is_no_breach(service: Vetlla, active: str, verdict: str) -> None:
    """Nothing was owed from the day on which the home was attended again, whenever the office learns of it."""
    made(service)
    assert duties(service, "removal")["H3"]["verdict"] == "breached"
    assert service("homes", "set", "H3", "--active", active, "--correct").status == 0
    assert made(service)["removal"] == (0, 0, 1)
    assert duties(service, "removal")["H3"]["verdict"] == verdict


def test_a_duty_that_a_person_opened_is_not_made_a_second_time(service: Vetlla) -> None:
    service("duties", "open", "removal", "H3", "--at", "2026-11-10T12:00")
    assert made(service)["removal"] == (0, 1, 0)


def test_a_terminal_that_comes_into_a_home_is_its_installation(service: Vetlla) -> None:
    service("duties", "open", "installation", "H2", "--at", "2026-11-20T09:00")
    assert service("inventory", "install", "smoke:S1", "H2").status == 0
    assert duties(service, "installation")["H2"]["ended"] is None, "a detector is not the installation"
    assert service("inventory", "install", "terminal_gsm:T2", "H2", "--day", "2026-11-25").status == 0
    one = duties(service, "installation")["H2"]
    assert (one["verdict"], one["ended"]) == ("kept", "2026-11-25T22:59:59.999999Z")


def test_of_two_open_installations_a_person_chooses(service: Vetlla) -> None:
    for ref in ("A", "B"):
        service("duties", "open", "installation", "H2", "--at", "2026-11-20T09:00", "--ref", ref)
    told = service("inventory", "install", "terminal_gsm:T2", "H2")
    assert "2 open installations" in told.talk
    assert len(duties(service, "installation", "--open")) == 1


def test_a_movement_that_is_refused_ends_no_duty(service: Vetlla) -> None:
    made(service)
    assert service("inventory", "replace", "ucr:U1", "smoke:S1").status == 64
    assert duties(service, "maintenance")["ucr:U1"]["ended"] is None


def test_events_of_visits_come_back_from_an_exported_file(service: Vetlla, tmp_path: Path) -> None:
    service("visits", "schedule", "H1", "--from", "2026-12-20T09:00", "--to", "2026-12-20T10:00", "--minutes", "25")
    file = tmp_path / "events.csv"
    assert service("duties", "export", file, "--kind", "visit").status == 0
    assert '""minutes"":""25""' in file.read_text(encoding="utf-8")
    assert service("duties", "import", file, "--json").json[0]["unchanged"] == 1
    other = tmp_path / "other"
    other.mkdir()
    homes = tmp_path / "homes.csv"
    assert service("inventory", "import", homes, "--what", "homes", "--state-dir", other).status == 0
    assert service("duties", "import", file, "--state-dir", other, "--json").json[0]["new"] == 1
    (visit,) = service("visits", "list", "--state-dir", other, "--json").json
    assert (visit["minutes"], visit["purpose"], visit["base"]) == (25, "other", "NORD")
    bad = file.read_text(encoding="utf-8").replace('""25""', "25")
    file.write_text(bad, encoding="utf-8")
    assert "should be a JSON object of texts" in service("duties", "import", file).talk
