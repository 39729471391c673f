"""Workbooks written row by row: SpreadsheetML (ECMA-376, part 1, 18) with nothing but cells.

The libraries that do this are too slow for the monthly report of a full park, 2.6 million cells within 10 s: XlsxWriter
takes 19 s, openpyxl longer (bench/README.md); writing the few elements that cells need takes 2 s. In the tests,
openpyxl and LibreOffice read the result.
"""

from __future__ import annotations

import re
import zipfile
from datetime import date
from typing import IO, TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_EPOCH = date(1899, 12, 30).toordinal()
"""Day 0 of spreadsheets (ECMA-376, part 1, 18.17.4.1)."""
_SPEED = 1
"""Compression level: the fastest; a higher one triples the time and saves a quarter."""
_NOT_XML = re.compile(r"[\0-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
"""Characters that XML cannot hold, and an underscore that a reader would take for the start of such a character."""
_BATCH = 2_000
_WIDTH = 16
"""Width of a column in characters. Spreadsheets show a date in a narrower column as ####."""
_TEXT = 0
"""Style of every cell that names none. Its format is @: a value typed over 0123 is a text and keeps its zeros."""
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill'
    ' patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border>'
    '<left/><right/><top/><bottom/></border></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="49" applyNumberFormat="1"/><xf numFmtId="14" applyNumberFormat="1"/>'
    '<xf fontId="1" applyFont="1"/><xf/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def write(out: IO[bytes], sheets: Mapping[str, tuple[Sequence[str], Iterable[Iterable[object]]]]) -> None:
    """Write a workbook of sheets, each a heading and rows of text, numbers, dates and None."""
    names = list(sheets)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=_SPEED) as book:
        _put(book, "[Content_Types].xml", _content_types(len(names)))
        _put(book, "_rels/.rels", _relations([("officeDocument", "xl/workbook.xml")]))
        _put(book, "xl/workbook.xml", _workbook(names))
        parts = [("worksheet", f"worksheets/sheet{place}.xml") for place in range(1, len(names) + 1)]
        _put(book, "xl/_rels/workbook.xml.rels", _relations([*parts, ("styles", "styles.xml")]))
        _put(book, "xl/styles.xml", _HEAD + _STYLES)
        for place, name in enumerate(names, start=1):
            with book.open(f"xl/worksheets/sheet{place}.xml", "w") as part:
                _sheet(part, *sheets[name])


def _put(book: zipfile.ZipFile, name: str, text: str) -> None:
    """Write a part without the time of day, which ``writestr`` would add, so that the same rows give the same bytes."""
    with book.open(name, "w") as part:
        part.write(text.encode())


def _sheet(part: IO[bytes], heading: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    part.write(
        f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1"'
        ' topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<cols><col min="1" max="{len(heading)}" width="{_WIDTH}" customWidth="1" style="{_TEXT}"/></cols>'
        "<sheetData><row>".encode()
    )
    part.write("".join(f'<c s="2" t="inlineStr"><is><t>{escape(name)}</t></is></c>' for name in heading).encode())
    part.write(b"</row>")
    held = []
    for row in rows:
        cells = "".join(map(_cell, row))
        if not cells.isprintable() or "_x" in cells:
            cells = _escaped(cells)
        held.append(f"<row>{cells}</row>")
        if len(held) >= _BATCH:
            part.write("".join(held).encode())
            held.clear()
    part.write(f"{''.join(held)}</sheetData></worksheet>".encode())


def _cell(value: object) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, str):
        return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    if isinstance(value, bool):
        return f'<c t="b"><v>{value:d}</v></c>'
    if isinstance(value, date):
        return f'<c s="1"><v>{value.toordinal() - _EPOCH}</v></c>'
    return f'<c s="3"><v>{value}</v></c>'


def _escaped(text: str) -> str:
    """Return a text with what XML cannot hold written as _x000D_ (ECMA-376, part 1, 22.9.2.19)."""
    return _NOT_XML.sub(lambda found: "".join(f"_x{ord(one):04X}_" for one in found[0]), text)


def _content_types(sheets: int) -> str:
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{place}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        for place in range(1, sheets + 1)
    )
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{overrides}</Types>'
    )


def _relations(parts: list[tuple[str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="rId{place}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for place, (kind, target) in enumerate(parts, start=1)
    )
    return f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


def _workbook(names: list[str]) -> str:
    each = "".join(
        f'<sheet name="{escape(name)}" sheetId="{place}" r:id="rId{place}"/>'
        for place, name in enumerate(names, start=1)
    )
    return f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{each}</sheets></workbook>'
