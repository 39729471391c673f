"""The invoice as a page: the same texts in each language, and the figures of the lines."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.invoices import HEADER, invoice
from vetlla.cli.invoice.options import SENTENCES
from vetlla.documents.html import html
from vetlla.documents.invoice.page import InvoiceRemark, invoice_page
from vetlla.documents.words import Language, words_of
from vetlla.service.invoice.concepts import COUNTED, DEDUCTION, REDUCTION, unit_of
from vetlla.settings.shipped import parameters_file

if TYPE_CHECKING:
    from collections.abc import Iterator

SHOWN = ("2.573.001", "0,2000", "514.600,20 €", "975,516129", "1.234,56 €", "octubre de 2026", HEADER.contract)
TOLD = [InvoiceRemark(name, 3, "X") for name in SENTENCES]


def texts(data: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield the texts of a file of words with their names."""
    for name, value in data.items():
        if isinstance(value, dict):
            yield from texts(value, f"{above}{name}.")
        elif isinstance(value, str):
            yield above + name, value


def places(text: str) -> set[str]:
    """Return the names in braces of a text."""
    return {part.partition("}")[0] for part in text.split("{")[1:]}


def test_each_language_has_the_same_texts_with_the_same_places() -> None:
    folder = files("vetlla.documents.invoice")
    found = {
        language: {name: places(text) for name, text in texts(dict(words_of(folder, language).data))}
        for language in Language
    }
    assert found[Language.CA] == found[Language.ES] == found[Language.EN]


@pytest.mark.parametrize("language", list(Language))
def test_each_parameter_behind_a_line_is_said_in_words(language: Language) -> None:
    """Its name stands beside the words, because a command shows its value; prices are said by their concepts."""
    shipped = tomllib.loads(parameters_file().read_text(encoding="utf-8"))["parameter"]
    begins = ("invoice.", "rent.", "vat.", "price.", "agenda.follow_up.", "agenda.excluded_programmes")
    named = [one["name"] for one in shipped if one["name"].startswith(begins)]
    assumed = (*named, "invoice.ans_reduction.14")
    shown = html(invoice_page(replace(invoice(), assumed=assumed), TOLD, language))
    for name in assumed:
        assert (f"({name})" in shown) is not name.startswith("price."), name
        assert f"{name} ({name})" not in shown
    assert "price." not in shown


@pytest.mark.parametrize("language", list(Language))
def test_every_line_and_remark_has_its_words(language: Language) -> None:
    """No name of the program is left on the page: each concept and unit is said in words."""
    shown = html(invoice_page(replace(invoice(), assumed=("rent.pro_rata",)), TOLD, language))
    assert "rent.terminal_digital" not in shown
    assert "home_day" not in shown
    assert "rent.pro_rata" in shown
    words = words_of(files("vetlla.documents.facturae"), language)
    for concept in (*COUNTED, REDUCTION, DEDUCTION):
        assert words.word("concept", concept) != concept
        assert unit_of(concept) in words.data["words"]["unit"]


def test_figures_are_written_as_in_catalan() -> None:
    shown = html(invoice_page(invoice(), [], Language.CA)).replace("\u00a0", " ")
    for text in SHOWN:
        assert text in shown, text
    assert shown.count(">device_month<") == 0
