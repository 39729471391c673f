"""The values of a payload's fields, including those that cannot be read, and the bounds of what is kept."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

MAX_DIGITS: Final = 40
"""Digits of a whole number; 2^64 has 20. Python refuses to convert more than 4,300."""
MAX_UNREAD: Final = 200
"""Characters that are kept of a value that cannot be read; the whole payload is in the journal."""

_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPES: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\", '"': '"', "'": "'"}


@dataclass(frozen=True, slots=True)
class Unread:
    """The text of a value that cannot be read."""

    text: str


@dataclass(frozen=True, slots=True)
class Contradiction(Unread):
    """A field that a device gave several times with different values. None of the values counts."""

    values: tuple[Json, ...]


Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | Unread | None"


def plain(value: Json) -> str:
    """Return a value as a text that a person reads."""
    if isinstance(value, str):
        return value
    if isinstance(value, Unread):
        return value.text
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=lambda unread: unread.text)


def unread(text: str) -> Unread:
    """Return a value that cannot be read, with its text."""
    text = text.strip()
    return Unread(text if len(text) <= MAX_UNREAD else f"{text[:MAX_UNREAD]} ({len(text)} characters)")


def whole(digits: str) -> int | Unread:
    """Return a whole number; one with too many digits is unread."""
    return int(digits) if len(digits) <= MAX_DIGITS else unread(digits)


def real(digits: str) -> float | Unread:
    """Return a number; one that is not finite is unread."""
    value = float(digits)
    return unread(digits) if value in {float("inf"), float("-inf")} else value


def members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Return the fields; one that comes twice with different values is a contradiction."""
    fields = dict(pairs)
    if len(fields) == len(pairs):
        return fields
    given: dict[str, list[Json]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    for name, values in given.items():
        if any(value != values[0] for value in values):
            fields[name] = Contradiction(unread(" / ".join(map(plain, values))).text, tuple(values))
    return fields


def unescaped(text: str) -> str:
    """Return the text of a string; an escape that JSON does not have is kept as it is written."""
    if "\\" not in text:
        return text
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return _ESCAPE.sub(_character, text)


def _character(escape: re.Match[str]) -> str:
    code = escape[1]
    return chr(int(code[1:], 16)) if len(code) > 1 else _ESCAPES.get(code, escape[0])
