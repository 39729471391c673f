"""Reads the times of files: ISO 8601 with an offset, or the wall clock of the service.

On the wall clock an hour comes twice in autumn and never in spring. Such a time is refused, because a guess would move
a duty by an hour.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import to_us
from vetlla.service.duties.calendar import FIRST_YEAR, LAST_YEAR

if TYPE_CHECKING:
    from datetime import tzinfo

_DAY_FIRST: Final = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?:[ T]+(\d\d?:\d\d(?::\d\d)?))?", re.ASCII)
FORMS: Final = "write 2026-11-30T09:15+01:00, or local time as 2026-11-30 09:15 or 30/11/2026 09:15"


def moment_us(text: str, zone: tzinfo) -> int:
    """Return the microseconds UTC of a time. Raises ValueError that says what to write."""
    return to_us(aware(_read(text), zone))


def day_or_moment_us(text: str, zone: tzinfo, *, is_end: bool) -> int:
    """Return the microseconds UTC of a time; a day alone means its first or its last microsecond.

    Raises ValueError that says what to write.
    """
    found = _read(text)
    if not _is_day(text):
        return to_us(aware(found, zone))
    if is_end:
        found = datetime.combine(found + timedelta(days=1), time(), zone)
        return to_us(found) - 1
    return to_us(found.replace(tzinfo=zone))


def _is_day(text: str) -> bool:
    """Return True if a time that can be read is a day alone, in any form: 2026-11-30, 20261130, 30/11/2026."""
    try:
        date.fromisoformat(text)
    except ValueError:
        found = _DAY_FIRST.fullmatch(text)
        return found is not None and found[4] is None
    return True


def aware(moment: datetime, zone: tzinfo) -> datetime:
    """Return a moment with its offset. Raises ValueError for a time that comes twice or never in the zone."""
    if moment.tzinfo is not None:
        return moment
    first, second = moment.replace(tzinfo=zone), moment.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise ValueError("does not exist, because the clocks are set forward: correct it")
    raise ValueError("comes twice, because the clocks are set back: write it with its offset, +02:00 or +01:00")


def _read(text: str) -> datetime:
    try:
        if found := _DAY_FIRST.fullmatch(text):
            day = date(int(found[3]), int(found[2]), int(found[1]))
            read = datetime.combine(day, _time_of_day(found[4] or "0:00"))
        else:
            read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"is no time: {FORMS}") from None
    if not FIRST_YEAR <= read.year <= LAST_YEAR:
        raise ValueError(f"is not in the years {FIRST_YEAR} to {LAST_YEAR}")
    return read


def _time_of_day(text: str) -> time:
    hour, _, rest = text.partition(":")
    return time.fromisoformat(f"{hour:0>2}:{rest}")
