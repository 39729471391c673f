"""A visit from its promise to its end, as people of the service record it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from icalendar import Calendar

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Done, Vetlla

AT = ("--at", "2026-11-02T09:00")
NINE = ("--from", "2026-11-03T09:00", "--to", "2026-11-03T10:30")


def schedule(service: Vetlla, *words: object, home: str = "H1", at: tuple[str, str] = AT) -> dict[str, Any]:
    """Schedule a visit; return it."""
    done = service("visits", "schedule", home, *at, *words, "--json")
    assert done.status == 0, done.error
    (visit,) = done.json
    return visit


def fault(service: Vetlla, *words: object) -> dict[str, Any]:
    """Open a fault; return it."""
    done = service("faults", "open", "H1", "--device", "ucr:U1", *AT, *words, "--json")
    assert done.status == 0, done.error
    (made,) = done.json
    return made


def duty(service: Vetlla, number: int) -> dict[str, Any]:
    """Return a duty."""
    (found,) = service("duties", "show", number, "--json").json
    return found


def test_a_visit_for_a_fault_keeps_its_second_term_and_ends_it(service: Vetlla) -> None:
    made = fault(service)
    visit = schedule(service, *NINE, "--purpose", "fault", "--technician", "T07")
    assert (visit["for"], visit["base"], visit["minutes"], visit["warnings"]) == ([made["id"]], "NORD", 40, [])
    assert [one["kind"] for one in visit["duties"]] == ["fault_visit", "fault"]
    assert duty(service, made["visit"]["id"])["verdict"] == "kept"
    (came,) = service("visits", "arrived", visit["id"], "--at", "2026-11-03T09:20", "--json").json
    assert (came["state"], came["verdict"]) == ("arrived", "kept")
    (ended,) = service("visits", "done", visit["id"], "--solved", "--at", "2026-11-03T10:05", "--json").json
    assert (ended["state"], ended["duties"][0]["id"]) == ("done", made["id"])
    solved = duty(service, made["id"])
    assert (solved["verdict"], solved["ended"]) == ("kept", "2026-11-03T09:05:00.000000Z")
    assert [event["event"] for event in solved["events"]] == ["detected", "scheduled", "arrived", "solved"]


def test_a_visit_outlives_the_duty_that_it_was_for(service: Vetlla) -> None:
    """A fault that was opened in error is withdrawn; the route sheet of the day and the visit itself still work."""
    made = fault(service)
    visit = schedule(service, *NINE, "--for", made["id"])
    scheduled = duty(service, made["id"])["events"][1]["id"]
    for event in (scheduled, made["id"]):
        assert service("duties", "withdraw", event, "--reason", "of another home").status == 0
    (row,) = service("visits", "route", "--day", "2026-11-03", "--json").json
    assert (row["visit"], row["refs"]) == (visit["id"], "")
    assert (
        service("visits", "move", visit["id"], *AT, "--from", "2026-11-03T10:00", "--to", "2026-11-03T11:00").status
        == 0
    )
    (came,) = service("visits", "arrived", visit["id"], "--at", "2026-11-03T10:20", "--json").json
    assert (came["state"], came["duties"]) == ("arrived", [])


def test_two_visits_at_the_same_time_to_one_home_are_said(service: Vetlla) -> None:
    first = schedule(service, *NINE)
    (warning,) = schedule(service, "--from", "2026-11-03T10:00", "--to", "2026-11-03T11:00")["warnings"]
    assert f"expects visit {first['id']} at that time, too" in warning
    assert schedule(service, "--from", "2026-11-03T12:00", "--to", "2026-11-03T13:00")["warnings"] == []


def test_an_interval_wider_than_allowed_needs_a_word_and_is_a_breach(service: Vetlla) -> None:
    wide = ("--from", "2026-11-03T09:00", "--to", "2026-11-03T11:00")
    refused = service("visits", "schedule", "H1", *AT, *wide)
    assert (refused.status, "120 minutes, and at most 90" in refused.error) == (64, True)
    visit = schedule(service, *wide, "--wider")
    (came,) = service("visits", "arrived", visit["id"], "--at", "2026-11-03T10:00", "--json").json
    assert came["verdict"] == "breached"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("H9", *NINE), "no home 'H9'"),
        (("H1", *NINE, "--base", "EST"), "no home belongs to base 'EST'"),
        (("H1", *NINE, "--purpose", "fault"), "no open duty of kind fault"),
        (("H1", *NINE, "--for", "99"), "there is no duty 99"),
        (("H1", "--from", "2026-10-03T09:00", "--to", "2026-10-03T10:00"), "was over when it was promised"),
        (("H1", "--from", "2026-11-03T10:00", "--to", "2026-11-03T09:00"), "--to is before --from"),
    ],
)
def test_what_cannot_be_scheduled_says_why(service: Vetlla, words: tuple[str, ...], said: str) -> None:
    done = service("visits", "schedule", *words, *AT)
    assert done.status == 64
    assert said in done.error


def test_a_duty_of_another_home_or_kind_is_refused(service: Vetlla) -> None:
    made = fault(service)
    other = service("visits", "schedule", "H2", *NINE, *AT, "--for", made["id"])
    assert "not in home H2" in other.error
    second = service("visits", "schedule", "H1", *NINE, *AT, "--for", made["visit"]["id"])
    assert "is a fault_visit, for which no visit is made" in second.error
    assert "is a fault, and no visit" in service("visits", "arrived", made["id"]).error


def test_of_two_open_duties_the_user_must_name_one_or_both(service: Vetlla) -> None:
    first, second = fault(service), fault(service, "--code", "battery")
    unclear = service("visits", "schedule", "H1", *NINE, *AT, "--purpose", "fault")
    assert f"--for {first['id']} --for {second['id']}" in unclear.error
    visit = schedule(service, *NINE, "--for", first["id"], "--for", second["id"])
    assert (visit["purpose"], visit["for"]) == ("fault", [first["id"], second["id"]])


def test_warnings_name_what_speaks_against_a_visit(service: Vetlla) -> None:
    sunday = ("--from", "2026-12-06T09:00", "--to", "2026-12-06T09:30")
    first = schedule(service, *sunday, "--technician", "T07", "--minutes", "60")
    assert first["warnings"] == ["2026-12-06 is no working day"]
    second = schedule(service, *sunday, "--technician", "T07", "--minutes", "60", home="H2")
    assert [warning.partition(" ")[0] for warning in second["warnings"]] == ["home", "2026-12-06", "T07"]
    assert f"visit {first['id']} to home H1" in second["warnings"][2]
    beside = schedule(service, *sunday, "--technician", "T08", home="H3")
    assert beside["warnings"][0] == "home H3 is not attended on 2026-12-06"
    told = service("visits", "move", second["id"], *sunday, *AT[:1], "2026-11-02T10:00", "--technician", "T09")
    assert "T07" not in told.talk


def test_a_visit_without_a_purpose_names_the_duties_that_it_leaves_open(service: Vetlla) -> None:
    """A fault whose visit is scheduled as another one would run out without a word."""
    made = fault(service)
    (warning,) = schedule(service, *NINE)["warnings"]
    assert warning.startswith(f"the visit is not for the fault of H1, duty {made['id']}, which stays open")
    later = ("--from", "2026-11-03T12:00", "--to", "2026-11-03T13:00")
    assert schedule(service, *later, "--purpose", "other")["warnings"] == []
    assert schedule(service, *later, home="H2")["warnings"] == []


def test_an_event_on_another_day_than_the_promised_one_is_said(service: Vetlla) -> None:
    """The technician gave the number of another visit, perhaps; the event is recorded all the same."""
    visit = schedule(service, *NINE)
    (came,) = service("visits", "arrived", visit["id"], "--at", "2026-11-02T09:30", "--json").json
    (warning,) = came["warnings"]
    assert (came["verdict"], "promised for another day, 2026-11-03 09:00:00 CET" in warning) == ("breached", True)
    (left,) = service("visits", "done", visit["id"], "--at", "2026-11-03T09:50", "--json").json
    assert left["warnings"] == []


def test_a_visit_that_the_user_moved_in_time_is_judged_by_the_new_interval(service: Vetlla) -> None:
    visit = schedule(service, *NINE)
    later = ("--from", "2026-11-04T16:00", "--to", "2026-11-04T17:30")
    (moved,) = service("visits", "move", visit["id"], *later, "--by-user", *AT[:1], "2026-11-03T08:00", "--json").json
    assert (moved["from"], moved["base"]) == ("2026-11-04T15:00:00.000000Z", "NORD")
    assert duty(service, visit["id"])["events"][1]["details"] == {"by_user": "yes"}
    (came,) = service("visits", "arrived", visit["id"], "--at", "2026-11-04T17:00", "--json").json
    assert came["verdict"] == "kept"
    assert service("visits", "list", "--day", "2026-11-03").out == ""
    assert len(service("visits", "list", "--day", "2026-11-04", "--json").json) == 1


def test_an_absent_user_ends_the_visit_and_not_the_fault(service: Vetlla) -> None:
    made = fault(service)
    visit = schedule(service, *NINE, "--purpose", "fault")
    (gone,) = service("visits", "absent", visit["id"], "--at", "2026-11-03T09:20", "--json").json
    assert (gone["state"], gone["verdict"]) == ("absent", "kept")
    found = duty(service, made["id"])
    assert (found["ended"], found["events"][-1]["event"]) == (None, "absent")
    again = service("visits", "done", visit["id"])
    assert "is absent already" in again.error
    schedule(service, "--from", "2026-11-04T09:00", "--to", "2026-11-04T10:00", "--purpose", "fault", at=(
        "--at", "2026-11-03T12:00"))  # fmt: skip


def test_acts_that_make_no_sense_are_refused_and_change_nothing(service: Vetlla) -> None:
    made = fault(service)
    visit = schedule(service, *NINE, "--purpose", "fault")
    number = visit["id"]
    assert "without a reason" in service("visits", "cancel", number).error
    assert "which is not installed, but solved" in service("visits", "done", number, "--installed").error
    assert "two results" in service("visits", "done", number, "--installed", "--solved").error
    assert service("visits", "arrived", number, "--at", "2026-11-03T09:20").status == 0
    assert "is arrived already" in service("visits", "arrived", number, "--at", "2026-11-03T09:25").error
    other = schedule(service, "--from", "2026-11-05T09:00", "--to", "2026-11-05T10:00")
    assert "is for no duty" in service("visits", "done", other["id"], "--completed").error
    assert duty(service, made["id"])["ended"] is None


def test_a_cancelled_visit_takes_no_time_and_leaves_its_fault_open(service: Vetlla) -> None:
    made = fault(service)
    visit = schedule(service, *NINE, "--purpose", "fault", "--technician", "T07")
    (gone,) = service("visits", "cancel", visit["id"], "--reason", "in hospital", *AT[:1], "2026-11-02T12:00",
                      "--json").json  # fmt: skip
    assert (gone["state"], gone["verdict"]) == ("cancelled", "cancelled")
    assert duty(service, made["id"])["ended"] is None
    assert "no visits" in service("visits", "route", "--day", "2026-11-03").out


def test_a_dry_run_writes_nothing(service: Vetlla) -> None:
    assert schedule(service, *NINE, "--dry-run")["state"] == "scheduled"
    assert service("visits", "list", "--json").json == []


def test_the_list_filters_and_an_unknown_base_is_refused(service: Vetlla) -> None:
    schedule(service, *NINE, "--technician", "T07")
    schedule(service, *NINE, "--technician", "T08", home="H2")

    def homes(*words: str) -> list[str]:
        return [row["home"] for row in service("visits", "list", *words, "--json").json]

    assert homes() == homes("--day", "2026-11-03") == homes("--base", "NORD") == homes("--open") == ["H1", "H2"]
    assert (homes("--technician", "T08"), homes("--home", "H1"), homes("--base", "SUD")) == (["H2"], ["H1"], [])
    assert service("visits", "list", "--base", "EST").status == 64


def route(service: Vetlla, *words: object) -> Done:
    """Return the route sheet of the day."""
    return service("visits", "route", "--day", "2026-11-03", *words)


def test_the_route_sheet_is_a_table_rows_and_a_calendar_without_names(service: Vetlla, tmp_path: Path) -> None:
    made = fault(service)
    visit = schedule(service, *NINE, "--purpose", "fault", "--technician", "T07")
    schedule(service, *NINE, "--technician", "T08", home="H2")
    assert "ucr:U1" in route(service).out
    (row,) = route(service, "--technician", "T07", "--json").json
    assert row == {
        "visit": visit["id"],
        "technician": "T07",
        "from": "2026-11-03T09:00+01:00",
        "to": "2026-11-03T10:30+01:00",
        "home": "H1",
        "district": "01",
        "purpose": "fault",
        "devices": "ucr:U1",
        "minutes": 40,
        "state": "scheduled",
        "refs": made["ref"],
    }
    assert route(service, "--out", tmp_path / "day.csv").status == 0
    assert (tmp_path / "day.csv").read_text(encoding="utf-8").count("\n") == 3
    assert route(service, "--out", tmp_path / "day.ics").status == 0
    calendar = Calendar.from_ical((tmp_path / "day.ics").read_bytes())
    first = calendar.walk("VEVENT")[0]
    assert str(first["uid"]) == f"visit-duty-{visit['id']}@vetlla"
    assert first.decoded("dtstart").isoformat() == "2026-11-03T08:00:00+00:00"
    assert route(service, "--format", "doc").status == 64
    assert "at least one" in route(service, "--base", "SUD", "--format", "ics").error


def test_the_route_sheet_is_a_pdf(service: Vetlla, tmp_path: Path) -> None:
    schedule(service, *NINE, "--technician", "T07")
    file = tmp_path / "day.pdf"
    assert route(service, "--out", file, "--language", "es").status == 0
    assert file.read_bytes().startswith(b"%PDF-")


def test_free_capacity_counts_visits_and_the_plan_once(service: Vetlla) -> None:
    planned = service("renewals", "plan", "--from", "2026-12-01", "--to", "2032-12-31", "--no-growth")
    assert planned.status == 0, planned.error
    plan = service("renewals", "show", "--json").json
    day = plan[0]["day"]
    words = ("visits", "free", "--base", plan[0]["base"], "--from", day, "--json")
    (before,) = service(*words).json
    assert (before["capacity"], before["planned"]) == (2000, plan[0]["minutes"])
    service("visits", "from-plan", "--purpose", "renewal")
    duties = [
        one["id"] for one in service("duties", "list", "--kind", "renewal", "--json").json if one["ref"].endswith("H1")
    ]
    named = [word for number in duties for word in ("--for", number)]
    schedule(service, "--from", f"{day}T09:00", "--to", f"{day}T10:00", *named, at=("--at", "0s"))
    after, *proposed = service(*words, "--minutes", "40", "--n", "2").json
    assert (after["scheduled"], after["planned"]) == (40, 0)
    assert len(proposed) == 2
    assert service("visits", "free", "--base", "EST", "--from", day).status == 64
    assert service("visits", "free", "--base", "NORD", "--from", day, "--to", "2020-01-01").status == 64
