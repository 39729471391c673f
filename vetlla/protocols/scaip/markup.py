"""Reads the elements of a small XML document, whole or broken. It knows no entity but XML's own five, and no DTD.

A terminal's document has some twenty elements with text. One that is cut off, or has a bare ``&`` in a text, may still
be a call for help. So each element that can be told from the others is read, but for the one that is cut off.
``is_orderly`` says whether the document was as XML wants it. Nothing is expanded, fetched or nested deeply, so no
document is larger than its bytes.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from vetlla.protocols.framing.charset import readable

MAX_BODY: Final = 16_384
"""Bytes of a document that are read. A request with every element at its longest has about 2,500."""
MAX_DEPTH: Final = 6
"""Elements within each other that are told apart. SCAIP needs three, and a wrapper of a gateway adds one."""
MAX_ELEMENTS: Final = 256
"""Elements that are read. A request has at most 40."""

_TOKEN: Final = re.compile(
    r"<(?:!--.*?(?:-->|\Z)|\?.*?(?:\?>|\Z))"
    r"|<!\[CDATA\[(?P<data>.*?)(?:\]\]>|(?P<unended>\Z))"
    r"|(?P<declaration><![^>]*+>?)"
    r"|<(?P<end>/?)(?P<name>[A-Za-z_][\w.:-]*+)(?P<rest>[^<>]*+)>"
    r"|(?P<text>[^<]++)"
    r"|(?P<stray><)",
    re.DOTALL,
)
_REFERENCE: Final = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(amp|lt|gt|quot|apos));|&")
_NAMED: Final = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_MARKS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


class Element(NamedTuple):
    """An element, in the order of the ends."""

    path: tuple[str, ...]
    """The names of the elements around it, and its own: in lower case, without prefixes of name spaces."""
    text: str
    """The text directly in it, without comments. It keeps its blanks."""


class Markup(NamedTuple):
    """What a document holds."""

    elements: list[Element]
    is_orderly: bool
    """True if it was well-formed as far as this reader can tell."""
    has_declaration: bool
    """True if it has a DTD or another declaration, none of which is read."""


class _Open:
    """An element whose end has not come."""

    __slots__ = ("is_leaf", "name", "parts")

    def __init__(self, name: str) -> None:
        self.name = name
        self.parts: list[str] = []
        self.is_leaf = True


def read_markup(body: bytes) -> Markup:
    """Return the elements of a document. More than ``MAX_BODY`` bytes are not read, and make it disorderly."""
    return _Reader(body).read()


def escaped(text: str) -> str:
    """Return a text as an element holds it. Characters that XML does not allow become blanks."""
    plain = "".join(one if one.isprintable() else " " for one in text)
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class _Reader:
    """Reads one document."""

    def __init__(self, body: bytes) -> None:
        self._text, is_sure = _decoded(body[:MAX_BODY])
        self._is_orderly = is_sure and len(body) <= MAX_BODY
        self._has_declaration = False
        self._stack: list[_Open] = []
        self._elements: list[Element] = []
        self._count = 0
        self._skipped = 0
        """Elements that are not read, and whose ends have not come."""

    def read(self) -> Markup:
        for token in _TOKEN.finditer(self._text):
            name = token["name"]
            if name is not None:
                self._tag(name.rpartition(":")[2].lower(), token["rest"], is_end=bool(token["end"]))
            elif token["text"] is not None:
                self._add(self._plain(token["text"]))
            elif token["data"] is not None:
                self._is_orderly &= token["unended"] is None
                self._add(token["data"])
            elif token["declaration"] is not None:
                self._has_declaration = True
            elif token["stray"] is not None:
                self._is_orderly = False
                self._add("<")
            else:  # a comment or an instruction
                self._is_orderly &= token[0].endswith(("-->", "?>"))
        if self._stack or not self._count:
            self._is_orderly = False
        if self._stack and self._stack[-1].is_leaf:
            self._stack.pop()  # half a code or an id would be another one
        while self._stack:
            self._close()
        return Markup(self._elements, self._is_orderly, self._has_declaration)

    def _tag(self, name: str, rest: str, *, is_end: bool) -> None:
        if is_end:
            self._end(name)
            return
        is_empty = rest.endswith("/")
        if len(self._stack) >= MAX_DEPTH or self._count >= MAX_ELEMENTS:
            self._is_orderly = False
            self._skipped += not is_empty
            return
        self._count += 1
        if self._stack:
            self._stack[-1].is_leaf = False
        self._stack.append(_Open(name))
        if is_empty:
            self._close()

    def _end(self, name: str) -> None:
        if self._skipped:
            self._skipped -= 1
            return
        depth = next((at for at in range(len(self._stack) - 1, -1, -1) if self._stack[at].name == name), None)
        if depth is None:
            self._is_orderly = False
            return
        self._is_orderly &= depth == len(self._stack) - 1
        while len(self._stack) > depth:
            self._close()

    def _close(self) -> None:
        path = tuple(one.name for one in self._stack)
        ended = self._stack.pop()
        self._elements.append(Element(path, "".join(ended.parts)))

    def _add(self, text: str) -> None:
        if self._stack and not self._skipped:
            self._stack[-1].parts.append(text)
        elif text.strip() and not self._skipped:
            self._is_orderly = False

    def _plain(self, text: str) -> str:
        if "&" not in text:
            return text

        def character(found: re.Match[str]) -> str:
            if found[3]:
                return _NAMED[found[3]]
            code = int(found[1]) if found[1] else int(found[2], 16) if found[2] else 0
            if 0 < code <= 0x10FFFF and not 0xD800 <= code < 0xE000:
                return chr(code)
            self._is_orderly = False
            return found[0]

        return _REFERENCE.sub(character, text)


def _decoded(body: bytes) -> tuple[str, bool]:
    """Return the text of bytes, and True if their encoding is certain: that of a byte order mark, or UTF-8."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace"), True
    try:
        return body.decode(), True
    except UnicodeDecodeError:
        return readable(body), b"ISO-8859-1" in body[:60].upper()
