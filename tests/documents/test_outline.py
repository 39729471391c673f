"""What templates show of a page: footnotes in their order, tables with written figures, and no doubtful reference."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.documents.test_page import HOSTILE, Reader
from tests.rigs.pages import month_page, page_of, table
from vetlla.documents.html import html
from vetlla.documents.outline import ROWS_ALWAYS, ROWS_OF_PAGE, ROWS_OF_TABLE, outline
from vetlla.documents.page import Marked, Paragraph, Section, TableBlock


def test_footnotes_are_numbered_as_they_are_read() -> None:
    """The line under the title is the first one, so its footnote is the first one. One without a mark is not shown."""
    made = outline(month_page())
    assert made["footnotes"] == [
        {"number": 1, "text": "Mes del cas."},
        {"number": 2, "text": "El plec no ho diu. instal·lació"},
    ]
    blocks = made["parts"][0]["sections"][0]["blocks"]
    assert blocks[0]["text"]["marks"] == [1, 2]
    assert [cell["marks"] for cell in blocks[2]["rows"][0]["cells"]] == [[], [], [2]]


def test_a_page_without_marks_needs_no_words_for_footnotes() -> None:
    made = outline(page_of(Paragraph("a")))
    assert (made["footnotes"], made["footnotes_title"], made["contents_title"]) == ([], "", "")


@pytest.mark.parametrize("cell", [(7, "cases"), (0, "none"), (-1, "cases")])
def test_a_footnote_of_a_cell_that_is_not_there_is_refused(cell: tuple[int, str]) -> None:
    page = page_of(TableBlock(table=table(3), marks={cell: ("share",)}))
    with pytest.raises(ValueError, match="has no cell"):
        outline(replace(page, footnotes={"share": "a"}))


def test_a_footnote_without_a_text_is_refused() -> None:
    with pytest.raises(ValueError, match="'share' has no text"):
        outline(page_of(Paragraph(Marked("a", ("share",)))))


def test_two_sections_of_one_name_are_refused() -> None:
    section = Section(name="a")
    with pytest.raises(ValueError, match="same name: a, a"):
        outline(replace(page_of(), parts=(("A", (section,)), ("B", (section,)))))


def test_a_page_with_every_block_is_a_valid_html_page() -> None:
    read = Reader(html(month_page(HOSTILE)))
    names = [found["id"] for _, found in read.attributes if found.get("id")]
    assert len(names) == len(set(names))
    targets = [str(found["href"]) for found in read.tags("a")]
    assert targets
    assert {target.removeprefix("#") for target in targets} <= set(names)
    levels = [int(tag[1]) for tag, _ in read.attributes if re.fullmatch(r"h[1-6]", tag)]
    assert levels == [1, 2, 2, 3, 3, 2, 3, 2, 2]
    assert read.texts.count(HOSTILE) > 5
    assert f"Peu de {HOSTILE}" in read.texts


def test_html_and_pdf_show_the_same_footnotes() -> None:
    """Both are made of one outline; here the numbers in HTML are looked at."""
    text = html(month_page())
    assert re.findall(r'<li id="footnote-(\d)">([^<]+)</li>', text) == [
        ("1", "Mes del cas."),
        ("2", "El plec no ho diu. instal·lació"),
    ]
    assert '<sup><a href="#footnote-1">1</a>, <a href="#footnote-2">2</a></sup>' in text


# --- long tables ------------------------------------------------------------------------------------------------------


def test_a_long_table_shows_its_first_rows_and_its_total_and_says_so() -> None:
    (block,) = outline(page_of(TableBlock(table=table(1_500))))["parts"][0]["sections"][0]["blocks"]
    assert len(block["rows"]) == ROWS_OF_TABLE + 1
    assert block["rows"][-1]["is_total"]
    assert block["more"] == "1.001 de 1.501"
    assert "1.001 de 1.501" in html(page_of(TableBlock(table=table(1_500))))
    (short,) = outline(page_of(TableBlock(table=table(ROWS_OF_TABLE - 1))))["parts"][0]["sections"][0]["blocks"]
    assert (len(short["rows"]), short["more"]) == (ROWS_OF_TABLE, "")


def test_a_page_of_many_long_tables_has_a_bound() -> None:
    """A month in which everything fails must still become a PDF on a small machine."""
    page = page_of(*[TableBlock(table=table(1_500))] * 6)
    rows = [len(block["rows"]) for block in outline(page)["parts"][0]["sections"][0]["blocks"]]
    assert rows == [ROWS_OF_TABLE + 1] * 2 + [ROWS_OF_PAGE - 2 * ROWS_OF_TABLE - 1] + [ROWS_ALWAYS + 1] * 3
