"""The type of an emergency, and which alarms belong to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.dispatch.doing import act, refused, rows
from tests.rigs.street import write_alarms, write_call

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


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
