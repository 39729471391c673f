"""``vetlla invoice explain`` walks from a line to its units, and says why a home counts as it does."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from tests.cli.invoice.test_make import MONTH

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


def test_a_home_shows_its_users_day_by_day(service: Vetlla) -> None:
    done = service("invoice", "explain", "essential", *MONTH, "--home", "H2")
    assert "home H2 counts on 25 of 31 days" in done.talk
    rows = service("invoice", "explain", "essential", *MONTH, "--home", "H2", "--json").json
    assert [(row["person"], row["from"], row["to"], row["days"], row["state"], row["periods"]) for row in rows] == [
        ("P2", "2025-10-01", "2025-10-20", 20, "active", "home"),
        ("P2", "2025-10-21", "2025-10-31", 11, "out", "home"),
        ("P3", "2025-10-01", "2025-10-05", 5, "suspended", "own"),
        ("P3", "2025-10-06", "2025-10-25", 20, "active", "own"),
        ("P3", "2025-10-26", "2025-10-31", 6, "out", "own"),
    ]


@pytest.mark.parametrize(
    ("line", "home", "reasons"),
    [
        ("agendas", "H2", ["paid", "fortnightly_programme"]),
        ("umo", "H2", ["no unit was sent"]),
        ("umo", "H1", ["paid"]),
        ("rent.terminal_analog", "H2", ["municipal"]),
        ("rent.terminal_analog", "H3", ["home_left", "rented"]),
        ("rent.smoke", "H2", ["rented", "home_left"]),
    ],
)
def test_what_does_not_count_has_its_reason(service: Vetlla, line: str, home: str, reasons: list[str]) -> None:
    rows = service("invoice", "explain", line, *MONTH, "--home", home, "--json").json
    assert [row["reason"] for row in rows] == reasons


def test_units_of_all_homes(service: Vetlla) -> None:
    rows = service("invoice", "explain", "rent.smoke", *MONTH, "--json").json
    assert [(row["device"], row["home"], row["days"], row["units"]) for row in rows] == [
        ("smoke:S1", "H1", 31, "1"),
        ("smoke:S2", "H2", 20, "0.64516129"),
    ]
    assert [row["home"] for row in service("invoice", "explain", "home_safety", *MONTH, "--json").json] == ["H1"]
    assert [row["person"] for row in service("invoice", "explain", "mimal", *MONTH, "--json").json] == ["P4"]


def test_people_read_the_clock_of_the_service_and_programs_utc(service: Vetlla) -> None:
    (row,) = service("invoice", "explain", "umo", *MONTH, "--home", "H1", "--json").json
    begun = datetime.fromisoformat(row["begun"])
    assert (row["begun"][-1], begun.utcoffset()) == ("Z", timedelta())
    shown = service("invoice", "explain", "umo", *MONTH, "--home", "H1").out
    assert f"{begun.astimezone(ZoneInfo('Europe/Madrid')):%Y-%m-%d %H:%M:%S %Z}" in shown


def test_an_unknown_line_or_home_is_refused(service: Vetlla) -> None:
    assert service("invoice", "explain", "rent.ucr", *MONTH).status == 64
    assert service("invoice", "explain", "umo", *MONTH, "--home", "H9").status == 64


MOVED = {
    "homes": (
        "code,district,base,level,alone,active,suspended\n"
        "A4,01,NORD,1,yes,2020-01-01/,\n"
        "A5,01,NORD,1,yes,2020-01-01/,\n"
    ),
    "people": (
        "code,home,user_type,programmes,active,suspended\n"
        "P8,A4,A,carers:2024-01-01/2025-10-09;mimal:2024-01-01/,,\n"
        "P9,A4,A,home_safety:2024-01-01/,,\n"
    ),
    "devices": (
        "type,serial,ownership,place,home,since,first_installed\nsmoke,S9,leased,home,A4,2025-01-01,2025-01-01\n"
    ),
}


@pytest.fixture
def moved(service: Vetlla, tmp_path: Path) -> Vetlla:
    """Register a person and a detector who move from A4 to A5 on 10 October 2025."""
    for what, text in MOVED.items():
        file = tmp_path / f"moved-{what}.csv"
        file.write_text(text, encoding="utf-8")
        done = service("inventory", "import", "--what", what, file, "--day", "2025-01-01")
        assert done.status == 0, done.error
    later = tmp_path / "later.csv"
    later.write_text(MOVED["people"].replace("P8,A4", "P8,A5").replace("P9,A4", "P9,A5"), encoding="utf-8")
    done = service("inventory", "import", "--what", "people", later, "--day", "2025-10-10")
    assert done.status == 0, done.error
    for words in (("remove", "smoke:S9", "--day", "2025-10-10"), ("install", "smoke:S9", "A5", "--day", "2025-10-10")):
        done = service("inventory", *words)
        assert done.status == 0, done.error
    return service


def test_21_a_unit_belongs_to_the_homes_in_which_it_was_counted(moved: Vetlla) -> None:
    """The carers' programme ended the day before the move; the other one, and the detector, were in both homes."""

    def homes(line: str, code: str) -> list[str]:
        rows = moved("invoice", "explain", line, *MONTH, "--json").json
        return [row["home"] for row in rows if code in (row.get("person"), row.get("device"), row.get("home"))]

    assert homes("integrated", "P8") == ["A4"]
    assert homes("mimal", "P8") == ["A4, A5"]
    assert homes("rent.smoke", "smoke:S9") == ["A4, A5"]
    assert homes("home_safety", "A4") + homes("home_safety", "A5") == ["A4", "A5"]


@pytest.mark.parametrize(
    ("home", "stretches"),
    [
        ("A4", [("2025-10-01", 9, "rented"), ("2025-10-10", 22, "in another home")]),
        ("A5", [("2025-10-01", 9, "in another home"), ("2025-10-10", 22, "rented")]),
    ],
)
def test_21_a_home_shows_the_days_on_which_the_device_was_there(
    moved: Vetlla, home: str, stretches: list[tuple[str, int, str]]
) -> None:
    rows = moved("invoice", "explain", "rent.smoke", *MONTH, "--home", home, "--json").json
    assert [(row["from"], row["days"], row["reason"]) for row in rows] == stretches
