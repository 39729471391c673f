"""The figures of a month: ANS 19 and 20 at their limits, and which month a verdict counts in."""

from __future__ import annotations

from datetime import date

import pytest

from tests.rigs.homes_on_record import RULES, told, us
from vetlla.domain.duties import DutyEvent
from vetlla.domain.homes import Home, Period, Person, UserType
from vetlla.service.complaints.complaint import Complaint, complaint
from vetlla.service.complaints.report import MonthFigures, MonthInput, PertinentMonth, active_users, month_figures
from vetlla.service.duties.grouping import group
from vetlla.service.duties.standing import standing

FIRST, LAST = date(2025, 3, 1), date(2025, 3, 31)
LONG = (Period(date(2020, 1, 1)),)


def home(code: str = "H1", active: tuple[Period, ...] = LONG, suspended: tuple[Period, ...] = ()) -> Home:
    """Return a home of district 01."""
    return Home(code=code, district="01", base="NORD", level=1, alone=True, active=active, suspended=suspended)


def made(
    arrived: str, *events: tuple[str, str], kind: str = "claim", subject: str = "H1", topic: str = ""
) -> Complaint:
    """Return a complaint with its events, as on 1 June 2025."""
    opening = told(kind, subject, "received", f"{arrived}T10:00", ref="r", topic=topic)
    rest = [told(kind, subject, event, at if "T" in at else f"{at}T10:00", ref="r") for event, at in events]
    recorded = [DutyEvent(number, event, "", 0) for number, event in enumerate([opening, *rest], start=1)]
    (duty,) = group(RULES.kinds.kind(kind), recorded).duties
    return complaint(standing(duty, RULES, us("2025-06-01T00:00")))


def figures(*complaints: Complaint, users: int = 1, month_of: str = "verdict") -> MonthFigures:
    """Return the figures of March 2025 with a number of users."""
    people = [Person(code=f"P{number}", home="H1", user_type=UserType.A) for number in range(users)]
    given = MonthInput(FIRST, complaints, {"H1": home()}, people, PertinentMonth(month_of), 2000)
    return month_figures(given, RULES.calendar)


@pytest.mark.parametrize(("answered", "late"), [("2025-03-12", 0), ("2025-03-12T22:59", 0), ("2025-03-12T23:01", 1)])
def test_an_answer_has_seven_days(answered: str, late: int) -> None:
    """It arrived on the fifth; the twelfth ends at 23:00 UTC."""
    assert len(figures(made("2025-03-05", ("answered", answered))).late) == late


def test_what_was_not_answered_is_late_and_what_was_called_off_does_not_count() -> None:
    found = figures(made("2025-03-05"), made("2025-03-05", ("cancelled", "2025-03-06")), made("2025-04-01"))
    assert (len(found.late), found.cancelled, dict(found.received)) == (1, 1, {"claim": 1})


def test_one_pertinent_complaint_needs_2000_users() -> None:
    one = made("2025-03-05", ("answered", "2025-03-06"), ("pertinent", "2025-03-20"))
    assert [figures(one, users=users).pertinent_kept for users in (1999, 2000, 2001)] == [False, True, True]


def test_a_later_verdict_replaces_an_earlier_one() -> None:
    first = made("2025-03-05", ("pertinent", "2025-03-20"), ("not_pertinent", "2025-03-21"))
    then = made("2025-03-05", ("not_pertinent", "2025-03-20"), ("pertinent", "2025-03-20"))
    assert (first.city_verdict, then.city_verdict) == ("not_pertinent", "pertinent")


def test_a_verdict_counts_in_its_month_or_in_that_of_the_arrival() -> None:
    one = made("2025-02-20", ("answered", "2025-02-21"), ("pertinent", "2025-03-20"))
    assert len(figures(one).pertinent) == 1
    assert len(figures(one, month_of="arrival").pertinent) == 0


def test_figures_by_district_and_topic() -> None:
    found = figures(
        made("2025-03-05", ("answered", "2025-03-06"), topic="keys"),
        made("2025-03-05", kind="complaint", subject="service", topic="keys"),
    )
    assert [group[:5] for group in found.groups] == [
        ("district", "01", 1, 1, 0), ("district", "service", 1, 0, 1), ("topic", "keys", 2, 1, 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("active", "suspended", "count"),
    [
        (LONG, (), 1),
        ((Period(date(2025, 3, 31)),), (), 1),
        ((Period(date(2025, 4, 1)),), (), 0),
        ((Period(date(2020, 1, 1), date(2025, 3, 1)),), (), 1),
        ((Period(date(2020, 1, 1), date(2025, 2, 28)),), (), 0),
        (LONG, (Period(date(2025, 2, 1), date(2025, 3, 31)),), 0),
        (LONG, (Period(date(2025, 2, 1), date(2025, 3, 30)),), 1),
        (LONG, (Period(date(2025, 3, 2)),), 1),
        (LONG, (Period(date(2025, 2, 1)),), 0),
        (LONG, (Period(date(2025, 2, 1), date(2025, 3, 15)), Period(date(2025, 3, 16))), 0),
        ((Period(date(2025, 1, 1), date(2025, 3, 10)),), (Period(date(2025, 3, 1), date(2025, 3, 20)),), 0),
    ],
)
def test_a_user_is_active_on_some_day(active: tuple[Period, ...], suspended: tuple[Period, ...], count: int) -> None:
    people = [Person(code="P1", home="H1", user_type=UserType.A), Person(code="P2", home="H9", user_type=UserType.A)]
    assert active_users({"H1": home("H1", active, suspended)}, people, FIRST, LAST) == count


def test_the_periods_of_a_person_replace_those_of_the_home() -> None:
    left = (Period(date(2020, 1, 1), date(2025, 2, 28)),)
    people = [
        Person(code="P1", home="H1", user_type=UserType.A, active=left),
        Person(code="P2", home="H1", user_type=UserType.A, suspended=(Period(date(2025, 1, 1)),)),
        Person(code="P3", home="H1", user_type=UserType.A),
    ]
    assert active_users({"H1": home()}, people, FIRST, LAST) == 1
