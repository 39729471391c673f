"""The calendar of documents against section 5.6 of the requirements, counted by hand."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest

from tests.rigs.homes_on_record import RULES
from vetlla.domain.errors import ConfigError
from vetlla.service.documents.deliverables import DueRule, RuleName, TermUnit, parse_deliverables
from vetlla.service.documents.due import Contract, all_due, contract_of, term
from vetlla.tasks.documents.calendar import load_deliverables

CONTRACT = Contract(date(2024, 4, 1), date(2024, 4, 1), date(2027, 3, 31))
WITHIN_5 = ("invoice", "ans_evidence", "inventory", "activity_report", "availability_report")
WITHIN_15 = ("hr_management", "hr_documents", "substitutions", "certificates", "language_staff")
OF_2025 = {
    ("training_summary", "2024", "2025-01-31"),
    ("training_plan", "2025", "2025-03-31"),
    ("offences_register", "2025-04", "2025-04-01"),
    ("electronics_watch", "2025-04", "2025-04-11"),
    ("limited_review", "2024", "2025-04-30"),
    ("cost_sheet", "2024", "2025-04-30"),
    ("staff_plan", "2025-04", "2025-08-01"),
    ("electronics_watch", "2025-10", "2025-10-11"),
    ("staff_documents", "2025", "2025-12-31"),
    ("satisfaction_survey", "2025", "2025-12-31"),
}
AT_THE_START = {
    ("ens", "start", "2024-04-01"),
    ("premises", "start", "2024-04-01"),
    ("language_certificates", "start", "2024-04-01"),
    ("offences_register", "2024-04", "2024-04-01"),
    ("equality_plan", "start", "2024-04-11"),
    ("conciliation", "start", "2024-04-11"),
    ("electronics_watch", "2024-04", "2024-04-11"),
    # 1 April 2024 is Easter Monday; the tenth working day after it is a Monday, two weeks later.
    ("guarantee", "start", "2024-04-15"),
    ("emergency_plan", "start", "2024-05-01"),
    ("staff_plan", "2024-04", "2024-08-01"),
}
AT_THE_END = {
    ("staff_plan", "end", "2027-01-31"),
    ("gender_report", "end", "2027-03-31"),
    ("case_handover", "end", "2027-03-31"),
}


def due(first: str, last: str, text: str = "", contract: Contract = CONTRACT) -> set[tuple[str, str, str]]:
    """Return code, period and day of what is due within two days; ``text`` replaces the installed calendar."""
    deliverables = parse_deliverables(tomllib.loads(text), "test") if text else load_deliverables()
    return {
        (one.code, one.period, str(one.day))
        for one in all_due(deliverables, contract, RULES.calendar)
        if first <= str(one.day) <= last
    }


def monthly(year: int) -> set[tuple[str, str, str]]:
    """Return what is due each month of a year, about the month before."""
    months = [
        (f"{year}-{month - 1:02}" if month > 1 else f"{year - 1}-12", f"{year}-{month:02}") for month in range(1, 13)
    ]
    return {
        (code, about, f"{month}-{day}")
        for about, month in months
        for codes, day in ((WITHIN_5, "05"), (WITHIN_15, "15"))
        for code in codes
    }


def test_one_year_is_as_counted_by_hand() -> None:
    assert due("2025-01-01", "2025-12-31") == OF_2025 | monthly(2025)


def test_the_start_is_as_counted_by_hand() -> None:
    found = due("2024-04-01", "2024-08-31")
    assert {
        one for one in found if one[1] in {"start", "2024-04"} and one[0] not in {*WITHIN_5, *WITHIN_15}
    } == AT_THE_START
    assert min(day for code, _, day in found if code == "invoice") == "2024-05-05"


def test_the_end_is_as_counted_by_hand() -> None:
    found = due("2027-01-01", "2028-12-31")
    assert {one for one in found if one[1] == "end"} == AT_THE_END
    assert max(day for code, _, day in found if code == "invoice") == "2027-04-05"
    assert ("limited_review", "2026", "2027-04-30") in found


def test_every_document_of_the_section_is_there() -> None:
    codes = set(load_deliverables().codes())
    dated = {code for code, _, _ in due("2024-01-01", "2029-12-31")}
    assert codes - dated == {"protocols", "subcontract"}


def test_the_installed_calendar_fits_the_installed_parameters() -> None:
    assert contract_of(RULES.parameters.on(date(2026, 12, 1))) == CONTRACT


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("2025-04-14", "2025-04-30"),  # without Good Friday and Easter Monday
        ("2025-08-08", "2025-08-25"),  # without the Assumption, a Friday
        ("2025-09-08", "2025-09-23"),  # without the national day of Catalonia
        ("2025-09-09", "2025-09-25"),  # and without la Merce, which is the city's
        ("2026-12-04", "2026-12-21"),  # without the Immaculate Conception, a Tuesday
    ],
)
def test_working_days_skip_holidays(asked: str, expected: str) -> None:
    rule = DueRule(rule=RuleName.REQUEST, after=10, unit=TermUnit.WORKING_DAYS)
    assert str(term(date.fromisoformat(asked), rule, RULES.calendar)) == expected


LEAP = """
[a]
ca = "a"
en = "a"
basis = "assumed"
clause = "c"
due = [
  { rule = "yearly", on = "02-29" },
  { rule = "monthly", after = 1, unit = "months" },
  { rule = "end", before = 2, unit = "months" },
]
"""


def test_leap_years() -> None:
    contract = Contract(date(2027, 1, 1), date(2027, 1, 1), date(2028, 4, 30))
    found = due("2027-01-01", "2028-12-31", LEAP, contract)
    assert {day for _, period, day in found if len(period) == 4} == {"2027-02-28", "2028-02-29"}
    assert {day for _, period, day in found if period in {"2027-01", "2027-02", "2028-01", "2028-02"}} == {
        "2027-02-28", "2027-03-28", "2028-02-29", "2028-03-29",
    }  # fmt: skip
    assert ("a", "end", "2028-02-29") in found


@pytest.mark.parametrize(
    ("end", "day"), [("2027-02-28", "2026-12-31"), ("2028-02-29", "2027-12-31"), ("2027-03-15", "2027-01-15")]
)
def test_two_months_before_the_end_are_whole_months(end: str, day: str) -> None:
    contract = Contract(date(2026, 1, 1), date(2026, 1, 1), date.fromisoformat(end))
    assert ("a", "end", day) in due("2026-01-01", "2028-12-31", LEAP, contract)


ONE = {"ca": "a", "en": "a", "basis": "contract", "clause": "c"}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"rule": "monthly", "after": 5}, "rule monthly needs unit"),
        ({"rule": "yearly", "on": "01-31", "after": 5}, "rule yearly takes no after"),
        ({"rule": "yearly", "on": "13-31"}, "should match"),
        ({"rule": "once", "after": 5, "unit": "natural days", "about": "previous"}, "takes no about"),
        ({"rule": "end", "before": 5, "unit": "working days"}, "natural days or months"),
        ({"rule": "never"}, "Input should be"),
    ],
)
def test_a_wrong_rule_is_named(rule: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_deliverables({"one": ONE | {"due": [rule]}}, "file")


def test_two_periods_cannot_have_one_name() -> None:
    each = {"rule": "every", "months": 6, "after": 1, "unit": "months"}
    with pytest.raises(ConfigError, match="one name"):
        parse_deliverables({"one": ONE | {"due": [{"rule": "monthly", "after": 1, "unit": "months"}, each]}}, "file")
    with pytest.raises(ConfigError, match="given twice"):
        parse_deliverables({"one": ONE | {"due": [each, each]}}, "file")
