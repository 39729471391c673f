"""A page as PDF, by typst. Only this module knows it, because only ``vetlla[pdf]`` installs it.

The PDF is PDF/A-3a (ISO 19005-3, to be kept) and PDF/UA-1 (ISO 14289-1, to be read aloud); typst refuses what breaks
them. The same page, day and attachments give the same bytes on every machine with the same typst: it uses no clock, no
network, no setting of the machine, and no typeface but the one in ``fonts/``.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.documents.fitting import fit
from vetlla.documents.letters import pieces, printable
from vetlla.documents.outline import outline, sections_of
from vetlla.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from vetlla.documents.page import Page

_FONTS: Final = str(files("vetlla.documents") / "fonts")
_TEMPLATES: Final = str(files("vetlla.documents") / "templates")
_TEMPLATE: Final = "page.typ"


class TypesettingError(RuntimeError):
    """The template or the page breaks a rule of PDF/A or PDF/UA. It is a fault of the program."""


class Attachment(NamedTuple):
    """A file inside a PDF."""

    name: str
    content: bytes
    mime: str
    """Its kind, such as ``text/xml``."""
    relation: str
    """What it is to the page (ISO 32000-2, 7.11.3): ``source``, ``data``, ``alternative`` or ``supplement``."""
    description: str = ""


def pdf(page: Page, day: date, *, attachments: Sequence[Attachment] = ()) -> bytes:
    """Return a page as PDF with its attachments; ``day`` is the date of the document.

    Raises UsageError if typst is missing, TypesettingError if it refuses or warns, and ValueError as outline.
    """
    return _set(_template(), _content(page, day, attachments))


def typesetter() -> str:
    """Return name and version of what sets the pages: another version may give other bytes. Empty if it is missing."""
    try:
        return f"typst {version('typst')}"
    except PackageNotFoundError:
        return ""


def _content(page: Page, day: date, attachments: Sequence[Attachment]) -> str:
    """Return what the template shows, as JSON."""
    content = {
        **_with_fits(_printable(outline(page))),
        "date": [day.year, day.month, day.day],
        "attachments": [one._asdict() | {"content": list(one.content)} for one in attachments],
    }
    return json.dumps(content, ensure_ascii=False)


def _set(template: bytes, content: str) -> bytes:
    """Return what typst makes of a template. The content is data to it, and never markup."""
    try:
        import typst  # noqa: PLC0415 - an extra, and most commands make no PDF
    except ImportError as error:
        raise UsageError(
            "PDF needs typst, which is not installed",
            remedy="pip install 'vetlla[pdf]', or write .html and print it with a browser",
        ) from error
    try:
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[_FONTS])
        compiler = typst.Compiler(
            template, root=_TEMPLATES, font_paths=fonts, ignore_system_fonts=True, sys_inputs={"page": content}
        )
        made, warnings = compiler.compile_with_warnings(format="pdf", pdf_standards=["a-3a", "ua-1"])
    except typst.TypstError as error:
        raise TypesettingError(f"{error.message} {' '.join(error.hints)}".rstrip()) from error
    if warnings:
        raise TypesettingError("; ".join(one.message for one in warnings))
    if not isinstance(made, bytes):
        raise TypesettingError("typst returned no single file")
    return made


@cache
def _template() -> bytes:
    return (Path(_TEMPLATES) / _TEMPLATE).read_bytes()


def _printable(value: Any) -> Any:  # noqa: ANN401 - any part of an outline
    """Return a part of an outline with letters that can be printed, and with the pieces of each long text."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [_printable(one) for one in value]
    if isinstance(value, dict):
        made = {name: _printable(one) for name, one in value.items()}
        if "marks" in made and (parts := pieces(made["text"])):
            made["pieces"] = parts
        return made
    return value


def _with_fits(made: dict[str, Any]) -> dict[str, Any]:
    """Return an outline in which each table has its size, and each section the side on which its sheet lies."""
    for section in sections_of(made):
        tables = [block for block in section["blocks"] if block["kind"] == "table"]
        for table in tables:
            table.update(fit(table)._asdict())
        section["is_across"] = any(table["is_across"] for table in tables)
    return made
