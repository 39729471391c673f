"""The parts of a header's value: lists, parameters, addresses, and the number of a request.

Each pattern passes over a text once: what is quoted or in angle brackets and does not end there ends with the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

SEQUENCE_MOST: Final = (1 << 31) - 1
"""Highest number of a request (RFC 3261, 8.1.1.5)."""
DIGITS_MOST: Final = 10
"""Digits of a number, without leading zeros. More are no number of SIP, and Python converts at most 4,300."""

QUOTED: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
"""Pattern of a quoted string, with its quotes."""
_ELEMENT: Final = re.compile(rf"(?:[^,\"<]++|{QUOTED}|<[^>]*+(?:>|\Z))++", re.DOTALL)
_PARAMETER: Final = re.compile(rf";\s*+([^\s;=,\"<>]++)\s*+(?:=\s*+({QUOTED}|[^\s;,\"]*+))?", re.DOTALL)
_DISPLAY: Final = re.compile(rf"\s*+({QUOTED})\s*+", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_NUMBER: Final = re.compile(r"0*([0-9]{1,10})", re.ASCII)
_PLAIN: Final = re.compile(r"[\w.!%*+`'~:\[\]-]+", re.ASCII)
_SEQUENCE: Final = re.compile(r"([0-9]++)\s++(\S++)", re.ASCII)


class Address(NamedTuple):
    """A party as From, To, Contact and Route name it (RFC 3261, 20.10)."""

    display: str
    """Its name for people, without quotes; "" without one."""
    uri: str
    parameters: dict[str, str]
    """Those of the header, such as ``tag``. Those of a URI in angle brackets belong to the URI."""


class Sequence(NamedTuple):
    """The value of CSeq."""

    number: int
    method: str


def split_list(value: str) -> list[str]:
    """Return the elements between commas, without empty ones. A comma in quotes or angle brackets is part of one."""
    if "," not in value:
        return [value] if value else []
    return [element for found in _ELEMENT.findall(value) if (element := found.strip())]


def read_parameters(text: str) -> dict[str, str]:
    """Return the parameters ``;name=value`` of a text: names in lower case, "" for one without a value.

    Of two with the same name the first counts. Anything else between semicolons is passed over.
    """
    parameters: dict[str, str] = {}
    for name, value in _PARAMETER.findall(text):
        parameters.setdefault(name.lower(), unquoted(value) if value[:1] == '"' else value)
    return parameters


def written_parameters(parameters: Iterable[tuple[str, str]]) -> str:
    """Return parameters as a header has them. A value with other characters than those of a token is quoted."""
    parts = []
    for name, value in parameters:
        plain = not value or _PLAIN.fullmatch(value) is not None
        parts.append(f";{name}={value if plain else quoted(value)}" if value else f";{name}")
    return "".join(parts)


def read_address(value: str) -> Address | None:
    """Return the party of a value: ``"Name" <uri>;tag=1``, ``Name <uri>`` or ``uri;tag=1``. None without a URI."""
    display = ""
    rest = value
    named = _DISPLAY.match(value)
    if named is not None:
        display, rest = unquoted(named[1]), value[named.end() :]
        if not rest.startswith("<"):
            return None
    before, bracket, behind = rest.partition("<")
    if bracket:
        uri, _, after = behind.partition(">")
        display = display or before.strip()
    else:
        uri, semicolon, after = rest.partition(";")
        after = semicolon + after
    uri = uri.strip()
    return Address(display, uri, read_parameters(after)) if uri else None


def read_sequence(value: str) -> Sequence | None:
    """Return the number and the method of CSeq; None for anything else, and for a number that is too high."""
    found = _SEQUENCE.fullmatch(value)
    if found is None:
        return None
    number = read_number(found[1])
    return Sequence(number, found[2]) if number is not None and number <= SEQUENCE_MOST else None


def read_number(text: str) -> int | None:
    """Return the number of a text of digits; None for any other text, and for more than ``DIGITS_MOST`` digits."""
    found = _NUMBER.fullmatch(text)
    return int(found[1]) if found is not None else None


def unquoted(text: str) -> str:
    """Return the content of a quoted string."""
    inner = text[1:-1] if len(text) > 1 and text.endswith('"') else text[1:]
    return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner


def quoted(text: str) -> str:
    """Return a text as a quoted string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
