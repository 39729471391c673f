"""The page of the service levels: in three languages with the same words, as HTML and PDF, the same bytes again."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vetlla.documents.html import html
from vetlla.documents.pdf import pdf
from vetlla.documents.sla.page import LevelContent, level_page
from vetlla.documents.words import Language
from vetlla.domain.service_levels import (
    BreachReason,
    LevelBreach,
    LevelFigure,
    LevelPart,
    LevelVerdict,
    PartName,
    Spread,
)
from vetlla.service.sla.levels import NUMBERS
from vetlla.settings.shipped import duty_kinds_file

MADE = date(2026, 11, 4)
OCTOBER, SEPTEMBER = date(2026, 10, 1), date(2026, 9, 1)
BEGUN_US = 1_791_000_000_000_000
LIMIT_US = 30_000_000


def t3(month: date, verdict: LevelVerdict = LevelVerdict.NOT_KEPT) -> LevelFigure:
    """Return a month of ANS 6 with a breach that exceeds its limit by a microsecond."""
    part = LevelPart(PartName.WITHIN, 899, 1000, Decimal(90), "%", Decimal("89.90"), verdict)
    breach = LevelBreach(
        "call", "17", "H1", "", BreachReason.TOO_LONG, BEGUN_US, limit_us=LIMIT_US, measured_us=LIMIT_US + 1
    )
    counts = (*([10] * 60), 3)
    return LevelFigure(
        ans=6,
        month=month,
        parts=(part,),
        verdict=verdict,
        breaches=(breach,) * 6,
        breach_count=70_000,
        undecided=2,
        assumed=("sla.t3.tests",),
        spreads=(Spread("t3", 603, 15_000_000, 31_000_000, counts, 1_000_000, (15_000_000, LIMIT_US)),),
    )


def content() -> LevelContent:
    """Return two months of two levels, one of which nothing measures."""
    nothing = LevelFigure(ans=8, month=OCTOBER, parts=(), verdict=LevelVerdict.NOT_MEASURED)
    return LevelContent(
        month=OCTOBER,
        figures=[t3(OCTOBER), nothing],
        year={SEPTEMBER: [t3(SEPTEMBER, LevelVerdict.KEPT)], OCTOBER: [t3(OCTOBER), nothing]},
        made=MADE,
        zone=ZoneInfo("Europe/Madrid"),
        parameters={"sla.t3.tests": ("no", "yes or no")},
    )


def words(language: Language) -> dict[str, Any]:
    """Return the words of a language."""
    text = (files("vetlla.documents.sla") / f"{language.value}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def test_catalan_says_what_the_figures_say() -> None:
    page = html(level_page(content(), Language.CA))
    for text in (
        "Estàndards de qualitat (ANS)", "octubre de 2026", "no acomplert", "no mesurat", "89,9", "≥", "70.000",
        "un terminal en proves: no", "Casos que encara són dins el termini", "30,1",
    ):  # fmt: skip
        assert text in page, text


def test_a_duration_beyond_its_limit_never_looks_equal_to_it() -> None:
    page = html(level_page(content(), Language.EN))
    assert "30.1" in page


@pytest.mark.parametrize("language", [Language.CA, Language.ES, Language.EN])
def test_a_pdf_is_made_and_the_same_content_gives_the_same_bytes(language: Language) -> None:
    first, second = (pdf(level_page(content(), language), MADE) for _ in range(2))
    assert first == second
    assert first.startswith(b"%PDF-")


@pytest.mark.parametrize("language", [Language.ES, Language.EN])
def test_each_language_has_the_same_sentences(language: Language) -> None:
    catalan, other = words(Language.CA), words(language)
    for table in ("page", "tables", "columns"):
        assert other[table].keys() == catalan[table].keys()
    for table in (
        "subject",
        "verdict",
        "reason",
        "part",
        "source",
        "parameter",
        "option",
        "by",
        "came",
        "priority",
        "left_out",
        "district",
        "note",
        "device",
        "unit",
        "unit_one",
    ):
        assert other["words"][table].keys() == catalan["words"][table].keys(), table


def test_every_level_reason_and_kind_has_a_word() -> None:
    catalan = words(Language.CA)["words"]
    assert {int(number) for number in catalan["subject"]} == set(NUMBERS)
    assert catalan["reason"].keys() == {reason.value for reason in BreachReason}
    kinds = tomllib.loads(duty_kinds_file().read_text(encoding="utf-8"))
    assert {name for name, kind in kinds.items() if kind.get("ans")} - catalan["what"].keys() == set()
