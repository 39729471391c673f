"""Reads an object that is not JSON, one member after the other. Each value is taken or given up as a whole.

A value that cannot be read becomes ``Unread`` with its text. Reading continues where the next member certainly begins:
at a comma, a quoted name and a colon. ``fixtures/field/mqtt.json`` has what firmware prints, with the sources.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.protocols.framing.charset import readable
from vetlla.protocols.mqtt.values import members, real, unescaped, unread, whole

if TYPE_CHECKING:
    from vetlla.protocols.mqtt.values import Json, Unread

MAX_DEPTH: Final = 8
"""Levels of objects and lists within each other; the convention needs two."""
MAX_BROKEN: Final = 16
"""Most places without a readable value that are passed over. One more ends the reading, so its time has a bound."""

_BLANKS: Final = re.compile(r"[\s,]*")
STRING: Final = re.compile(r"""(["'])((?:\\.|(?!\1)[^\\])*)\1""", re.DOTALL)
_KEY: Final = re.compile(r"""(?:(["'])((?:\\.|(?!\1)[^\\])*)\1|([A-Za-z_$][\w$.-]*))\s*:""", re.DOTALL)
_QUOTED_KEY: Final = re.compile(r'"[^"\\\x00-\x1f]{1,64}"\s*:')
_NEXT: Final = re.compile(r',\s*"[^"\\\x00-\x1f]{1,64}"\s*:')
_BARE: Final = re.compile(r"[^,{}\[\]\"]*")
_STRUCTURE: Final = re.compile(r'"(?:\\.|[^"\\])*"|[{}\[\]]', re.DOTALL)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?", re.ASCII)
_WORDS: Final = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None}
"""The literals of JSON, and those of MicroPython, whose ``str(dict)`` devices publish."""


class Members(NamedTuple):
    """The readable members of an object."""

    fields: dict[str, Json]
    end: int
    """Where the object ends, or else where the text ends."""
    is_orderly: bool
    """True if every member and the object's end are where JSON has them, whatever the values are."""


class _Broken(Exception):  # noqa: N818 - never leaves this module
    """The text here is not a value with the next member after it."""


class Reader:
    """Reads an object that is not JSON. Each value is taken as a whole, or given up as a whole."""

    def __init__(self, text: str, *, is_utf: bool) -> None:
        self._text = text
        self._is_utf = is_utf

    def read(self) -> Members:
        """Return the members of the object that opens the text."""
        text, at, broken = self._text, 1, 0
        pairs: list[tuple[str, Json]] = []
        while (at := self._skip(at)) < len(text) and broken <= MAX_BROKEN:
            if text[at] == "}":
                return Members(members(pairs), at + 1, not broken)
            key = _KEY.match(text, at)
            if key is None:
                _, at = self._give_up(at)
                broken += 1
                continue
            start = key.end()
            try:
                value, at = self._member(start)
            except _Broken:
                value, at = self._give_up(start)
                broken += 1
            pairs.append((self._name(key), value))
        if pairs and isinstance(inner := pairs[-1][1], dict):
            # The missing brace may be that of the inner object (BSB-LAN issue 157), so its members count here too.
            fields = members(pairs)
            pairs += [(name, value) for name, value in inner.items() if name not in fields]
        return Members(members(pairs), len(text), is_orderly=False)

    def _member(self, at: int) -> tuple[Json, int]:
        """Return the value at a place, and where it ends; the next member or the object's end must follow."""
        value, end = self._value(at, 1)
        after = self._skip(end)
        if after < len(self._text):
            if self._text[after] == "}" or "," in self._text[end:after] or _QUOTED_KEY.match(self._text, after):
                return value, end
        elif self._text[end - 1] in "\"'}]":
            return value, end  # cut off, but this value is whole
        raise _Broken

    def _give_up(self, at: int) -> tuple[Unread, int]:
        """Return the text between a place and the next member or the object's end, and where that is."""
        found = _NEXT.search(self._text, at)
        end = found.start() if found else self._text.rfind("}", at)
        if end < 0:
            end = len(self._text)
        # At least one character is passed over, or a stray brace would be found again.
        return unread(self._readable(self._text[at:end])), max(end, at + (not found and end == at))

    def _value(self, at: int, depth: int) -> tuple[Json, int]:
        at = self._skip_blanks(at)
        match self._text[at : at + 1]:
            case '"' | "'":
                string = STRING.match(self._text, at)
                if string is None:
                    raise _Broken
                return self._string(string[2]), string.end()
            case "{" | "[" if depth > MAX_DEPTH:
                return self._too_deep(at)
            case "{":
                return self._nested(at + 1, depth + 1)
            case "[":
                return self._list(at + 1, depth + 1)
            case _:
                return self._bare(at)

    def _bare(self, at: int) -> tuple[Json, int]:
        """Return a literal or a number, or the unreadable text in its place: nothing, ``nan``, ``98 %``."""
        bare = _BARE.match(self._text, at)
        assert bare is not None
        word = bare[0].strip()
        if word in _WORDS:
            return _WORDS[word], bare.end()
        number = _NUMBER.fullmatch(word)
        if number is None:
            return unread(self._readable(word)), bare.end()
        return real(word) if number[1] or number[2] else whole(word), bare.end()

    def _nested(self, at: int, depth: int) -> tuple[Json, int]:
        pairs: list[tuple[str, Json]] = []
        while (at := self._skip(at)) < len(self._text):
            if self._text[at] == "}":
                return members(pairs), at + 1
            key = _KEY.match(self._text, at)
            if key is None:
                break
            value, at = self._value(key.end(), depth)
            self._separated(at, "}")
            pairs.append((self._name(key), value))
        raise _Broken

    def _list(self, at: int, depth: int) -> tuple[Json, int]:
        values: list[Json] = []
        while (at := self._skip(at)) < len(self._text):
            if self._text[at] == "]":
                return values, at + 1
            if self._text[at] == "}":
                break
            value, at = self._value(at, depth)
            self._separated(at, "]")
            values.append(value)
        raise _Broken

    def _separated(self, at: int, closing: str) -> None:
        at = self._skip_blanks(at)
        if self._text[at : at + 1] not in {",", closing}:
            raise _Broken

    def _too_deep(self, at: int) -> tuple[Json, int]:
        if at not in self._closings:
            raise _Broken
        end = self._closings[at] + 1
        return unread(self._readable(self._text[at:end])), end

    @cached_property
    def _closings(self) -> dict[int, int]:
        """Return for each opening bracket where it is closed."""
        found: dict[int, int] = {}
        opened: list[int] = []
        for token in _STRUCTURE.finditer(self._text):
            if token[0] in "{[":
                opened.append(token.start())
            elif token[0] in "}]" and opened:
                found[opened.pop()] = token.start()
        return found

    def _skip(self, at: int) -> int:
        blanks = _BLANKS.match(self._text, at)
        assert blanks is not None
        return blanks.end()

    def _skip_blanks(self, at: int) -> int:
        while self._text[at : at + 1].isspace():
            at += 1
        return at

    def _name(self, key: re.Match[str]) -> str:
        return key[3] if key[3] is not None else self._string(key[2])

    def _string(self, inner: str) -> str:
        return unescaped(self._readable(inner))

    def _readable(self, text: str) -> str:
        return text if self._is_utf else readable(text.encode("latin-1"))
