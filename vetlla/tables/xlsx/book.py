"""The parts of a workbook: its sheets, the texts that cells share, and which styles show a number as a date."""

from __future__ import annotations

import posixpath
import re
from datetime import date
from typing import IO, TYPE_CHECKING, BinaryIO, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.tables import bounds
from vetlla.tables.xlsx.parts import Parts, elements

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

EPOCH = date(1899, 12, 30)
EPOCH_1904 = date(1904, 1, 1)
"""Day 0 of spreadsheets, and of spreadsheets that come from a Macintosh (ECMA-376, part 1, 18.17.4.1)."""
DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
"""Built-in number formats that show a date or time (ECMA-376, part 1, 18.8.30); the workbook does not describe them."""
TIME_FORMATS = frozenset({*range(18, 23), *range(45, 48)})
"""Those of them that show the time of day."""
_NO_LETTERS = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
"""Parts of a number format that are no signs of a date: literal text, and colours, conditions, locales in brackets."""
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
"""A character that XML cannot hold (ECMA-376, part 1, 22.9.2.19)."""


class Sheet(NamedTuple):
    """A worksheet: its name, whether people see it, and the part that holds it."""

    name: str
    is_visible: bool
    part: str


class Book:
    """An open workbook: its sheets and what their cells refer to."""

    def __init__(self, raw: BinaryIO) -> None:
        self._parts = Parts(raw)
        main = self._related("", "officeDocument")
        if not main:
            raise UsageError("holds no workbook", remedy="save it as an Excel workbook (.xlsx)")
        document = self._parts.tree(main[0][1])
        space = namespace(document)
        properties = document.find(f"{space}workbookPr")
        is_1904 = properties is not None and properties.get("date1904") in {"1", "true"}
        self.epoch = EPOCH_1904 if is_1904 else EPOCH
        parts = dict(self._related(main[0][1], "worksheet"))
        self.sheets = [
            Sheet(sheet.get("name", ""), sheet.get("state", "visible") == "visible", parts[number])
            for sheet in document.iter(f"{space}sheet")
            if (number := _relation(sheet)) in parts
        ]
        # A workbook has one part of each of these kinds (ECMA-376, part 1, 12.3).
        texts, styles = (self._related(main[0][1], kind)[:1] for kind in ("sharedStrings", "styles"))
        self._texts = [text for _, part in texts for text in self._shared(part)]
        self.date_styles = dict(style for _, part in styles for style in _date_styles(self._parts.tree(part)))
        """The styles that show a number as a date or time, each with whether it shows the time of day."""

    def shared(self, number: int) -> str:
        """Return the shared text that has this number. Raises IndexError if there is none."""
        if number < 0:
            raise IndexError(f"no shared text has the number {number}")
        return self._texts[number]

    def open(self, part: str) -> IO[bytes]:
        """Open a part to read it."""
        return self._parts.open(part)

    def size(self, part: str) -> int:
        """Return the bytes of a part once it is unpacked."""
        return self._parts.size(part)

    def _related(self, part: str, kind: str) -> list[tuple[str, str]]:
        """Return the number and part of every relation of a kind that a part has."""
        folder, name = posixpath.split(part)
        relations = posixpath.join(folder, "_rels", f"{name}.rels")
        if relations not in self._parts:
            return []
        return [
            (one.get("Id", ""), posixpath.normpath(posixpath.join("/", folder, one.get("Target", ""))).lstrip("/"))
            for one in self._parts.tree(relations)
            if one.get("Type", "").rpartition("/")[2] == kind
        ]

    def _shared(self, part: str) -> Iterator[str]:
        with self._parts.open(part, most=bounds.MAX_SHARED) as file:
            for number, (_, element) in enumerate(elements(file, "si")):
                if number == bounds.MAX_TEXTS:
                    raise UsageError(
                        f"has more than {bounds.MAX_TEXTS} texts that cells share", remedy="save it as CSV"
                    )
                yield text_in(element, namespace(element))
                element.clear()


def text_in(element: Element, space: str) -> str:
    """Return a text that may consist of parts in different styles. Hints for its pronunciation are left out."""
    parts = [one.text or "" for one in element.findall(f"{space}t")]
    parts += [one.text or "" for one in element.findall(f"{space}r/{space}t")]
    return unescaped("".join(parts))


def unescaped(text: str) -> str:
    """Return a text with the characters that its escapes stand for. Raises ValueError for half of a character."""
    if "_x" not in text:
        return text
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    text.encode()  # half of a character raises ValueError here, because a database could not store it
    return text


def namespace(element: Element) -> str:
    """Return the name space of an element as ElementTree writes it in front of a name."""
    return element.tag.rpartition("}")[0] + "}" if "}" in element.tag else ""


def _relation(sheet: Element) -> str:
    return next((value for name, value in sheet.items() if name.endswith("}id")), "")


def _date_styles(styles: Element) -> Iterator[tuple[int, bool]]:
    """Yield the numbers of the cell styles that show a number as a date or time, and whether they show the time."""
    space = namespace(styles)
    written = {
        one.get("numFmtId"): _NO_LETTERS.sub("", one.get("formatCode", "")) for one in styles.iter(f"{space}numFmt")
    }
    formats = styles.find(f"{space}cellXfs")
    for number, style in enumerate(formats if formats is not None else ()):
        used = style.get("numFmtId", "0")
        shown = written.get(used)
        if int(used) in DATE_FORMATS if shown is None else re.search("[dmyhs]", shown, re.IGNORECASE):
            yield number, int(used) in TIME_FORMATS if shown is None else bool(re.search("[hs]", shown, re.IGNORECASE))
