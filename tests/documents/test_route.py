"""The route sheet says the same in every language, and shows each technician's day."""

from __future__ import annotations

from datetime import date, datetime
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vetlla.documents.html import html
from vetlla.documents.visits.route import RouteContent, RouteStop, route_page
from vetlla.documents.words import Language, words_of
from vetlla.service.visits.visit import VisitPurpose, VisitState

DAY = date(2026, 12, 3)
MADRID = ZoneInfo("Europe/Madrid")
HOSTILE = "<script>alert(1)</script>"


def stop(number: int, technician: str, *, home: str = "H1") -> RouteStop:
    """Return a visit."""
    return RouteStop(
        visit=number,
        technician=technician,
        begin=datetime(2026, 12, 3, 9, number, tzinfo=MADRID),
        end=datetime(2026, 12, 3, 10, 30, tzinfo=MADRID),
        home=home,
        base="NORD",
        district="01",
        purpose="fault",
        devices=("ucr:U1",),
        minutes=40,
        state="scheduled",
        refs=("F1",),
    )


def page(language: Language, *stops: RouteStop, base: str = "NORD") -> str:
    """Return the sheet as HTML."""
    made = datetime(2026, 12, 1, 8, 5, tzinfo=MADRID)
    return html(route_page(RouteContent(day=DAY, base=base, made_at=made, stops=stops), language))


def keys(data: dict[str, Any], above: str = "") -> set[str]:
    """Return the names of all values, with the tables that they stand in."""
    found: set[str] = set()
    for name, value in data.items():
        found |= keys(value, f"{above}{name}.") if isinstance(value, dict) else {above + name}
    return found


def test_every_language_has_the_same_words() -> None:
    first, *others = (keys(dict(words_of(files("vetlla.documents.visits"), one).data)) for one in Language)
    assert all(other == first for other in others)


@pytest.mark.parametrize("language", Language)
def test_every_purpose_and_state_is_translated(language: Language) -> None:
    words = words_of(files("vetlla.documents.visits"), language).data["words"]
    assert set(words["purpose"]) == set(VisitPurpose)
    assert set(words["state"]) == set(VisitState)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.CA, ["Visites de dijous, 3 de desembre de 2026", "T\u00e8cnic o t\u00e8cnica T07", "avaria", "9.01"]),
        (
            Language.ES,
            ["Visitas del jueves, 3 de diciembre de 2026", "T\u00e9cnico o t\u00e9cnica T07", "aver\u00eda", "9:01"],
        ),
        (Language.EN, ["Visits on Thursday, 3 December 2026", "Technician T07", "fault", "9:01"]),
    ],
)
def test_the_sheet_is_in_its_language(language: Language, said: list[str]) -> None:
    shown = page(language, stop(1, "T07"), stop(2, "T08"))
    for words in said:
        assert words in shown


def test_each_technician_has_a_table_of_their_own() -> None:
    shown = page(Language.EN, stop(3, ""), stop(1, "T07"), stop(2, "T07"))
    assert shown.count("<table") == 2
    assert "Visits without a technician" in shown
    assert shown.count(' id="visits0"') == shown.count(' id="visits1"') == 1


def test_a_day_without_visits_says_so() -> None:
    assert "No visit is scheduled for this day." in page(Language.EN, base="")


def test_a_hostile_code_is_shown_and_does_nothing() -> None:
    shown = page(Language.CA, stop(1, HOSTILE, home=HOSTILE))
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown
