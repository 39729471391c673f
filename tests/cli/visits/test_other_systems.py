"""Visits and faults that another system recorded: without a base, or with codes in another spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

EVENTS = """\
kind,subject,event,at,ref,from,to,base,team
visit,H1,scheduled,2026-11-02 09:00,V-1,2026-11-06 09:00,2026-11-06 10:30,nord,T-07
visit,H2,scheduled,2026-11-02 09:00,V-2,2026-11-06 10:00,2026-11-06 11:30,NORD,t-07
visit,H1,scheduled,2026-11-02 09:00,V-3,2026-11-06 12:00,2026-11-06 13:30,,T 08
visit,H3,scheduled,2026-11-02 09:00,V-4,2026-11-06 12:00,2026-11-06 13:30,,T08
visit,H3,scheduled,2026-11-02 09:00,V-5,2026-11-06 14:00,2026-11-06 15:30,OEST,T08
fault,H1,detected,2026-11-02 09:00,F-1,,,,
fault,H2,detected,2026-11-02 09:00,F-2,,,Nord,
fault,H3,detected,2026-11-02 09:00,F-3,,,,
"""
DAY = ("--day", "2026-11-06")


@pytest.fixture
def imported(service: Vetlla, tmp_path: Path) -> Vetlla:
    """Return the commands of a service that imported the events of another system."""
    file = tmp_path / "field.csv"
    file.write_text(EVENTS, encoding="utf-8")
    done = service("duties", "import", file, "--json")
    assert (done.status, done.json[0]["new"]) == (0, 8), done.talk
    return service


def refs(found: list[dict[str, Any]]) -> list[str]:
    """Return the references of duties."""
    return sorted(one["ref"] for one in found)


@pytest.mark.parametrize("base", ["NORD", "nord", " Nord "])
def test_each_way_to_ask_finds_the_visits_of_a_base(imported: Vetlla, base: str) -> None:
    found = imported("visits", "list", *DAY, "--base", base, "--json").json
    assert refs(found) == ["V-1", "V-2", "V-3"]
    assert {(one["base"], one["minutes"]) for one in found} == {("NORD", 40)}
    route = imported("visits", "route", *DAY, "--base", base, "--json").json
    assert [(one["technician"], one["home"], one["minutes"]) for one in route] == [
        ("T 08", "H1", 40), ("T-07", "H1", 40), ("T-07", "H2", 40),
    ]  # fmt: skip
    span = ("--from", "2026-11-06", "--to", "2026-11-06")
    (day,) = imported("visits", "free", "--base", base, *span, "--json").json
    assert (day["capacity"] > 0, day["scheduled"]) == (True, 120)


def test_a_base_that_no_home_has_stays_as_it_is(imported: Vetlla) -> None:
    assert [one["base"] for one in imported("visits", "list", *DAY, "--home", "H3", "--json").json] == ["SUD", "OEST"]
    assert imported("visits", "list", "--base", "OEST").status != 0


def test_a_technician_is_the_same_in_every_spelling(imported: Vetlla) -> None:
    found = imported("visits", "list", *DAY, "--technician", "T-07 ", "--json").json
    assert refs(found) == ["V-1", "V-2"]
    assert refs(imported("visits", "list", *DAY, "--technician", "t08", "--json").json) == ["V-3", "V-4", "V-5"]
    interval = ("--from", "2026-11-06T12:00", "--to", "2026-11-06T12:30", "--minutes", "90")
    clash = imported(
        "visits", "schedule", "H2", "--at", "2026-11-02T10:00", *interval, "--base", "nord", "--technician", "t08",
        "--json",
    )  # fmt: skip
    (made,) = clash.json
    assert made["base"] == "NORD"
    assert any("cannot arrive at both" in warning for warning in made["warnings"])


def test_what_a_visit_lacks_is_told_after_an_event_too(imported: Vetlla) -> None:
    third = next(one for one in imported("visits", "list", "--json").json if one["ref"] == "V-3")
    (came,) = imported("visits", "arrived", third["id"], "--at", "2026-11-06T12:10", "--json").json
    assert (came["base"], came["minutes"]) == ("NORD", 40)


def test_faults_of_a_base(imported: Vetlla) -> None:
    assert refs(imported("faults", "list", "--base", "nord", "--json").json) == ["F-1", "F-2"]
    assert refs(imported("faults", "list", "--base", "SUD", "--json").json) == ["F-3"]


@pytest.mark.parametrize(
    "words", ["renewals due --to 2035-01-01 --day 2026-11-06", "maintenance due --within 9000d --day 2026-11-06"]
)
def test_other_commands_take_every_spelling_of_a_base(service: Vetlla, words: str) -> None:
    """Visits are asked for above; an unknown base is still refused."""
    found = service(*words.split(), "--base", "NORD", "--json").json
    assert found
    assert service(*words.split(), "--base", "nord", "--json").json == found
    assert "no home belongs to base 'nor'" in service(*words.split(), "--base", "nor").error
