"""``vetlla maintenance`` lists batteries and checks that fall due, except for homes that left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

ON = ("--day", "2026-05-12")
HOMES = """\
code,district,base,level,alone,active
STAYS,01,NORD,2,yes,2018-01-01/
LEFT,01,NORD,2,yes,2018-01-01/2026-05-11
LEAVES,01,NORD,2,yes,2018-01-01/2026-05-31
BACK,01,NORD,2,yes,2018-01-01/2026-04-30;2026-06-01/
NEVER,01,NORD,2,yes,
"""
DEVICES = """\
type,serial,ownership,place,home,first_installed,last_battery
terminal_gsm,T1,municipal,home,STAYS,2018-05-02,
ucr,U1,municipal,home,STAYS,2018-05-02,2022-05-02
ucr,U2,municipal,home,LEFT,2018-05-02,2022-05-02
ucr,U3,municipal,home,LEAVES,2018-05-02,2022-05-31
ucr,U4,municipal,home,LEAVES,2018-05-02,2022-06-01
ucr,U5,municipal,home,BACK,2018-05-02,2022-05-03
ucr,U6,municipal,home,NEVER,2018-05-02,2022-05-02
"""


@pytest.fixture
def stocked(vetlla: Vetlla, tmp_path: Path) -> Vetlla:
    for what, text in (("homes", HOMES), ("devices", DEVICES)):
        file = tmp_path / f"{what}.csv"
        file.write_text(text, encoding="utf-8")
        assert vetlla("inventory", "import", file, "--what", what, "--day", "2026-04-01").status == 0
    return vetlla


def test_late_upkeep_comes_first(stocked: Vetlla) -> None:
    """Batteries and checks fall due by their intervals, the first due first, with the days they are late."""
    rows = [row for row in stocked("maintenance", "due", *ON, "--json").json if row["home"] == "STAYS"]
    assert [(row["device"], row["work"], row["due"], row["late_days"]) for row in rows] == [
        ("terminal_gsm:T1", "battery", "2023-05-02", 1106),
        ("ucr:U1", "battery", "2026-05-02", 10),
    ]


def test_upkeep_of_homes_that_left_is_not_due(stocked: Vetlla) -> None:
    """Nothing is due in a home that left; before a home leaves, and if it comes back, its work is due."""
    rows = stocked("maintenance", "due", *ON, "--json").json
    assert [row["device"] for row in rows] == ["terminal_gsm:T1", "ucr:U1", "ucr:U5", "ucr:U3"]
    before = stocked("maintenance", "due", "--day", "2026-05-11", "--json").json
    assert "ucr:U2" in [row["device"] for row in before]


def test_the_check_asks_for_no_upkeep_in_homes_that_left(stocked: Vetlla) -> None:
    """Rules 16 and 17 of the tender differ: equipment of homes that left is recovered, that of others kept up."""
    found = stocked("inventory", "check", *ON, "--rule", "upkeep_overdue", "--json").json
    assert [one["device"] for one in found] == ["terminal_gsm:T1", "ucr:U1", "ucr:U5"]
    left = stocked("inventory", "check", "--day", "2026-06-12", "--rule", "not_recovered", "--json").json
    assert [one["home"] for one in left] == ["LEFT", "NEVER"]
