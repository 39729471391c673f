"""SIP and telephone addresses (RFC 3261, 19.1; RFC 3966), read as tolerantly as one party can be told from another."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote

from vetlla.protocols.sip.values import read_number, read_parameters

PORT: Final = 5060
PORT_TLS: Final = 5061
PORT_MOST: Final = 65_535

_BLANK: Final = re.compile(r"\s")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*", re.ASCII)
_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.%\w]*\]|[^\s:\[\]<>\"@;?,]+)(?::([0-9]+))?", re.ASCII)


class Uri(NamedTuple):
    """An address. For a ``tel:`` address the number is the user, and there is no host."""

    scheme: str
    """In lower case."""
    user: str
    """Without escapes; "" without one."""
    host: str
    """In lower case; an IPv6 address with its brackets."""
    port: int | None
    parameters: dict[str, str]
    headers: str
    """What follows the question mark, as it is written."""


def read_uri(text: str) -> Uri | None:
    """Return the parts of an address; None for a text that is none. Blanks inside make it none."""
    scheme, colon, rest = text.partition(":")
    if not colon or _SCHEME.fullmatch(scheme) is None or not rest or _BLANK.search(text):
        return None
    scheme = scheme.lower()
    if scheme not in {"sip", "sips"}:
        number, semicolon, parameters = rest.partition(";")
        return Uri(scheme, unquote(number), "", None, read_parameters(semicolon + parameters), "")
    # A user may hold ; and ?, but no @ (RFC 3261, 25.1).
    before, at, behind = rest.partition("@")
    user, place = (before, behind) if at else ("", before)
    place, _, headers = place.partition("?")
    place, semicolon, parameters = place.partition(";")
    found = _HOST.fullmatch(place)
    if found is None or (at and not user):
        return None
    port = read_number(found[2]) if found[2] else None
    if found[2] and (port is None or port > PORT_MOST):
        return None
    name = user.partition(":")[0]
    name = unquote(name) if "%" in name else name
    return Uri(scheme, name, found[1].lower(), port, read_parameters(semicolon + parameters), headers)
