"""The page of the monthly report: the same words in three languages, a first sheet, and what is missing is said."""

# ruff: noqa: RUF001 - Catalan has this apostrophe

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from vetlla.documents.activity.page import ActivityContent, activity_page
from vetlla.documents.html import html
from vetlla.documents.outline import ROWS_OF_TABLE, outline
from vetlla.documents.pdf import pdf
from vetlla.documents.sla.page import LevelContent, level_page
from vetlla.documents.words import Language
from vetlla.domain.devices import DeviceType, MovementKind, Ownership
from vetlla.domain.figures import FigureTable
from vetlla.domain.sanctions import FaultClass
from vetlla.domain.service_levels import LevelFigure, LevelPart, LevelVerdict, PartName
from vetlla.domain.signals import Priority
from vetlla.service.activity import communications, contract, devices, duties, emergencies, people, proofs
from vetlla.service.agenda.call import PLANNED_KINDS
from vetlla.service.calls.report import CallFigures, Limits
from vetlla.service.complaints.report import MonthFigures
from vetlla.service.custody.chain import KeyAct
from vetlla.service.homes.attended import DaySpan
from vetlla.service.inventory.digital import DigitalShare
from vetlla.service.invoice.concepts import SERVICES
from vetlla.service.sanctions.corrective import ActionState
from vetlla.service.sla.levels import NUMBERS
from vetlla.settings.shipped import duty_kinds_file
from vetlla.tasks.activity.gathering import WORK

OCTOBER, MADE = date(2026, 10, 1), date(2026, 11, 4)
ZONE: Final = ZoneInfo("Europe/Madrid")
LAST: Final = date(2026, 10, 31)
NOTHING: Final = LevelFigure(ans=13, month=OCTOBER, parts=(), verdict=LevelVerdict.NOT_MEASURED)
CALLS: Final = CallFigures(Limits(15, 90, 30))
EMPTY: Final = (
    people.homes_in_service((), LAST),
    people.people_in_service((), {}, LAST),
    people.changes({}, (), DaySpan(OCTOBER, LAST), people.Attended(0, 0)),
    contract.units({}),
    communications.signals(()),
    communications.calls(CALLS),
    communications.call_hours(CALLS),
    emergencies.emergency_types({}),
    emergencies.proof((), lambda _: 0, ZONE),
    duties.agenda(()),
    duties.duties((), ()),
    duties.complaints(MonthFigures({}, 0, 0, [], 0, [], 0, 2000, [])),
    duties.keys(()),
    duties.key_acts((), 0, 0),
    devices.inventory(()),
    devices.movements({}),
    devices.renewals({}, (), LAST),
    proofs.checks(NOTHING),
    proofs.silent(NOTHING),
    proofs.availability({}),
    proofs.outages((), ZONE),
    contract.faults((), OCTOBER, LAST),
    contract.corrective((), 0),
)
"""The tables of a month without anything."""
COLUMNS: Final = {table.name: table.columns for table in EMPTY}
SHARE = DigitalShare(
    day=date(2026, 10, 31), terminals=1000, digital=301, offered=40, target=25, offered_points=8,
    offered_by=date(2025, 12, 31), level_3=10, level_3_waiting=("H7",), level_2=400, level_2_digital=150,
    level_2_needed=200, level_2_next=(), reached_by=date(2027, 3, 31),
)  # fmt: skip


def arrivals(within: int = 82, verdict: LevelVerdict = LevelVerdict.NOT_KEPT) -> LevelFigure:
    """Return ANS 11 with a share of 100 emergencies; 90 % was offered."""
    limit = LevelPart(PartName.LIMIT, 100, 100, Decimal(100), "%", Decimal(100), LevelVerdict.KEPT)
    share = LevelPart(PartName.SHARE, within, 100, Decimal(90), "%", Decimal(within), verdict)
    return LevelFigure(ans=11, month=OCTOBER, parts=(limit, share), verdict=verdict, breach_count=18)


def figures(one: LevelFigure | None = None) -> list[LevelFigure]:
    """Return all levels: ANS 11 is measured, and nothing else."""
    others = [LevelFigure(ans=ans, month=OCTOBER, parts=(), verdict=LevelVerdict.NOT_MEASURED) for ans in NUMBERS]
    return [one or arrivals() if other.ans == 11 else other for other in others]


def content(language: Language, *, levels: list[LevelFigure] | None = None, **tables: FigureTable) -> ActivityContent:
    """Return a report whose tables are empty but for the digital share and those that are given."""
    found = levels or figures()
    empty = {table.name: table for table in EMPTY}
    empty["digital"] = devices.digital(SHARE, 50)
    empty["changes"] = replace(empty["changes"], rows=(("homes", 3, 1, 900), ("people", 4, 2, 1100)))
    of_levels = LevelContent(month=OCTOBER, figures=found, year={OCTOBER: found}, made=MADE, zone=ZONE, parameters={})
    return ActivityContent(
        month=OCTOBER,
        made=MADE,
        tables=empty | tables,
        figures=found,
        levels=level_page(of_levels, language),
        share_minutes=30,
        assumed=frozenset({"digital.offered", "life.ucr"}),
    )


def shown(language: Language = Language.CA, **given: Any) -> str:  # noqa: ANN401 - tables and levels
    """Return the page as HTML."""
    return html(activity_page(content(language, **given), language))


