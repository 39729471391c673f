"""Reads the JSON of a payload as devices send it. A value that cannot be read does not affect the others.

The standard library reads valid JSON. Firmware also prints ``nan``, leaves a value or a quote out, adds a comma, or
cuts the object off where its buffer ends. Then ``broken.py`` reads what is there.
"""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.protocols.framing.charset import readable
from vetlla.protocols.mqtt.broken import STRING, Members, Reader
from vetlla.protocols.mqtt.values import Unread, members, real, unescaped, whole

if TYPE_CHECKING:
    from vetlla.protocols.mqtt.values import Json

MAX_BRACKETS: Final = 64
"""Most brackets of a payload for the standard library, because its reader calls itself once for each level."""

_FILLERS: Final = "\0\t\r\n "
_LIST_ENDS: Final = "] \t\r\n"
_BYTE_ORDER_MARK: Final = "\ufeff"
_JSON: Final = json.JSONDecoder(
    object_pairs_hook=members, parse_int=whole, parse_float=real, parse_constant=Unread, strict=False
)


class Found(NamedTuple):
    """The content of a payload: an object or, if it is no object, a word."""

    content: dict[str, Json] | str
    trailing: str = ""
    """The text after the object."""
    is_orderly: bool = True
    """True if every member and the object's end are where JSON has them, whatever the values are."""


def read(payload: bytes) -> Found:
    """Return the content of a payload; never raises."""
    text, is_utf = _text(payload)
    if text.startswith("{"):
        return _object(text, is_utf=is_utf)
    if (quoted := STRING.fullmatch(text)) is not None:
        # A flow of Node-RED made JSON of its text twice, so the object is in the string.
        inner = unescaped(quoted[2])
        return _object(inner.strip(), is_utf=True) if inner.lstrip().startswith("{") else Found(inner)
    if (start := text.find("{")) > 0 and (found := _object(text[start:], is_utf=is_utf)).content:
        # Bytes of the packet's head, or a list, surround it (tinyMQTT issue 26). The end of the list has no meaning.
        return found._replace(trailing=found.trailing.lstrip(_LIST_ENDS), is_orderly=False)
    return Found(text if is_utf else readable(text.encode("latin-1")))


def _text(data: bytes) -> tuple[str, bool]:
    """Return the text, and True if its bytes are Unicode. If they are not, each byte becomes one character."""
    data = data.lstrip(b"\t\r\n ")
    # An encoding is found by its mark, or by its NUL bytes (RFC 4627). A bare opening has neither.
    encoding = "utf-8" if data.startswith(b'{"') else json.detect_encoding(data)
    if not encoding.startswith("utf-8"):
        return data.decode(encoding, "replace").strip(_FILLERS + _BYTE_ORDER_MARK), True
    try:
        return data.decode(encoding).strip(_FILLERS), True
    except UnicodeDecodeError:
        return data.removeprefix(codecs.BOM_UTF8).decode("latin-1").strip(_FILLERS), False


def _object(text: str, *, is_utf: bool) -> Found:
    found = (_json(text) if is_utf else None) or Reader(text, is_utf=is_utf).read()
    return Found(found.fields, text[found.end :].strip(_FILLERS), found.is_orderly)


def _json(text: str) -> Members | None:
    """Return the object if it is JSON."""
    if text.count("{") + text.count("[") > MAX_BRACKETS:
        return None
    try:
        return Members(*_JSON.raw_decode(text), is_orderly=True)
    except ValueError:
        return None
