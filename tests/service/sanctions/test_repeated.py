"""Repeated months: cases made by hand for each clause, and random months against a slow model of the same rules."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.service.sanctions.making import START, case, facts_of, month_after, short, terms_with
from vetlla.domain.clock import last_of_month
from vetlla.service.sanctions.repeated import TOGETHER, repeated
from vetlla.service.sanctions.terms import DOCUMENT_FAULTS

if TYPE_CHECKING:
    from vetlla.service.sanctions.terms import SanctionTerms

BY_CLAUSE = [
    ("17: two months within a year are no fault", "XX..........", {}, []),
    ("17: three months within a year are grave", "XXX", {}, ["S29 2024-06-30"]),
    ("17: the three months need not be consecutive", "X.X.......X", {}, ["S29 2025-02-28"]),
    ("17: the first and the twelfth month are within a year", "X....X.....X", {}, ["S29 2025-03-31"]),
    ("17: the first and the thirteenth month are not", "X.....X.....X", {}, []),
    ("17: six months within a year stay grave", "XX.XX.XX", {}, ["S29 2024-07-31"]),
    (
        "17: more than six months within a year are very grave",
        "XX.XX.XX.X",
        {},
        ["S29 2024-07-31", "S45 2025-01-31", "R7 2025-01-31"],
    ),
    ("17: the calendar year ends in December", "........XX.", {"year": "natural"}, []),
    ("17: a calendar year begins again in January", "........X.X.X", {"year": "natural"}, []),
    ("17: three months of one calendar year", ".........XXX", {"year": "natural"}, ["S29 2025-03-31"]),
    ("22: five consecutive months", "XXXXX", {}, ["S29 2024-06-30", "R5 2024-08-31"]),
    ("22: four consecutive months are no cause", "XXXX", {}, ["S29 2024-06-30"]),
    ("22: a kept month ends the run", "XXX.XX", {}, ["S29 2024-06-30"]),
    ("22: a month without a case does not end the run", "XX-XXX", {}, ["S29 2024-07-31", "R5 2024-09-30"]),
    ("22: a month that was not measured does not end the run", "XX?XXX", {}, ["S29 2024-07-31", "R5 2024-09-30"]),
    ("22: a month without figures does not end the run", "XX XXX", {}, ["S29 2024-07-31", "R5 2024-09-30"]),
    ("22: a month without a case ends the run if so agreed", "XX-XXX", {"empty_ends_run": "yes"}, ["S29 2024-07-31"]),
    (
        "22: seven alternate months of the contract",
        "X......X......X......X......X......X......X",
        {},
        ["R7 2027-10-31"],
    ),
    (
        "22: seven alternate months within a year only",
        "X......X......X......X......X......X......X",
        {"alternate_within": "year"},
        [],
    ),
    ("a month that was not measured is no missed one", "X?X", {}, []),
    ("a month that was not measured is missed if so agreed", "X?X", {"not_measured": "missed"}, ["S29 2024-06-30"]),
]


@pytest.mark.parametrize(("clause", "months", "answers", "expected"), BY_CLAUSE, ids=[one[0] for one in BY_CLAUSE])
def test_months_of_one_level(clause: str, months: str, answers: dict[str, str], expected: list[str]) -> None:
    assert clause
    found = repeated(facts_of({5: months}), terms_with(**answers))
    assert sorted(short(list(found))) == sorted(f"{one} ANS 5" for one in expected)


def test_17_months_of_two_standards_count_together_only_if_so_agreed() -> None:
    levels = {5: "X..", 6: ".X.", 7: "..X"}
    assert not list(repeated(facts_of(levels), terms_with()))
    (found,) = repeated(facts_of(levels), terms_with(same_standard="no"))
    assert (found.fault, found.about, len(found.months)) == ("S29", TOGETHER, 3)
    assert "sanctions.same_standard" in found.assumed


def test_17_months_in_which_an_obligation_was_missed_count_like_those_of_a_standard() -> None:
    missed = [case("S06", f"2024-0{month}-15", str(month)) for month in (4, 6, 9)]
    found = list(repeated(facts_of({}, cases=missed), terms_with()))
    assert short(found) == ["S29 2024-09-30 S06"]
    judged = [one._replace(ans=22) for one in missed]
    assert not list(repeated(facts_of({}, cases=judged), terms_with())), "the level counts these months"
    deducted = [one._replace(fault="20.2.d") for one in missed]
    assert not list(repeated(facts_of({}, cases=deducted), terms_with())), "20.2.d is no infraction"


def test_22_months_of_an_obligation_are_kept_without_a_case() -> None:
    missed = [case("S06", f"2024-{month:02}-15") for month in (4, 5, 6, 7, 9, 10)]
    found = repeated(facts_of({}, cases=missed), terms_with())
    assert "R5" not in {one.fault for one in found}


def test_a_fault_names_the_months_that_continue_it() -> None:
    (found,) = repeated(facts_of({5: "XX.X..X"}), terms_with())
    assert found.day == date(2024, 7, 31)
    assert [f"{month:%m}" for month in found.months] == ["04", "05", "07", "10"]


# --- against a model --------------------------------------------------------------------------------------------------

LINES = st.text("XXX.?- ", min_size=1, max_size=45)
ANSWERS = st.fixed_dictionaries(
    {
        "year": st.sampled_from(("rolling", "natural")),
        "same_standard": st.sampled_from(("yes", "no")),
        "not_measured": st.sampled_from(("apart", "missed")),
        "empty_ends_run": st.sampled_from(("no", "yes")),
        "alternate_within": st.sampled_from(("contract", "year")),
    }
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.integers(1, 23), LINES, min_size=1, max_size=3), ANSWERS, st.integers(0, 11))
def test_random_months_give_what_a_slow_model_gives(
    levels: dict[int, str], answers: dict[str, str], shift: int
) -> None:
    first = month_after(START, shift)
    terms = terms_with(**answers)
    found = {(one.fault, one.about, one.day, one.months) for one in repeated(facts_of(levels, first), terms)}
    assert found == modelled(levels, answers, first)


def modelled(levels: dict[int, str], answers: dict[str, str], first: date) -> set[tuple[object, ...]]:
    """Return the faults by the words of the tender, with sets of month numbers and no window that moves."""
    length = max(map(len, levels.values()))
    lines = {f"ANS {ans}": [counted(one, answers) for one in line.ljust(length)] for ans, line in levels.items()}
    if answers["same_standard"] == "no":
        columns = zip(*lines.values(), strict=True)
        lines = {TOGETHER: ["X" if "X" in one else "." if "." in one else "?" for one in columns]}
    found: set[tuple[object, ...]] = set()
    offset = first.year * 12 + first.month - 1
    for about, line in lines.items():
        missed = [offset + place for place, one in enumerate(line) if one == "X"]
        for fault, least, always in (
            ("S29", 3, False),
            ("S45", 7, False),
            ("R7", 7, answers["alternate_within"] == "contract"),
        ):
            groups: list[list[int]] = []
            reached: list[int] = []
            for last in missed:
                window = [one for one in missed if one <= last and (always or is_in_year(one, last, answers["year"]))]
                if len(window) < least:
                    continue
                if groups and set(groups[-1]) & set(window):
                    groups[-1] = sorted(set(groups[-1]) | set(window))
                else:
                    groups.append(window)
                    reached.append(last)
            found |= {
                (fault, about, last_of_month(as_month(at)), tuple(map(as_month, group)))
                for at, group in zip(reached, groups, strict=True)
            }
        found |= {("R5", about, last_of_month(run[4]), tuple(run)) for run in model_runs(line, first)}
    return found


def counted(letter: str, answers: dict[str, str]) -> str:
    """Return how a month counts: ``X`` missed, ``.`` kept, ``?`` neither."""
    if letter in "? ":
        return "X" if answers["not_measured"] == "missed" else "?"
    if letter == "-":
        return "." if answers["empty_ends_run"] == "yes" else "?"
    return letter


def is_in_year(one: int, last: int, year: str) -> bool:
    """Return True if a month is in the year that ends with another."""
    return one // 12 == last // 12 if year == "natural" else last - one < 12


def as_month(number: int) -> date:
    """Return the first day of the month with a number."""
    return date(number // 12, number % 12 + 1, 1)


def model_runs(line: list[str], first: date) -> list[list[date]]:
    """Return the runs of five missed months or more: what stands between two kept months."""
    text = "".join(line)
    found, place = [], 0
    for part in text.split("."):
        run = [month_after(first, place + at) for at, one in enumerate(part) if one == "X"]
        place += len(part) + 1
        if len(run) >= 5:
            found.append(run)
    return found


def test_the_model_of_terms_is_the_installed_file() -> None:
    terms: SanctionTerms = terms_with()
    assert terms.is_("year", "rolling")
    assert {name for name in terms.not_agreed if name.startswith("sanctions.")} == {
        *terms.answers,
        *(f"sanctions.{name}" for name in DOCUMENT_FAULTS.values()),
        "sanctions.price",
    }
