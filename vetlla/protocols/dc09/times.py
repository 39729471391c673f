"""Times of SIA DC-09: ``HH:MM:SS,MM-DD-YYYY`` in GMT, in timestamps, in blocks and in answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

_TIME: Final = re.compile(rb"(\d\d):(\d\d):(\d\d),(\d\d)-(\d\d)-(\d{4})")


@lru_cache(maxsize=64)  # devices that report at the same time state the same second
def read_time(text: bytes) -> datetime | None:
    """Return ``HH:MM:SS,MM-DD-YYYY`` as aware UTC; None if it names no moment."""
    parts = _TIME.fullmatch(text)
    if parts is None:
        return None
    hour, minute, second, month, day, year = map(int, parts.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


@lru_cache(maxsize=4)  # all answers of one commit state the same moment
def write_time(moment: datetime) -> bytes:
    """Return an aware datetime as ``HH:MM:SS,MM-DD-YYYY`` in GMT."""
    at = moment.astimezone(UTC)
    return b"%02d:%02d:%02d,%02d-%02d-%04d" % (at.hour, at.minute, at.second, at.month, at.day, at.year)
