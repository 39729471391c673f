"""What becomes of an emergency: the order of its steps, its end, and events of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.dispatch.doing import act, refused, rows
from tests.rigs.street import write_alarms

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


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
