"""A page as PDF: the same bytes everywhere, for archives and screen readers, and safe for any text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.pages import asked, month_page, page_of, table
from vetlla.documents import pdf as maker
from vetlla.documents.letters import PRINTED, printable
from vetlla.documents.page import Facts, Listing, Paragraph, Signatures, TableBlock
from vetlla.documents.pdf import Attachment, TypesettingError, pdf
from vetlla.documents.words import Language
from vetlla.domain.errors import UsageError
from vetlla.domain.figures import FigureColumn, FigureTable, Form

if TYPE_CHECKING:
    from vetlla.documents.page import Page

ROOT = Path(__file__).parents[2]
DAY = date(2026, 12, 1)
HOSTILE = '#panic("no") *b* _e_ $x^2$ @ref <label> ]#[ \\ // /* `raw` = - + ~ "\' <script>&amp;'
"""What would be markup in typst, in SVG or in HTML."""
INVOICE = Attachment("factura.xml", "<a>instal·lació</a>\r\n".encode(), "text/xml", "source", "Facturae 3.2.2")
ROWS = Attachment("rows.bin", bytes(range(256)), "application/octet-stream", "data")


def file_of(folder: Path, page: Page, *attachments: Attachment) -> Path:
    """Write a page to a file."""
    file = folder / "page.pdf"
    file.write_bytes(pdf(page, DAY, attachments=attachments))
    return file


# --- what a PDF is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", Language)
def test_a_pdf_is_for_archives_and_can_be_read_aloud(language: Language, tmp_path: Path) -> None:
    file = file_of(tmp_path, month_page(language=language), INVOICE)
    made = file.read_bytes()
    for told in (b"<pdfaid:part>3<", b"<pdfaid:conformance>A<", b"<pdfuaid:part>1<", f"<rdf:li>{language}<".encode()):
        assert told in made
    said = asked("pdfinfo", "-isodates", file)
    assert re.search(r"^Tagged: +yes$", said, re.MULTILINE)
    assert re.search(r"^Title: +Informe de instal·lació: Novembre de 2026$", said, re.MULTILINE)
    assert re.search(r"^CreationDate: +2026-12-01T00:00:00Z$", said, re.MULTILINE)
    assert "No syntax or stream encoding errors" in asked("qpdf", "--check", file, package="qpdf")


def test_headings_stand_in_their_order_and_pictures_have_a_text(tmp_path: Path) -> None:
    file = file_of(tmp_path, month_page())
    tags = [line.split()[0].rstrip(":") for line in asked("pdfinfo", "-struct", file).splitlines() if line.strip()]
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"H[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert levels == [1, 2, 2, 3, 3, 2, 3, 2, 2]
    assert tags.count("Figure") == 3
    assert (tags.count("THead"), tags.count("TH")) == (1, 3)
    plain = tmp_path / "plain.pdf"
    asked("qpdf", "--qdf", "--object-streams=disable", file, plain, package="qpdf")
    assert plain.read_bytes().count(b"/Alt ") >= 3


def test_all_letters_are_in_the_file(tmp_path: Path) -> None:
    """No typeface of the machine is used, so that the file looks the same elsewhere. Words in charts stay text."""
    file = file_of(tmp_path, month_page())
    fonts = asked("pdffonts", file).splitlines()[2:]
    assert fonts
    assert all("+LiberationSans" in line and re.search(r" yes yes +yes ", line) for line in fonts)
    text = asked("pdftotext", file, "-")
    assert "segons" in text  # of a chart
    assert text.count("instal·lació") > 10


def test_each_sheet_has_its_number_and_the_head_of_its_table(tmp_path: Path) -> None:
    file = file_of(tmp_path, page_of(TableBlock(table=table(200))))
    sheets = asked("pdftotext", "-layout", file, "-").split("\f")[:-1]
    assert len(sheets) > 3
    for number, sheet in enumerate(sheets, 1):
        assert re.search(rf" {number} ?/ ?{len(sheets)}\n", sheet)
        assert "Domicili" in sheet
        assert "Peu de pàgina" in sheet
        assert "Informe\n" in sheet
    assert "H200" in sheets[-1]


def test_a_wide_table_is_on_a_sheet_that_lies_on_its_side(tmp_path: Path) -> None:
    columns = tuple(FigureColumn(f"column{number}", Form.NAME) for number in range(12))
    rows = (tuple(f"text de la cel·la {number}" for number in range(12)),) * 3
    wide = FigureTable(name="wide", columns=columns, rows=rows)
    file = file_of(tmp_path, page_of(Paragraph("abans"), TableBlock(table=wide), headings=12))
    sizes = re.findall(r"Page +\d+ size: +([\d.]+) x ([\d.]+)", asked("pdfinfo", "-f", "1", "-l", "9", file))
    assert [float(width) > float(height) for width, height in sizes] == [False, True]


# --- attachments ------------------------------------------------------------------------------------------------------


def test_an_attachment_comes_out_as_it_went_in(tmp_path: Path) -> None:
    file = file_of(tmp_path, month_page(), INVOICE, ROWS)
    told = asked("qpdf", "--list-attachments", "--verbose", file, package="qpdf")
    for attachment, relation in ((INVOICE, b"/Source"), (ROWS, b"/Data")):
        out = tmp_path / attachment.name
        asked("pdfdetach", "-savefile", attachment.name, "-o", out, file)
        assert out.read_bytes() == attachment.content
        assert attachment.name in told
        plain = tmp_path / "plain.pdf"
        asked("qpdf", "--qdf", "--object-streams=disable", file, plain, package="qpdf")
        assert b"/AFRelationship " + relation in plain.read_bytes()


def test_an_unknown_relation_is_refused() -> None:
    with pytest.raises(TypesettingError, match='expected "source"'):
        pdf(page_of(), DAY, attachments=[INVOICE._replace(relation="friend")])


# --- the same bytes ---------------------------------------------------------------------------------------------------

MADE = """
import sys
from dataclasses import replace
from datetime import date
from itertools import pairwise
from tests.rigs.pages import month_page
from vetlla.documents.pdf import Attachment, pdf
attachment = Attachment("a.xml", b"<a/>", "text/xml", "source")
sys.stdout.buffer.write(pdf(month_page(), date(2026, 12, 1), attachments=[attachment]))
"""


def test_the_same_page_gives_the_same_bytes_anywhere(tmp_path: Path) -> None:
    """Neither the time zone, nor the language, the home, the folder, the clock or the order of sets is in a PDF."""
    made = []
    for number, zone in enumerate(("Pacific/Kiritimati", "America/Adak")):
        home = tmp_path / str(number)
        home.mkdir()
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONHASHSEED": str(number),
            "TZ": zone,
            "LC_ALL": ("C", "C.UTF-8")[number],
            "HOME": str(home),
            "SOURCE_DATE_EPOCH": str(number * 1_000_000_000),
        }
        done = subprocess.run(
            [sys.executable, "-c", MADE], cwd=home, env=environment, capture_output=True, check=True, timeout=60
        )
        made.append(done.stdout)
        assert list(home.iterdir()) == []
        time.sleep(1 - number)  # a clock of whole seconds would show
    assert made[0] == made[1]
    assert made[0].startswith(b"%PDF-1.7")


def test_another_day_or_word_gives_another_file() -> None:
    page = page_of(Paragraph("a"))
    assert len({pdf(page, DAY), pdf(page, date(2026, 12, 2)), pdf(page_of(Paragraph("b")), DAY)}) == 3


# --- any text ---------------------------------------------------------------------------------------------------------


def test_a_hostile_text_is_shown_and_does_nothing(tmp_path: Path) -> None:
    """The name of an office comes from elsewhere. It is data to the maker of PDF, in texts and in charts."""
    file = file_of(tmp_path, month_page(HOSTILE))
    text = re.sub(r"\s+", "", asked("pdftotext", file, "-"))
    assert text.count(re.sub(r"\s+", "", HOSTILE)) > 5


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_can_be_set(text: str) -> None:
    assert pdf(month_page(text), DAY).startswith(b"%PDF-")


def test_every_letter_that_is_said_to_be_printed_is_in_the_typeface() -> None:
    ranges = ["".join(map(chr, range(first, last + 1))) for first, last in PRINTED]
    assert all(printable(letters) == letters for letters in ranges)
    maker._set(maker._template(), maker._content(page_of(Listing(tuple(ranges))), DAY, ()))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("instal·lació, l\u2019ŀ, «€»", "instal·lació, l\u2019ŀ, «€»"),
        ("a\u0300", "à"),
        ("食", "[U+98DF]"),
        ("\U0001f600", "[U+1F600]"),
        ("\u202eabc", "[U+202E]abc"),
        ("a\u00adb\u200b", "a[U+00AD]b[U+200B]"),
        ("a\tb\r\nc\x00", "a b c[U+0000]"),
    ],
)
def test_a_letter_that_cannot_be_printed_is_shown_as_its_number(text: str, shown: str) -> None:
    """Nothing disappears, and no sign turns or hides the text after it."""
    assert printable(text) == shown


def test_a_long_code_is_broken_and_stays_whole(tmp_path: Path) -> None:
    """It has more letters than its column has room for, and gets no hyphen."""
    code = "recordatori_cita_24h_" + "0123456789abcdef" * 6
    columns = tuple(FigureColumn(f"column{number}", Form.NAME) for number in range(6))
    codes = FigureTable(name="codes", columns=columns, rows=((code,) * 6,))
    file = file_of(tmp_path, page_of(TableBlock(table=codes), headings=6))
    box = asked("pdftotext", "-bbox", file, "-")
    assert max(map(float, re.findall(r'xMax="([\d.]+)"', box))) < 842 - 35
    raw = re.sub(r"\s+", "", asked("pdftotext", "-raw", file, "-"))
    assert raw.count(code) >= 1


def test_a_page_without_content_is_a_page(tmp_path: Path) -> None:
    page = replace(page_of(Facts(()), Listing(()), Signatures(()), TableBlock(table=table(0)), title=""), lines=())
    assert "Cap cas." in asked("pdftotext", file_of(tmp_path, replace(page, title="T")), "-")
    with pytest.raises(TypesettingError, match="title"):
        pdf(page, DAY)


# --- what is refused --------------------------------------------------------------------------------------------------


def test_a_warning_is_an_error() -> None:
    """A typeface that is missing is only a warning to typst, and the page would look different."""
    with pytest.raises(TypesettingError, match="unknown font"):
        maker._set(b'#set document(title: "t", date: datetime(year: 1, month: 1, day: 1))\n#text(font: "N")[a]', "{}")


def test_a_page_that_breaks_a_standard_is_an_error() -> None:
    with pytest.raises(TypesettingError, match="PDF/"):
        maker._set(b"#image(bytes(\"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>\"))", "{}")


def test_the_template_needs_no_other_file() -> None:
    template = maker._template().decode()
    assert not re.search(r"@preview|#import|#include|read\(|datetime\.today", template)


def test_without_typst_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(UsageError, match="typst") as refused:
        pdf(page_of(), DAY)
    assert "vetlla[pdf]" in refused.value.remedy
