"""Which unit is proposed, free or busy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.dispatch.doing import act, refused, rows

if TYPE_CHECKING:
    from tests.cli.conftest import Vetlla


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
