"""The parts of a workbook as bytes: opened within bounds, parsed without document types, and never kept whole."""

from __future__ import annotations

import re
import zipfile
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast
from xml.etree import ElementTree as ET

from vetlla.domain.errors import UsageError
from vetlla.tables import bounds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

_CHUNK = 1 << 14
_PROLOG = re.compile(
    rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?(?:\s+|<\?.*?\?>|<!--.*?-->)*+<[A-Za-z_\x80-\xff]", re.DOTALL
)
"""What may precede the root element. A document type may not (ECMA-376, part 2, 8.1.4), because it can turn one word of
a file into a million words."""
_END, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x07"
_END_SIZE, _LOCATOR_SIZE, _END_64_SIZE = 22, 20, 56
_LONGEST_COMMENT = 1 << 16
"""How an archive ends (PKWARE, APPNOTE.TXT 4.3.14 to 4.3.16)."""
_PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""How parts may be packed (ECMA-376, part 2, annex C)."""
_REMEDY = "open it in a spreadsheet and save it as .xlsx or CSV"


class Parts:
    """The archive. All parts that are read have one bound of bytes together; a part that is read twice counts twice."""

    def __init__(self, raw: BinaryIO) -> None:
        _check_directory(raw)
        self._archive = zipfile.ZipFile(raw)
        self._left = bounds.MAX_UNPACKED
        # Some programs write "xl\workbook.xml", or names in another case than they refer to them.
        self._names = {name.replace("\\", "/").lower(): name for name in self._archive.namelist()}

    def __contains__(self, part: str) -> bool:
        return part.lower() in self._names

    def size(self, part: str) -> int:
        """Return the unpacked size of a part, as the file states it. Bytes beyond it cannot be read."""
        return self._archive.getinfo(self._names[part.lower()]).file_size

    def open(self, part: str, *, most: int = bounds.MAX_UNPACKED) -> IO[bytes]:
        """Open a part to read it. Raises UsageError for one that is beyond a bound."""
        info = self._archive.getinfo(self._names[part.lower()])
        self._left -= info.file_size
        if info.file_size > most or self._left < 0:
            largest = most if info.file_size > most else bounds.MAX_UNPACKED
            raise UsageError(f"has more than {largest // bounds.MIB} MiB once it is unpacked", remedy=_REMEDY)
        if info.compress_type not in _PLAIN:
            raise UsageError("is packed in a way that workbooks are not", remedy=_REMEDY)
        return self._archive.open(info)

    def tree(self, part: str) -> Element:
        """Return all elements of a small part as a tree."""
        with self.open(part, most=bounds.MAX_PART) as file:
            content = file.read()
        _refuse_document_type(content[:_CHUNK])
        return ET.fromstring(content)  # noqa: S314 - without a document type there is no entity to expand


def elements(part: IO[bytes], item: str, *others: str) -> Iterator[tuple[str, Element]]:
    """Yield each element that has one of these names, with its name, as soon as its end is read.

    ``item`` names the elements that repeat, as rows do. A bound limits the bytes from the end of one to the end of the
    next.
    """
    parser: ET.XMLPullParser[Any] = ET.XMLPullParser(("end",))
    wanted: dict[str, str] = {}
    size = count = 0
    for chunk in _chunks(part):
        if chunk:
            parser.feed(chunk)
        else:
            parser.close()
        size += len(chunk)
        # A park has twelve million elements. Looking a name up takes a quarter of the time of cutting it.
        for _, element in cast("Iterator[tuple[str, Element]]", parser.read_events()):
            count += 1
            name = wanted.get(element.tag)
            if name is None:
                local = element.tag.rpartition("}")[2]
                name = wanted[element.tag] = local if local == item or local in others else ""
            if name:
                if name == item:
                    size = count = 0
                yield name, element
        if size > bounds.MAX_ITEM or count > bounds.MAX_ELEMENTS or len(wanted) > bounds.MAX_NAMES:
            most = f"{bounds.MAX_ITEM // bounds.MIB} MiB, {bounds.MAX_ELEMENTS} elements or {bounds.MAX_NAMES} names"
            raise UsageError(f"has more than {most} in which no {item} ends", remedy=_REMEDY)


def _chunks(part: IO[bytes]) -> Iterator[bytes]:
    """Yield the bytes of a part, and b"" at its end. Raises UsageError if the part begins with a document type."""
    chunk = part.read(_CHUNK)
    _refuse_document_type(chunk)
    while chunk:
        yield chunk
        chunk = part.read(_CHUNK)
    yield chunk


def _refuse_document_type(head: bytes) -> None:
    # Remove the zeros of UTF-16, because all characters that matter here are ASCII.
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
        return  # it is no archive, and zipfile raises the error
    directory = tail[at + 12 : at + 16]
    locator = at - _LOCATOR_SIZE
    if locator >= _END_64_SIZE and tail[locator : locator + 4] == _LOCATOR_64:
        directory = tail[locator - _END_64_SIZE : locator][40:48]
    if int.from_bytes(directory, "little") > bounds.MAX_DIRECTORY:
        raise UsageError("has more parts than a workbook has", remedy=_REMEDY)
