"""The parts of a workbook as bytes: opened within bounds, parsed without document types, and never kept whole."""

from __future__ import annotations

import re
import zipfile
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast
from xml.etree import ElementTree as ET

from vetlla.errors import UsageError
from vetlla.tables import bounds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

_CHUNK = 1 << 16
_PROLOG = re.compile(
    rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?(?:\s+|<\?.*?\?>|<!--.*?-->)*+<[A-Za-z_\x80-\xff]", re.DOTALL
)
"""What may stand before the root element. A document type may not (ECMA-376, part 2, 8.1.4): it can make one word of a
file a million words."""
_END, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x07"
_END_SIZE, _LOCATOR_SIZE, _END_64_SIZE = 22, 20, 56
_LONGEST_COMMENT = 1 << 16
"""How an archive ends (PKWARE, APPNOTE.TXT 4.3.14 to 4.3.16)."""
_PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""How parts may be packed (ECMA-376, part 2, annex C)."""
_REMEDY = "open it in a spreadsheet and save it as .xlsx or CSV"


class Parts:
    """The archive. What its parts have in bytes together is bounded, whichever of them are read and how often."""

    def __init__(self, raw: BinaryIO) -> None:
        _check_directory(raw)
        self._archive = zipfile.ZipFile(raw)
        self._left = bounds.MAX_UNPACKED
        # Some programs write "xl\workbook.xml", or names in another case than they refer to them.
        self._names = {name.replace("\\", "/").lower(): name for name in self._archive.namelist()}

    def __contains__(self, part: str) -> bool:
        return part.lower() in self._names

    def size(self, part: str) -> int:
        """Return the bytes of a part once it is unpacked, as the file says: no more than these can be read."""
        return self._archive.getinfo(self._names[part.lower()]).file_size

    def open(self, part: str, *, most: int = bounds.MAX_UNPACKED) -> IO[bytes]:
        """Open a part to read it. Raises UsageError for one that is beyond a bound."""
        info = self._archive.getinfo(self._names[part.lower()])
        self._left -= info.file_size
        if info.file_size > most or self._left < 0:
            largest = most if info.file_size > most else bounds.MAX_UNPACKED
            raise UsageError(f"has more than {largest // bounds.MIB} MiB once it is unpacked", remedy=_REMEDY)
        if info.file_size > bounds.RATIO_FROM and info.file_size > bounds.MAX_RATIO * info.compress_size:
            raise UsageError(f"becomes more than {bounds.MAX_RATIO} times as large by unpacking", remedy=_REMEDY)
        if info.compress_type not in _PLAIN:
            raise UsageError("is packed in a way that workbooks are not", remedy=_REMEDY)
        return self._archive.open(info)

    def tree(self, part: str) -> Element:
        """Return a small part whole."""
        with self.open(part, most=bounds.MAX_PART) as file:
            content = file.read()
        _refuse_document_type(content[:_CHUNK])
        return ET.fromstring(content)  # noqa: S314 - without a document type there is no entity to expand


def elements(part: IO[bytes], item: str, *, starts: bool = False) -> Iterator[tuple[str, str, Element]]:
    """Yield event ("end", or "start" too), name and element of a part as it is read.

    ``item`` names the elements that repeat, as rows do: from the end of one to that of the next there is a bound. The
    caller clears what it has used.
    """
    parser: ET.XMLPullParser[Any] = ET.XMLPullParser(("start", "end") if starts else ("end",))
    size = count = 0
    is_first = True
    while chunk := part.read(_CHUNK):
        if is_first:
            _refuse_document_type(chunk)
            is_first = False
        parser.feed(chunk)
        size += len(chunk)
        for event, element in _events(parser):
            name = element.tag.rpartition("}")[2]
            count += 1
            if name == item:
                size = count = 0
            yield event, name, element
        if size > bounds.MAX_ITEM or count > bounds.MAX_ELEMENTS:
            most = f"{bounds.MAX_ITEM // bounds.MIB} MiB or {bounds.MAX_ELEMENTS} elements"
            raise UsageError(f"has more than {most} in which no {item} ends", remedy=_REMEDY)
    parser.close()
    for event, element in _events(parser):
        yield event, element.tag.rpartition("}")[2], element


def _events(parser: ET.XMLPullParser[Any]) -> Iterator[tuple[str, Element]]:
    return cast("Iterator[tuple[str, Element]]", parser.read_events())  # of starts and ends alone there is an element


def _refuse_document_type(head: bytes) -> None:
    # Without the zeros of UTF-16: all of these characters are ASCII.
    if not _PROLOG.match(head.replace(b"\0", b"")):
        raise UsageError("holds a document type or something else before its first element", remedy=_REMEDY)


def _check_directory(raw: BinaryIO) -> None:
    """Refuse an archive whose list of parts would fill the memory before a part is opened."""
    size = raw.seek(0, 2)
    raw.seek(max(0, size - _LONGEST_COMMENT - _END_SIZE - _LOCATOR_SIZE - _END_64_SIZE))
    tail = raw.read()
    raw.seek(0)
    at = len(tail) - _END_SIZE
    if tail[max(0, at) : at + 4] != _END:
        at = tail.rfind(_END)
    if at < 0:
        return  # no archive: zipfile tells it
    directory = tail[at + 12 : at + 16]
    locator = at - _LOCATOR_SIZE
    if locator >= _END_64_SIZE and tail[locator : locator + 4] == _LOCATOR_64:
        directory = tail[locator - _END_64_SIZE : locator][40:48]
    if int.from_bytes(directory, "little") > bounds.MAX_DIRECTORY:
        raise UsageError("has more parts than a workbook has", remedy=_REMEDY)
