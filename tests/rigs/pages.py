"""A page with a block of every kind, in invented words, and what programs of the machine say about its PDF."""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import pytest

from vetlla.documents.charts.columns import Series, columns
from vetlla.documents.charts.months import LevelMonth, LevelMonths, months
from vetlla.documents.charts.spread import Limit, spread
from vetlla.documents.page import Card, Facts, Listing, Marked, Page, Paragraph, Section, Signatures, TableBlock
from vetlla.documents.words import Language, Words
from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.domain.service_levels import LevelVerdict

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.documents.page import Block

_HEADINGS: Final = {"home": "Domicili", "reason": "Motiu", "cases": "Casos"}
_TEXTS: Final = {
    "empty": "Cap cas.",
    "more_rows": "{shown} de {all}",
    "to": "a",
    "notes": "Notes",
    "footnotes": "Peu",
    "contents": "Contingut",
}
_DATA: Final = {
    "numbers": {"decimal": ",", "thousands": "."},
    "page": _TEXTS,
    "columns": _HEADINGS,
    "words": {"any": {"total": "Total", "late": "fora de termini"}},
}
_COLUMNS: Final = (FigureColumn("home", Form.NAME), FigureColumn("reason", Form.WORD), FigureColumn("cases"))
VERDICTS: Final = {verdict: verdict.value.replace("_", " ") for verdict in LevelVerdict}


def table(rows: int, *, first: str = "H1", columns: tuple[FigureColumn, ...] = _COLUMNS) -> FigureTable:
    """Return a table with some homes and a total."""
    found = [(first if number == 1 else f"H{number}", "late", number) for number in range(1, rows + 1)]
    total = [("total", "", sum(range(rows + 1)))] if rows else []
    return FigureTable(name="breaches", columns=columns, rows=(*found, *total))


def page_of(*blocks: Block, language: Language = Language.CA, title: str = "Informe", headings: int = 0) -> Page:
    """Return a page with one section of these blocks; ``headings`` is the number of other columns it has words for."""
    extra = {f"column{number}": f"Columna {number}" for number in range(headings)}
    data = {**_DATA, "columns": {**_HEADINGS, **extra}}
    return Page(
        words=Words(language=language, data=data),
        title=title,
        lines=("Novembre de 2026",),
        foot="Peu de pàgina",
        parts=(("Part", (Section(name="section", title="Secció", blocks=blocks),)),),
    )


def month_page(text: str = "instal·lació", language: Language = Language.CA) -> Page:
    """Return a page with a block of every kind; ``text`` is in each place that can hold a text of other systems."""
    share, month = Marked(text, ("share",)), Marked(f"Elaborat: {text}", ("month",))
    long = LevelMonths("ANS 1", [LevelMonth(verdict, "98,7") for verdict in LevelVerdict])
    return Page(
        words=Words(language=language, data=_DATA),
        title=f"Informe de {text}",
        lines=("Novembre de 2026", month),
        foot=f"Peu de {text}",
        cards=(Card(name=text, value=Marked("98,7 %", ("month",)), notes=(text,)),),
        has_contents=True,
        parts=(
            (
                "Resum",
                (
                    Section(
                        name="summary",
                        title="Tots els estàndards",
                        blocks=(
                            Paragraph(Marked(text, ("share", "month"))),
                            months(f"Mesos {text}", ["gen.", "feb.", "març", "abr."], [long], VERDICTS),
                            TableBlock(table=table(3, first=text), marks={(0, "cases"): ("share",)}),
                        ),
                    ),
                    Section(name="none", title="Sense casos", blocks=(TableBlock(table=table(0)),)),
                ),
            ),
            (
                "Temps",
                (
                    Section(
                        name="times",
                        title=f"Temps {text}",
                        blocks=(
                            spread(
                                "t3", [3, 9, 2, 1], [Limit(Fraction(2), text)], str, str, axis="segons", longer="més"
                            ),
                            columns("Hores", ["0", "1"], [Series(text, [1, 2])], str),
                        ),
                    ),
                ),
            ),
            (
                "",
                (
                    Section(
                        name="end",
                        blocks=(
                            Facts((("Expedient", share), (text, "20220428"))),
                            Listing((text, share)),
                            Signatures(("Contractista", text)),
                        ),
                    ),
                ),
            ),
        ),
        notes=(share, "Cap més"),
        footnotes={"share": f"El plec no ho diu. {text}", "month": "Mes del cas.", "unused": "Sense marca."},
    )


def asked(program: str, *words: str | Path, package: str = "poppler-utils") -> str:
    """Return what a program says. The test is skipped if it is not installed, and fails if the program fails."""
    if shutil.which(program) is None:
        pytest.skip(f"needs Debian package {package}")
    done = subprocess.run([program, *map(str, words)], capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode(errors="replace")  # pdfinfo also prints titles that it did not decode