def words(language: Language) -> dict[str, Any]:
    """Return the words of a language."""
    text = (files("vetlla.documents.activity") / f"{language.value}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def cases(count: int) -> FigureTable:
    """Return emergencies of type I, ``count`` of them."""
    at = datetime(2026, 10, 6, 9, 0, 1, tzinfo=ZONE)
    row = (at, None, at, Decimal("30.1"), "no", "yes", "kept")
    return FigureTable(
        name="type_1", columns=COLUMNS["type_1"], rows=tuple((f"{n}", f"H{n}", *row) for n in range(count))
    )


# --- the first sheet --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (Language.CA, "El percentatge ofert és del 90\u00a0%: no s’ha assolit."),
        (Language.ES, "El porcentaje ofertado es del 90\u00a0%: no se ha alcanzado."),
        (Language.EN, "The share offered is 90%: it was not reached."),
    ],
)
def test_the_first_sheet_says_whether_the_offered_share_was_reached(language: Language, told: str) -> None:
    made = outline(activity_page(content(language), language))
    texts = [block["text"]["text"] for section in made["front"] for block in section["blocks"] if "text" in block]
    assert any(told in text for text in texts)


def test_the_first_sheet_names_what_was_not_kept_and_what_was_not_measured() -> None:
    made = outline(activity_page(content(Language.CA), Language.CA))
    (table,) = [block for section in made["front"] for block in section["blocks"] if block["kind"] == "table"]
    assert [cell["text"] for cell in table["rows"][0]["cells"]][::2] == ["ANS 11", "82\u00a0%", "18"]
    page = shown()
    assert "ANS 10, ANS 12" in page
    assert "no es poden donar per acomplerts" in page


def test_a_share_that_was_reached_and_a_month_without_an_emergency() -> None:
    assert "s’ha assolit." in shown(levels=figures(arrivals(90, LevelVerdict.KEPT)))
    nothing = LevelFigure(
        ans=11,
        month=OCTOBER,
        parts=(LevelPart(PartName.SHARE, 0, 0, Decimal(90), "%", None, LevelVerdict.EMPTY),),
        verdict=LevelVerdict.EMPTY,
    )
    assert "no hi ha cap cas per acreditar" in shown(levels=figures(nothing))
    unknown = replace(nothing, parts=(), verdict=LevelVerdict.NOT_MEASURED)
    assert "no es pot acreditar" in shown(levels=figures(unknown))


# --- tables -----------------------------------------------------------------------------------------------------------


def test_a_source_without_data_is_said_and_is_not_the_same_as_no_case() -> None:
    page = shown()
    assert page.count("Cap sonda no ha comprovat els sistemes durant el mes.") == 3, "both tables, and the list"
    assert "No hi ha registre de supervisió d’aquest mes." in page
    checked = FigureTable(name="checks", columns=COLUMNS["checks"], rows=(("total", 5, 5, 0),))
    assert "No hi ha registre de supervisió" not in shown(checks=checked)


def test_moments_numbers_and_words_are_those_of_the_language() -> None:
    page = shown(type_1=cases(1))
    assert "6/10/2026 09:00:01" in page
    assert "30,1" in page
    assert "30,1" in shown(Language.ES, type_1=cases(1))
    assert "30.1" in shown(Language.EN, type_1=cases(1))


def test_a_long_table_ends_and_says_so() -> None:
    page = shown(type_1=cases(ROWS_OF_TABLE + 1))
    assert "Es mostren 1.000 files de 1.001" in page
    assert "H999" in page
    assert "H1000" not in page


def test_assumed_values_are_footnotes() -> None:
    page = shown()
    assert "Punts percentuals de digitalització oferts per sobre de l’objectiu: 8,0\u00a0%." in page


@pytest.mark.parametrize("language", list(Language))
def test_the_pdf_is_accessible_and_the_same_content_gives_the_same_bytes(language: Language) -> None:
    """The maker of PDF refuses what breaks PDF/UA-1 and PDF/A-3a."""
    hours = FigureTable(name="call_hours", columns=COLUMNS["call_hours"], rows=tuple((n, n) for n in range(24)))
    calls = FigureTable(name="calls", columns=COLUMNS["calls"], rows=(("in", 276),))
    one, two = (
        pdf(activity_page(content(language, type_1=cases(3), calls=calls, call_hours=hours), language), MADE)
        for _ in range(2)
    )
    assert one == two
    assert one.startswith(b"%PDF-")


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", [Language.ES, Language.EN])
def test_each_language_has_the_same_sentences(language: Language) -> None:
    catalan, other = words(Language.CA), words(language)
    assert other.keys() == catalan.keys()
    for table in ("page", "tables", "columns", "words"):
        assert other[table].keys() == catalan[table].keys(), table
    for table, found in catalan["words"].items():
        assert other["words"][table].keys() == found.keys(), table


@pytest.mark.parametrize("language", list(Language))
def test_whatever_a_table_can_have_has_a_word(language: Language) -> None:
    said = words(language)["words"]
    kinds = tomllib.loads(duty_kinds_file().read_text(encoding="utf-8"))
    assert {name for name, kind in kinds.items() if kind.get("ans") in WORK} | set(PLANNED_KINDS) <= said["kind"].keys()
    for table, wanted in (
        ("device", set(DeviceType)),
        ("ownership", set(Ownership)),
        ("movement", set(MovementKind)),
        ("fault_class", set(FaultClass)),
        ("action_state", set(ActionState)),
        ("key_act", set(KeyAct)),
        ("concept", set(SERVICES)),
        ("priority", {one.name.lower() for one in Priority}),
    ):
        assert wanted <= said[table].keys(), table


@pytest.mark.parametrize("language", list(Language))
def test_every_column_has_a_heading(language: Language) -> None:
    page = activity_page(content(language), language)
    for table in (*EMPTY, devices.digital(SHARE, 50)):
        for column in table.columns:
            assert table.name == "call_hours" or page.words.heading(column.name)
