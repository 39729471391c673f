"""Reads the times of files: ISO 8601 with an offset, or the wall clock of a zone.

On the wall clock an hour comes twice in autumn and never in spring. Such a time is refused, because a guess would move
a duty or a call by an hour.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vetlla.domain.clock import SECOND_US, to_datetime, to_us
from vetlla.domain.errors import ConfigError

if TYPE_CHECKING:
    from datetime import tzinfo

_DAY_FIRST: Final = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?:[ T]+(\d{1,2}:\d\d(?::\d\d)?))?", re.ASCII)
FORMS: Final = "write 2026-12-01 10:15:30, 01/12/2026 10:15:30, or a time with its offset: 2026-12-01T10:15:30+01:00"
FIRST_YEAR: Final = 1990
"""Municipal telecare in Barcelona began in the nineties, so an earlier time is a typing error."""
LAST_YEAR: Final = 2099
QUARTER_US: Final = 900 * SECOND_US
"""Zones change their offset only at a full quarter of an hour, and looking an offset up takes longer than the rest."""
REMEMBERED: Final = 1 << 12
"""Most quarters of an hour in the cache: six weeks."""


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its name. Raises ConfigError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a folder of zones, such as "Europe"
        raise ConfigError(f"there is no time zone {name!r}", remedy="name one such as Europe/Madrid or UTC") from error


def read_time(cell: str) -> datetime:
    """Return the time in a cell: with an offset if it is written with one, else naive. Raises ValueError."""
    if is_day(cell):
        raise ValueError(f"is a date without a time: {FORMS}")
    return _read(cell)


def is_day(cell: str) -> bool:
    """Return True if a cell holds a day alone, in any form: 2026-11-30, 20261130, 30/11/2026."""
    try:
        date.fromisoformat(cell)
    except ValueError:
        found = _DAY_FIRST.fullmatch(cell)
        return found is not None and found[4] is None
    return True


def _read(cell: str) -> datetime:
    try:
        if found := _DAY_FIRST.fullmatch(cell):
            hour, _, rest = (found[4] or "0:00").partition(":")
            time = datetime.fromisoformat(f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}T{hour:0>2}:{rest}")
        else:
            time = datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"is no time: {FORMS}") from None
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise ValueError(f"is not in the years {FIRST_YEAR} to {LAST_YEAR}")
    return time


class LocalTime:
    """Turns times of a zone into microseconds UTC."""

    def __init__(self, zone: tzinfo) -> None:
        self.zone = zone
        self._offsets = lru_cache(maxsize=REMEMBERED)(self._offsets_of)

    def moments(self, time: datetime) -> tuple[int, ...]:
        """Return the moments that a time can mean: one; two if its hour comes twice; none if its hour is skipped."""
        if time.tzinfo is not None:
            return (to_us(time),)
        as_utc_us = to_us(time.replace(tzinfo=UTC))
        return tuple(as_utc_us - offset for offset in self._offsets(as_utc_us // QUARTER_US))

    def moment(self, time: datetime) -> int:
        """Return the moment that a time means. Raises ValueError, which says what to write, if it is not clear."""
        found = self.moments(time)
        if len(found) == 1:
            return found[0]
        if found:
            ways = " or ".join(time.replace(tzinfo=self.zone, fold=fold).isoformat() for fold in (0, 1))
            raise ValueError(f"comes twice, because the clocks were set back: write {ways}")
        ways = " or ".join(
            time.replace(tzinfo=self.zone, fold=fold).astimezone(UTC).astimezone(self.zone).isoformat()
            for fold in (1, 0)
        )
        raise ValueError(f"does not exist, because the clocks were set forward: write {ways}")

    def begin_of(self, cell: str) -> int:
        """Return the moment in a cell; a day alone means its first microsecond. Raises ValueError."""
        found = _read(cell)
        return to_us(found.replace(tzinfo=self.zone)) if is_day(cell) else self.moment(found)

    def end_of(self, cell: str) -> int:
        """Return the moment in a cell; a day alone means its last microsecond. Raises ValueError."""
        found = _read(cell)
        if not is_day(cell):
            return self.moment(found)
        return to_us((found + timedelta(days=1)).replace(tzinfo=self.zone)) - 1

    def _offsets_of(self, quarter: int) -> tuple[int, ...]:
        found = []
        time = to_datetime(quarter * QUARTER_US).replace(tzinfo=None)
        for fold in (0, 1):
            aware = time.replace(tzinfo=self.zone, fold=fold)
            if aware.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None, fold=0) != time:
                return ()  # the clocks skip it
            offset = aware.utcoffset() or timedelta()
            found.append(offset // timedelta(microseconds=1))
        return tuple(dict.fromkeys(found))
