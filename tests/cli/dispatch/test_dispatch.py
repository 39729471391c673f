"""A dispatcher's work: types, units, what becomes of an emergency, the board, the check and the month."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.daemon import running
from tests.rigs.street import CLOCK, furnish, write_alarms, write_call
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.dispatch import looking
from vetlla.tasks.duties.rules import load_rules

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Done, Vetlla


@pytest.fixture
def street(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> Vetlla:
    def run(*words: object) -> Done:
        done = vetlla(*words)
        assert done.status == 0, done.error
        return done

    furnish(run, tmp_path)
    write_alarms(state_dir, (1, "H1", 40, 38), (2, "H1", 12, None), (3, "H2", 3, None), (4, "H3", 3, None))
    return vetlla


def act(vetlla: Vetlla, *words: object, status: int = 0) -> dict[str, Any]:
    done = vetlla("dispatch", *words, "--json")
    assert done.status == status, (done.error, done.out)
    return done.json[0] if done.out else {}


def refused(vetlla: Vetlla, *words: object) -> str:
    done = vetlla("dispatch", *words)
    assert done.status == os.EX_USAGE, done
    return done.error


def rows(vetlla: Vetlla, *words: object) -> list[dict[str, Any]]:
    return vetlla("dispatch", *words, "--json").json


# --- type -------------------------------------------------------------------------------------------------------------


def test_the_clock_includes_an_alarm_that_was_closed(street: Vetlla) -> None:
    """A press 40 minutes ago was closed; the press 12 minutes ago is the same emergency, which is late already."""
    shown = act(street, "show", 2)
    assert (shown["home"], shown["first"]["alarm"]) == (None, 1)
    typed = act(street, "type", 2, "I")
    assert (typed["opened"], typed["alarms"], typed["verdict"]) == (shown["first"]["at"], ["1", "2"], "breached")
    assert [event["event"] for event in typed["events"]] == ["communicated", "repeated", "typed"]
    why = act(street, "show", 2)["why"]
    assert "starts at" in why
    assert "26 min 0 s" in why
    assert "closed (false_alarm), within the chaining time of 30 min 0 s" in why
    assert "has type I already" in refused(street, "type", 2, "I")


def test_a_chain_is_followed_as_far_as_it_goes(street: Vetlla, state_dir: Path) -> None:
    """Each press came within the chaining time of the one before; the first of them ended long ago."""
    presses = ((30, "H1", 130, 128), (31, "H1", 100, 99), (32, "H1", 72, 66), (33, "H1", 41, 40))
    write_alarms(state_dir, (29, "H1", 180, 161), *presses)
    assert act(street, "type", 2, "I")["alarms"] == ["30", "31", "32", "33", "1", "2"]


def test_a_shorter_chaining_time_is_a_parameter(street: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "parameters.toml"
    shipped = street("inventory", "parameters", "--json").json
    assert {one["name"] for one in shipped} >= {"umo.chaining_minutes", "umo.base_order.NORD"}
    from vetlla.settings.shipped import parameters_file  # noqa: PLC0415

    text = parameters_file().read_text(encoding="utf-8")
    file.write_text(
        text.replace('name = "umo.chaining_minutes"\nvalue = 30', 'name = "umo.chaining_minutes"\nvalue = 20'),
        encoding="utf-8",
    )
    assert act(street, "type", 2, "I", "--parameters", file)["alarms"] == ["2"]


def test_the_type_changes_until_a_unit_gets_in(street: Vetlla) -> None:
    """The other type has the same first communication, and keeps its unit; back again is a third duty."""
    first = act(street, "type", 3, "I")
    act(street, "send", 3, "--unit", "UMO-01")
    second = act(street, "type", 3, "II", "--note", "a nurse is there")
    assert (second["kind"], second["opened"], second["unit"]) == ("umo_2", first["opened"], "UMO-01")
    third = act(street, "type", 3, "I")
    assert (third["opened"], third["unit"], third["verdict"]) == (first["opened"], "UMO-01", "open")
    assert len({first["id"], second["id"], third["id"]}) == 3
    assert [line["duty"] for line in rows(street, "board")] == [third["id"]]
    assert [line["state"] for line in rows(street, "units", "list")] == ["on_the_way", "free", "free"]
    act(street, "access", 3)
    assert "stays as it was judged" in refused(street, "type", 3, "II")
    report = {row["type"]: row for row in rows(street, "report") if row["of"] == "service"}
    assert (report["I"]["emergencies"], report["I"]["cancelled"], report["I"]["mobilised"]) == (1, 0, 1)
    assert (report["II"]["emergencies"], report["II"]["cancelled"], report["II"]["mobilised"]) == (0, 0, 0)


def test_a_call_after_the_unit_left_needs_a_unit_again(street: Vetlla, state_dir: Path) -> None:
    """The alarm was still open, so the call joined it. The clock starts with that call, also for a later alarm."""
    first = act(street, "type", 2, "I")["opened"]
    act(street, "send", 2, "--unit", "UMO-03", "--at", "11m")
    act(street, "access", 2, "--at", "10m")
    act(street, "finished", 2, "--at", "8m")
    write_call(state_dir, 2, 9)  # while the unit was inside
    assert "was attended and is finished" in refused(street, "type", 2, "I")
    write_call(state_dir, 2, 5)
    assert act(street, "show", 2)["opened"] == first
    write_alarms(state_dir, (6, "H1", 2, None))
    one = act(street, "type", 6, "I", "--dry-run")
    again = act(street, "type", 2, "I")
    assert again["opened"] == one["opened"] > first
    assert (again["verdict"], again["unit"]) == ("open", None)
    shown = act(street, "show", 2)
    assert (shown["first"]["at"], shown["id"]) == (again["opened"], again["id"])
    assert "later time" not in shown["why"]
    act(street, "send", 2, "--unit", "UMO-03")
    assert act(street, "type", 6, "I")["alarms"] == ["2", "6"]


def test_what_an_emergency_attended_starts_no_clock_of_a_later_call(street: Vetlla, state_dir: Path) -> None:
    """The unit attended two alarms of one emergency, and the second one stayed open. The next call joins that one."""
    write_alarms(state_dir, (10, "H3", 20, 18), (11, "H3", 17, None))
    assert act(street, "type", 11, "I")["alarms"] == ["10", "11"]
    act(street, "send", 11, "--unit", "UMO-03", "--at", "16m")
    act(street, "access", 11, "--at", "14m")
    first = act(street, "finished", 11, "--at", "12m")
    write_call(state_dir, 11, 4)
    again = act(street, "type", 11, "I")
    assert (again["alarms"], again["verdict"], again["opened"] > first["ended"]) == (["11"], "open", True)
    shown = act(street, "show", 11)
    assert (shown["id"], shown["first"]["alarm"], shown["first"]["at"]) == (again["id"], 11, again["opened"])
    before = act(street, "show", f"D{first['id']}")
    assert (before["first"]["at"], before["first"]["alarm"]) == (first["opened"], 10)


def test_a_later_visit_leaves_the_clock_of_an_earlier_alarm(street: Vetlla, state_dir: Path) -> None:
    """The office types an alarm of the morning in after the emergency of the afternoon was attended."""
    write_alarms(state_dir, (10, "H3", 300, 298), (11, "H3", 290, 280), (12, "H3", 60, 58))
    act(street, "type", 12, "I")
    act(street, "send", 12, "--unit", "UMO-03", "--at", "55m")
    act(street, "access", 12, "--at", "50m")
    act(street, "finished", 12, "--at", "40m")
    typed = act(street, "type", 11, "I")
    assert typed["alarms"] == ["10", "11"]
    assert act(street, "show", 11)["first"]["at"] == typed["opened"]


def test_unknown_alarms_and_homes_are_refused(street: Vetlla, state_dir: Path) -> None:
    assert "no alarm 99" in refused(street, "type", 99, "I")
    assert "no alarm x" in refused(street, "type", "x", "I")
    write_alarms(state_dir, (5, "7777", 1, None))
    assert "belongs to no registered home" in refused(street, "type", 5, "I")
    assert "is not in an emergency" in refused(street, "send", 2, "--unit", "UMO-01")


def test_a_dry_run_changes_nothing(street: Vetlla) -> None:
    assert act(street, "type", 3, "I", "--dry-run")["type"] == "I"
    assert rows(street, "board") == []


# --- units ------------------------------------------------------------------------------------------------------------


def test_the_nearest_free_unit_is_proposed_with_the_reason(street: Vetlla) -> None:
    act(street, "type", 4, "I")
    assert [(one["unit"], one["why"]) for one in rows(street, "propose", 4)] == [
        ("UMO-03", "free, of the home's own base NORD"),
        ("UMO-02", "free, of base CENTRE, number 1 by distance from NORD"),
        ("UMO-01", "free, of base PONENT, number 3 by distance from NORD"),
    ]
    act(street, "units", "off", "UMO-03")
    assert rows(street, "propose", 4)[0]["unit"] == "UMO-02"
    assert "is off duty" in refused(street, "send", 4, "--unit", "UMO-03")
    assert "off duty already" in refused(street, "units", "off", "UMO-03")
    assert act(street, "units", "on", "UMO-03")["state"] == "free"
    assert "there is no unit UMO-9" in refused(street, "send", 4, "--unit", "UMO-9")


def test_a_unit_is_busy_until_its_emergency_is_finished(street: Vetlla) -> None:
    act(street, "type", 4, "I")
    act(street, "type", 3, "II")
    act(street, "send", 4, "--unit", "UMO-03")
    assert "is away for alarm 4" in refused(street, "send", 3, "--unit", "UMO-03")
    assert "is away for alarm 4" in refused(street, "units", "off", "UMO-03")
    act(street, "arrived", 4)
    assert {one["unit"]: one["state"] for one in rows(street, "units", "list")}["UMO-03"] == "at_home"
    act(street, "access", 4)
    finished = act(street, "finished", 4)
    (unit,) = [one for one in rows(street, "units", "list") if one["unit"] == "UMO-03"]
    assert (unit["state"], unit["since"]) == ("free", finished["ended"])


def test_a_unit_can_be_diverted_or_replaced(street: Vetlla) -> None:
    act(street, "type", 4, "II")
    act(street, "type", 3, "I")
    act(street, "send", 4, "--unit", "UMO-01")
    assert act(street, "recalled", 4, "--reason", "diverted to alarm 3")["unit"] is None
    act(street, "send", 3, "--unit", "UMO-01")
    assert act(street, "send", 3, "--unit", "UMO-02", "--base", "LITORAL")["base"] == "LITORAL"
    assert {one["unit"]: one["state"] for one in rows(street, "units", "list")}["UMO-01"] == "free"


def test_a_unit_keeps_its_history(street: Vetlla) -> None:
    assert "known with that base" in refused(street, "units", "add", "UMO-01", "--base", "PONENT")
    assert act(street, "units", "add", "UMO-01", "--base", "LITORAL", "--vehicle", "V-7")["base"] == "LITORAL"
    assert "future" in refused(street, "units", "off", "UMO-01", "--at", "2099-01-01")


# --- what becomes of it -----------------------------------------------------------------------------------------------


def test_the_steps_are_in_order(street: Vetlla) -> None:
    act(street, "type", 3, "I")
    assert "no unit was sent" in refused(street, "arrived", 3)
    assert "no unit has reached" in refused(street, "finished", 3)
    act(street, "send", 3, "--unit", "UMO-01", "--at", "2m")
    assert "which is later" in refused(street, "arrived", 3, "--at", "150s")
    act(street, "arrived", 3, "--at", "1m")
    assert "arrived since" in refused(street, "arrived", 3)
    assert act(street, "no-access", 3, "--reason", "chain on the door")["verdict"] == "kept"
    assert act(street, "access", 3)["access"]
    assert "a unit has got in" in refused(street, "cancelled", 3, "--reason", "no")
    act(street, "finished", 3)
    assert "is finished" in refused(street, "send", 3, "--unit", "UMO-02")
    assert "attended and is finished" in refused(street, "type", 3, "II")


def test_a_time_that_cannot_be_is_refused_with_what_stands_in_the_way(street: Vetlla) -> None:
    act(street, "type", 2, "I")
    act(street, "send", 2, "--unit", "UMO-03", "--at", "10m")
    assert "because a unit was sent at" in refused(street, "cancelled", 2, "--reason", "no", "--at", "11m")
    assert "UMO-03 was sent at" in refused(street, "send", 2, "--unit", "UMO-01", "--at", "11m")
    act(street, "no-access", 2, "--reason", "chain", "--at", "8m")
    assert "could not get in at" in refused(street, "cancelled", 2, "--reason", "no")
    said = refused(street, "finished", 2, "--at", "9m")
    assert "because a unit came and could not get in at" in said
    assert said.count(" CE") == 1  # on the clock of the service
    act(street, "send", 2, "--unit", "UMO-01", "--at", "6m")
    states = {one["unit"]: (one["state"], one["since"]) for one in rows(street, "units", "list")}
    sent = act(street, "show", 2)["sent"]
    assert states["UMO-01"] == ("on_the_way", sent)
    assert states["UMO-03"] == ("free", sent)
    assert [line["state"] for line in rows(street, "board")] == ["on the way"]
    assert act(street, "no-access", 2, "--reason", "again", "--at", "5m")["unit"] == "UMO-01"
    assert [line["state"] for line in rows(street, "board")] == ["no access"]
    act(street, "access", 2, "--at", "4m")
    assert "because a unit got in at" in refused(street, "finished", 2, "--at", "4m30s")
    act(street, "finished", 2, "--at", "3m")


def test_what_contradicts_on_record_is_shown(street: Vetlla) -> None:
    """An event may be taken back, and then another one contradicts the rest."""
    act(street, "type", 2, "I")
    act(street, "send", 2, "--unit", "UMO-03", "--at", "10m")
    act(street, "access", 2, "--at", "9m")
    done = act(street, "finished", 2, "--at", "8m")
    assert street("dispatch", "check").status == 0
    access, finished = (one["id"] for one in done["events"] if one["event"] in {"access", "finished"})
    for number in (access, finished):
        assert street("duties", "withdraw", number, "--reason", "wrong time").status == 0
    act(street, "cancelled", 2, "--reason", "no", "--at", "7m")
    taken_back = rows(street, "show", 2)[0]["events"]
    again = next(one["id"] for one in taken_back if one["event"] == "withdrawn" and one["ref"] == f"#{access}")
    assert street("duties", "withdraw", again, "--reason", "it was right").status == 0
    checked = street("dispatch", "check")
    assert (checked.status, "cancelled is not possible, because a unit got in at" in checked.out) == (1, True)
    assert "contradicts another one: cancelled is not possible" in act(street, "show", 2)["why"]


def test_codes_that_differ_in_case_or_spaces_are_one_unit(street: Vetlla) -> None:
    assert "UMO-03 is known" in refused(street, "units", "add", " umo-03", "--base", "nord ")
    assert len(rows(street, "units", "list")) == 3
    act(street, "type", 4, "I")
    assert act(street, "send", 4, "--unit", "umo- 03", "--base", "ponent")["unit"] == "UMO-03"
    assert act(street, "show", 4)["base"] == "PONENT"
    assert "UMO-03 is away for alarm 4" in refused(street, "units", "off", "Umo-03")
    added = street("dispatch", "units", "add", "UMO-9", "--base", "NOWHERE")
    assert (added.status, "no home belongs to base NOWHERE" in added.talk) == (0, True)
    assert "the homes have NORD, PONENT" in added.talk
    assert street("dispatch", "units", "add", "UMO-10", "--base", "Nord").talk == ""


def test_an_emergency_without_an_alarm_has_the_number_of_its_duty(street: Vetlla, state_dir: Path) -> None:
    from vetlla.cli.board.emergencies import StreetWatch  # noqa: PLC0415

    (one,) = street("duties", "open", "umo_1", "H3", "--json").json
    label = f"D{one['id']}"
    assert [line.plain.split()[:2] for line in StreetWatch(state_dir).street().drawn()][1] == [label, "H3"]
    assert f" {label} " in street("dispatch", "board").out
    assert act(street, "send", label, "--unit", "UMO-03")["alarms"] == []
    assert label in street("dispatch", "units", "list").out
    assert "No alarm is known of it" in act(street, "show", label.lower())["why"]
    assert act(street, "type", label, "II")["kind"] == "umo_2"
    act(street, "access", label)
    assert act(street, "finished", label)["ended"]
    assert "there is no emergency D99" in refused(street, "finished", "D99")


def test_no_access_says_that_its_verdict_is_assumed(street: Vetlla) -> None:
    act(street, "type", 3, "I")
    act(street, "send", 3, "--unit", "UMO-01")
    assert act(street, "no-access", 3, "--reason", "chain on the door")["verdict"] == "kept"
    assert "Parameter duty.umo.no_access_counts is yes (assumed: " in act(street, "show", 3)["why"]


def test_a_cancelled_emergency_can_begin_again_with_its_first_communication(street: Vetlla, state_dir: Path) -> None:
    """The user calls again after the call-off, and has been waiting since the first press."""
    first = act(street, "type", 3, "I")
    assert act(street, "cancelled", 3, "--reason", "the daughter is there")["verdict"] == "cancelled"
    write_alarms(state_dir, (6, "H2", 0, None))
    again = act(street, "type", 6, "I")
    assert (again["opened"], again["alarms"]) == (first["opened"], ["3", "6"])
    assert again["id"] != first["id"]


def test_a_call_long_after_the_unit_got_in_needs_a_decision(street: Vetlla, state_dir: Path) -> None:
    """An emergency that was never finished must not hide a new one and its clock."""
    write_alarms(state_dir, (10, "H3", 200, 198), (11, "H3", 1, None))
    act(street, "type", 10, "II")
    act(street, "send", 10, "--unit", "UMO-03", "--at", "190m")
    act(street, "access", 10, "--at", "180m")
    assert "is not finished" in refused(street, "type", 11, "I")
    act(street, "finished", 10, "--at", "170m")
    assert act(street, "type", 11, "I")["alarms"] == ["4", "11"]


def test_a_call_while_the_unit_is_inside_joins(street: Vetlla, state_dir: Path) -> None:
    write_alarms(state_dir, (10, "H3", 50, 49), (11, "H3", 1, None))
    first = act(street, "type", 10, "II")
    act(street, "send", 10, "--unit", "UMO-03", "--at", "20m")
    act(street, "access", 10, "--at", "10m")
    joined = act(street, "type", 11, "II")
    assert (joined["id"], joined["alarms"]) == (first["id"], ["10", "4", "11"])


def test_rows_of_a_file_are_the_same_emergencies(street: Vetlla, tmp_path: Path) -> None:
    """``duties import`` takes what another program knows about units; the clock is then the one of the file."""
    file = tmp_path / "umo.csv"
    file.write_text(
        "kind,subject,event,at,ref,team,base,alarm\n"
        "umo_1,H1,communicated,2026-10-05T10:00:00+02:00,U-1,,,77\n"
        "umo_1,H1,sent,2026-10-05T10:05:00+02:00,U-1,UMO-03,NORD,77\n"
        "umo_1,H1,access,2026-10-05T10:31:00+02:00,U-1,UMO-03,NORD,77\n"
        "umo_1,H1,finished,2026-10-05T11:00:00+02:00,U-1,,,77\n"
        "umo_1,H2,communicated,2026-10-06T10:00:00+02:00,U-2,,,78\n"
        "umo_1,H2,access,2026-10-06T10:52:31+02:00,U-2,UMO-01,PONENT,78\n"
        "umo_1,H2,finished,2026-10-06T11:00:00+02:00,U-2,,,78\n"
        "umo_2,H2,communicated,2026-10-07T10:00:00+02:00,U-3,,,79\n"
        "umo_2,H2,access,2026-10-07T11:30:00+02:00,U-3,UMO-01,PONENT,79\n"
        "umo_2,H2,finished,2026-10-07T12:00:00+02:00,U-3,,,79\n"
        "umo_2,H3,communicated,2026-10-08T10:00:00+02:00,U-4,,,80\n"
        "umo_2,H3,cancelled,2026-10-08T10:10:00+02:00,U-4,,,80\n",
        encoding="utf-8",
    )
    assert street("duties", "import", file).status == 0
    done = street("dispatch", "report", "--month", "2026-10", "--json")
    assert done.status == 1
    found = {(row["of"], row["name"], row["type"]): row for row in done.json}
    first, second = found["service", "", "I"], found["service", "", "II"]
    assert (first["emergencies"], first["within_share"], first["within_limit"]) == (2, 0, 1)
    assert [(one["alarm"], one["grave"]) for one in first["breaches"]] == [("78", True)]
    assert (second["emergencies"], second["within_limit"], second["cancelled"], second["kept"]) == (1, 1, 1, True)
    assert found["base", "NORD", "I"]["within_limit"] == found["district", "01", "I"]["emergencies"] == 1
    shown = act(street, "show", 77)
    assert (shown["unit"], shown["first"]) == ("UMO-03", None)
    assert "The journal does not say how it began" in shown["why"]
    table = street("dispatch", "report", "--month", "2026-10")
    assert "Breaches" in table.out
    assert "has not begun" in refused(street, "report", "--month", "2099-01")


def test_an_evening_is_typed_in_after_the_unit_went_off_duty(street: Vetlla, state_dir: Path) -> None:
    """A unit counts as it was when it was sent: on duty, away for another emergency, or off duty."""
    write_alarms(state_dir, (10, "H1", 200, 100), (11, "H2", 180, 100), (12, "H3", 30, None))
    act(street, "units", "off", "UMO-01", "--at", "60m")
    for number in (10, 11, 12):
        act(street, "type", number, "I")
    for word, at in (("arrived", "170m"), ("access", "165m"), ("finished", "150m")):
        if word == "arrived":
            act(street, "send", 10, "--unit", "UMO-01", "--at", "175m")
        act(street, word, 10, "--at", at)
    assert "is away for alarm 10 at" in refused(street, "send", 11, "--unit", "UMO-01", "--at", "160m")
    assert act(street, "send", 11, "--unit", "UMO-01", "--at", "140m")["unit"] == "UMO-01"
    assert "is away for alarm 11 at" in refused(street, "send", 12, "--unit", "UMO-01", "--at", "20m")
    act(street, "access", 11, "--at", "130m")
    act(street, "finished", 11, "--at", "110m")
    assert "is off duty at" in refused(street, "send", 12, "--unit", "UMO-01", "--at", "20m")
    assert [one["state"] for one in rows(street, "units", "list")] == ["off_duty", "free", "free"]


# --- the board and the check ------------------------------------------------------------------------------------------


def test_more_emergencies_than_units_are_put_in_order(street: Vetlla, state_dir: Path) -> None:
    """Type I by the time left, then type II; the free units go to the first ones, and each line says why."""
    for unit in ("UMO-01", "UMO-02"):
        act(street, "units", "off", unit)
    act(street, "type", 3, "II")
    act(street, "type", 4, "I")
    act(street, "type", 2, "I")
    board = rows(street, "board")
    assert [(line["alarm"], line["proposed"]) for line in board] == [("1", "UMO-03"), ("4", None), ("3", None)]
    assert "can no longer be reached in time" in board[0]["why"]
    assert "after the emergency of alarm 1, which has less time left" in board[1]["why"]
    assert "type I comes first" in board[2]["why"]
    assert [line["escalated"] for line in board] == [True, False, False]
    assert street("dispatch", "board").status == 0
    act(street, "send", 2, "--unit", "UMO-03")
    assert [line["alarm"] for line in rows(street, "board")] == ["4", "3", "1"]


def test_a_record_without_its_end_takes_no_unit_from_a_person_who_waits(street: Vetlla) -> None:
    """One emergency of three weeks ago was never ended, and another one kept its unit. Both come last, apart."""
    for unit in ("UMO-01", "UMO-02"):
        act(street, "units", "off", unit)
    (lost,) = street("duties", "open", "umo_1", "H1", "--at", "21d", "--json").json
    (kept,) = street("duties", "open", "umo_2", "H2", "--at", "20d", "--json").json
    (event,) = street("duties", "event", kept["id"], "sent", "--at", "20d", "--json").json
    assert event
    act(street, "type", 4, "I")
    board = rows(street, "board")
    assert [(line["duty"], line["state"], line["proposed"]) for line in board][1:] == [
        (lost["id"], "no news", None),
        (kept["id"], "no news", None),
    ]
    assert (board[0]["alarm"], board[0]["proposed"]) == ("4", "UMO-03")
    assert f"record its end: vetlla dispatch cancelled D{lost['id']} --reason WHY" in board[1]["why"]
    checked = street("dispatch", "check")
    assert (checked.status, "nothing was recorded of it for a day" in checked.out) == (1, True)
    assert "1 wait for a unit to get in, 1 of them have none; nothing was recorded of 2 others" in checked.out
    act(street, "cancelled", f"D{lost['id']}", "--reason", "the file had no end", "--at", "21d")
    assert [line["alarm"] for line in rows(street, "board")] == ["4", None]


def test_a_record_without_its_end_keeps_no_unit(street: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "umo.csv"
    file.write_text(
        "kind,subject,event,at,ref,team,base\n"
        "umo_1,H1,communicated,2026-10-05T10:00:00+02:00,U-1,,\n"
        "umo_1,H1,sent,2026-10-05T10:05:00+02:00,U-1,UMO-03,NORD\n"
        "umo_1,H2,communicated,2026-10-05T10:00:00+02:00,U-2,,\n"
        "umo_1,H2,sent,2026-10-05T10:05:00+02:00,U-2,UMO-01,PONENT\n"
        "umo_1,H2,access,2026-10-05T10:15:00+02:00,U-2,UMO-01,PONENT\n",
        encoding="utf-8",
    )
    assert street("duties", "import", file).status == 0
    assert {line["state"] for line in rows(street, "board")} == {"no news"}
    assert {one["state"] for one in rows(street, "units", "list")} == {"free"}
    act(street, "type", 4, "I")
    assert rows(street, "board")[0]["proposed"] == "UMO-03"
    act(street, "send", 4, "--unit", "UMO-03")
    assert {one["unit"]: one["state"] for one in rows(street, "units", "list")}["UMO-03"] == "on_the_way"


def test_a_call_does_not_join_a_record_without_its_end(street: Vetlla) -> None:
    """The call would be a grave breach as soon as it came."""
    (lost,) = street("duties", "open", "umo_1", "H3", "--at", "21d", "--json").json
    typed = act(street, "type", 4, "I")
    assert (typed["id"] != lost["id"], typed["verdict"], typed["alarms"]) == (True, "open", ["4"])


def test_an_emergency_without_a_unit_is_put_before_a_supervisor_once(vetlla: Vetlla, tmp_path: Path) -> None:
    """The receiver's queue has the reason; an emergency whose alarms are closed is reported by the check."""
    (tmp_path / "state").mkdir(exist_ok=True)

    def run(*words: object) -> Done:
        done = vetlla(*words, "--state-dir", tmp_path / "state")
        assert done.status in {0, 2}, done
        return done

    furnish(run, tmp_path)
    write_alarms(tmp_path / "state", (1, "H1", 40, 38), (2, "H2", 12, None))
    run("dispatch", "type", 1, "I")
    run("dispatch", "type", 2, "II")
    assert "escalation" in {
        one["check"] for one in run("dispatch", "check", "--escalate", "--json").json
    }  # no receiver
    with running(tmp_path):
        first = run("dispatch", "check", "--escalate", "--json").json
        run("dispatch", "check", "--escalate")
        (queued,) = run("queue", "show", 2, "--json").json
    assert [one["text"] for one in first if one["check"] == "escalation"] == [
        "emergency of type I, home H1: its alarms are closed, so that none can be escalated"
    ]
    assert queued["alarm"]["escalated_why"] == "emergency without a unit for 5 min 0 s"
    events = run("dispatch", "show", 2, "--json").json[0]["events"]
    assert [event["event"] for event in events].count("escalated") == 1


