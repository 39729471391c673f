"""``vetlla budget tender``."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.rigs.nursery import Nursery


def test_each_cell_is_an_object(program: Nursery) -> None:
    """Amounts and units are texts of exact decimals; the sums of all years have no units."""
    left = program.run("budget", "tender", "--json")
    found = {(one["year"], one["concept"]): one for one in map(json.loads, left.out.splitlines())}
    essential = {"year": 2024, "concept": "essential", "units": "77287.3875", "amount": "4266263.79"}
    assert found[2024, "essential"] == essential
    total = {"year": "total", "concept": "purchase_option", "units": None, "amount": "4189435.60"}
    assert found["total", "purchase_option"] == total


def test_one_year_and_the_calendar(program: Nursery) -> None:
    """--year leaves out the other years and the sums; --calendar has 275 days in 2024."""
    left = program.run("budget", "tender", "--year", "2024", "--calendar")
    lines = left.out.splitlines()
    assert [line.split() for line in lines[:2]] == [
        ["year", "concept", "units", "amount"],
        ["2024", "essential", "77,287.4", "4,250,806.31"],
    ]
    assert {line.split()[0] for line in lines[1:]} == {"2024"}


def test_a_year_that_the_tender_does_not_have_is_refused(program: Nursery) -> None:
    """The error names the years."""
    left = program.run("budget", "tender", "--year", "2031")
    assert (left.status, left.err) == (
        os.EX_USAGE,
        "vetlla: the tender has no year 2031\n  -> one of 2024, 2025, 2026, 2027\n",
    )
