"""Workbooks as programs write them, right or wrong, in raw SpreadsheetML: a library would correct what is tested."""

from __future__ import annotations

import io
import zipfile
from string import ascii_uppercase
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Sequence

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_DOCUMENT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
GENERAL, ZEROS, DATE, OWN_DATE, TEXT = range(5)
"""Cell styles of every workbook made here: plain, 0000, a date, a date in a format of its own, @."""
STYLES = (
    '<numFmts count="2"><numFmt numFmtId="164" formatCode="0000"/>'
    '<numFmt numFmtId="165" formatCode="[$-C0A]dd\\/mm\\/yyyy;@"/></numFmts>'
    '<cellXfs count="5"><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="14"/><xf numFmtId="165"/>'
    '<xf numFmtId="49"/></cellXfs>'
)


def text(said: str) -> str:
    """Return the attributes and content of a cell with a text."""
    return f' t="inlineStr"><is><t xml:space="preserve">{escape(said)}</t></is></c>'


def number(said: str, style: int = GENERAL) -> str:
    """Return the attributes and content of a cell with a number, as it is written in the file."""
    return f' s="{style}"><v>{said}</v></c>'


def rows(*lines: Sequence[str], first: int = 1) -> str:
    """Return rows of cells. Each cell is a text, or attributes and content of a cell element."""
    return "".join(
        f'<row r="{row}">'
        + "".join(
            f'<c r="{ascii_uppercase[column]}{row}"{cell if cell.endswith("</c>") else text(cell)}'
            for column, cell in enumerate(line)
            if cell
        )
        + "</row>"
        for row, line in enumerate(lines, start=first)
    )


def workbook(
    data: str,
    *,
    before: str = "",
    behind: str = "",
    shared: Sequence[str] = (),
    properties: str = "",
    sheets: Sequence[tuple[str, str]] = (("Full1", ""),),
    at: int = -1,
    strict: bool = False,
    names: dict[str, str] | None = None,
) -> bytes:
    """Return a workbook: ``data`` goes into <sheetData> of the sheet ``at``, ``before`` and ``behind`` around it.

    ``sheets`` are names and attributes. ``names`` renames parts of the archive, as programs of other systems do.
    """
    main, document = (STRICT, STRICT_DOCUMENT) if strict else (MAIN, DOCUMENT)
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{place}" {attributes} r:id="r{place}"/>'
        for place, (name, attributes) in enumerate(sheets, start=1)
    )
    relations = "".join(
        f'<Relationship Id="r{place}" Type="{document}/worksheet" Target="worksheets/sheet{place}.xml"/>'
        for place in range(1, len(sheets) + 1)
    )
    texts = "".join(f"<si>{one}</si>" for one in shared)
    sheet = f'<worksheet xmlns="{main}">{{0}}<sheetData>{{1}}</sheetData>{{2}}</worksheet>'
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="a" Type="{document}/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{document}">{properties}<sheets>{listed}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{relations}'
        f'<Relationship Id="s" Type="{document}/styles" Target="/xl/styles.xml"/>'
        f'<Relationship Id="t" Type="{document}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}">{STYLES}</styleSheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">{texts}</sst>',
        **{f"xl/worksheets/sheet{place}.xml": sheet.format("", "", "") for place in range(1, len(sheets) + 1)},
        f"xl/worksheets/sheet{range(len(sheets))[at] + 1}.xml": sheet.format(before, data, behind),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr((names or {}).get(name, name), f'<?xml version="1.0" encoding="UTF-8"?>\n{content}')
    return file.getvalue()
