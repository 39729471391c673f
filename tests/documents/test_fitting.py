"""A table gets letters that can be read, and columns that fit the sheet."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from tests.rigs import pages
from vetlla.documents import fitting
from vetlla.documents.fitting import ACROSS, LARGE, SMALL, UPRIGHT, fit
from vetlla.documents.outline import outline
from vetlla.documents.page import TableBlock

REGULAR = str(files("vetlla.documents") / "fonts" / "LiberationSans-Regular.ttf")


def table(*columns: tuple[str, str, str]) -> dict[str, Any]:
    """Return a table of an outline with one row: kind, heading and cell of each column."""
    return {
        "headings": [{"kind": kind, "text": heading} for kind, heading, _ in columns],
        "rows": [{"cells": [{"kind": kind, "text": cell, "marks": []} for kind, _, cell in columns]}],
    }


def test_a_small_table_is_as_wide_as_its_texts() -> None:
    found = fit(table(("name", "Home", "H1"), ("number", "Cases", "12")))
    assert (found.size, found.is_across) == (LARGE, False)
    assert sum(found.widths) < UPRIGHT / 4


def test_a_table_with_more_columns_gets_smaller_letters_and_then_a_sheet_on_its_side() -> None:
    """Numbers are never broken, so that their columns decide."""
    column = ("number", "Cases", "1.234.567")
    ways = [fit(table(*[column] * number)) for number in range(1, 20)]
    order = [(one.is_across, -one.size) for one in ways]
    assert order == sorted(order)
    assert {(one.size, one.is_across) for one in ways} == {(LARGE, False), (SMALL, False), (LARGE, True), (SMALL, True)}


def test_a_long_text_gets_what_the_others_leave() -> None:
    found = fit(table(("name", "Home", "H1"), ("word", "Reason", "because of this " * 30), ("number", "N", "1")))
    assert (found.size, found.is_across) == (LARGE, False)
    assert sum(found.widths) == pytest.approx(UPRIGHT, abs=1)
    assert found.widths[1] > UPRIGHT * 0.8


@given(
    st.lists(
        st.tuples(st.sampled_from(["word", "name", "number", "range"]), st.text(max_size=40), st.text(max_size=200)),
        min_size=1,
        max_size=20,
    )
)
def test_columns_never_leave_the_sheet(columns: list[tuple[str, str, str]]) -> None:
    found = fit(table(*columns))
    assert sum(found.widths) <= (ACROSS if found.is_across else UPRIGHT) + 1
    assert all(width > 0 for width in found.widths)
    assert found.size >= SMALL


@pytest.mark.parametrize(
    "text",
    ["Horta-Guinardó", "1.234.567,89 €", "instal·lació", "TERM-000123", "30/11/2026 \u2013 1/12/2026", "WWMM", "illa"],
)
def test_a_width_is_not_estimated_too_small(text: str) -> None:
    """A number that is wider than its column would be printed over the next one."""
    real = ImageFont.truetype(REGULAR, 100).getlength(text) / 100
    padding = 1.0  # at both ends of a cell, as a part of the size
    assert real <= fitting._length(text) + padding / 2
    assert fitting._length(text) < real * 1.6


def test_a_block_of_the_model_is_what_is_fitted() -> None:
    """The names of parts that this module reads are those that the outline writes."""
    (block,) = outline(pages.page_of(TableBlock(table=pages.table(3))))["parts"][0]["sections"][0]["blocks"]
    assert len(fit(block).widths) == 3