def test_a_check_that_cannot_read_is_unknown(vetlla: Vetlla, state_dir: Path) -> None:
    (state_dir / "registry.db").write_bytes(b"no database" * 100)
    done = vetlla("dispatch", "check")
    assert (done.status, done.out.splitlines()[0]) == (3, "DISPATCH UNKNOWN: the emergencies cannot be read")


def test_only_a_look_at_an_emergency_that_is_over_reads_the_events_of_all_years(
    street: Vetlla, state_dir: Path
) -> None:
    act(street, "type", 4, "I")
    read: list[str] = []
    rules = load_rules(None, None)
    with snapshot(state_dir, CLOCK) as connection:
        connection.set_trace_callback(read.append)
        found = looking.of_alarm(connection, rules, "4", CLOCK.now().utc_us)
        assert (found is not None, any("instr" in sql for sql in read)) == (True, False)
        assert looking.of_alarm(connection, rules, "77", CLOCK.now().utc_us) is None
        assert any("instr" in sql for sql in read)


def test_the_check_is_critical_without_a_unit(street: Vetlla, state_dir: Path) -> None:
    assert street("dispatch", "check").status == 0
    act(street, "type", 4, "I")
    assert street("dispatch", "check").status == 0
    write_alarms(state_dir, (20, "H1", 6, None), (21, "H2", 28, None))
    act(street, "type", 20, "II")  # joins the press 40 minutes ago
    checked = street("dispatch", "check")
    assert checked.status == 2
    assert "has no unit after 5 min 0 s" in checked.out
    act(street, "send", 20, "--unit", "UMO-03")
    act(street, "type", 21, "I")
    act(street, "send", 21, "--unit", "UMO-01")
    checked = street("dispatch", "check")
    assert checked.status == 1, checked.out
    assert "are left" in checked.out
    act(street, "access", 21)
    assert street("dispatch", "check").status == 0


def test_the_board_of_the_operators_shows_the_units(street: Vetlla, state_dir: Path) -> None:
    from vetlla.cli.board.emergencies import StreetWatch  # noqa: PLC0415

    watch = StreetWatch(state_dir)
    assert watch.street().drawn() == []
    act(street, "type", 4, "I")
    act(street, "type", 2, "I")
    act(street, "send", 4, "--unit", "UMO-03")
    heads, late, due = (line.plain for line in watch.street().drawn())
    assert heads.split()[:4] == ["alarm", "home", "type", "unit"]
    assert late.split()[:5] == ["1", "H1", "I", "NO", "UNIT"]
    assert due.split()[:4] == ["4", "H3", "I", "UMO-03"]
    assert watch.street().fields()[0]["left_s"] < 0 < watch.street().fields()[1]["left_s"]
    (state_dir / "registry.db").write_bytes(b"no database" * 500)
    assert "cannot be read" in watch.street().drawn()[0].plain
