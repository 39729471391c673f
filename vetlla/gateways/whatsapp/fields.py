"""Values of a webhook's JSON. A peer's bytes raise no error, so each function has an answer for a value of any kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

Object = Mapping[str, Any]
_LAST_SECOND: Final = 32_503_680_000
"""The year 3000: a number above it is no time in seconds."""


def an_object(value: object) -> Object:
    """Return an object; an empty one for any other value."""
    return value if isinstance(value, Mapping) else {}


def a_list(value: object) -> Sequence[Any]:
    """Return a list; an empty one for any other value."""
    return value if isinstance(value, list) else ()


def a_text(value: object) -> str:
    """Return a text, or a number as text; "" for any other value."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def a_time(value: object, otherwise: datetime) -> datetime:
    """Return the time in UTC. Meta writes seconds since 1970 as text; some emulators write ISO 8601."""
    text = a_text(value).strip()
    if text.isascii() and text.isdigit() and 0 < int(text[:20]) < _LAST_SECOND:
        return datetime.fromtimestamp(int(text), UTC)
    with suppress(ValueError, OverflowError):
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return otherwise
