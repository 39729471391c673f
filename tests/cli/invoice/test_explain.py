"""``vetlla invoice explain`` walks from a line to its units, and says why a home counts as it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.invoice.test_make import MONTH

if TYPE_CHECKING:
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


def test_an_unknown_line_or_home_is_refused(service: Vetlla) -> None:
    assert service("invoice", "explain", "rent.ucr", *MONTH).status == 64
    assert service("invoice", "explain", "umo", *MONTH, "--home", "H9").status == 64
