"""Elements of an invoice before they are XML: each text is checked for its length and its characters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.errors import UsageError

if TYPE_CHECKING:
    from datetime import date

_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document can hold (section 2.2 of the recommendation)."""


class Node(NamedTuple):
    """An element: its name, either its text or the elements in it, and its attributes."""

    name: str
    """A name, or ``{namespace}name``."""
    content: str | tuple[Node, ...]
    attributes: tuple[tuple[str, str], ...] = ()


def field(name: str, value: str, most: int, *, least: int = 1) -> Node:
    """Return an element with a text of ``least`` to ``most`` characters. Raises UsageError with what is wrong."""
    if len(value) > most:
        raise UsageError(
            f"{name} has {len(value)} characters, and Facturae {name} takes {most}: {value[: most + 20]!r}",
            remedy="give a shorter value; nothing is cut off",
        )
    if len(value.strip()) < least:
        told = "is empty" if not value.strip() else f"has {len(value.strip())} characters"
        raise UsageError(f"{name} {told}, and Facturae {name} takes at least {least}", remedy="give the value")
    if found := _NOT_XML.search(value):
        raise UsageError(
            f"{name} has the character U+{ord(found[0]):04X}, which XML cannot hold", remedy="remove it from the text"
        )
    return Node(name, value)


def day(name: str, value: date) -> Node:
    """Return an element with a date."""
    return Node(name, value.isoformat())


def optional(name: str, value: str, most: int) -> tuple[Node, ...]:
    """Return an element with a text, or nothing if the text is empty."""
    return (field(name, value, most),) if value else ()
