"""Local times of a PBX as moments. An hour that comes twice or never is not guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vetlla.domain.clock import SECOND_US, to_datetime, to_us
from vetlla.domain.errors import ConfigError

if TYPE_CHECKING:
    from datetime import tzinfo

_DAY_FIRST: Final = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})[ T]+(\d{1,2}:\d\d(?::\d\d)?)", re.ASCII)
FORMS: Final = "write 2026-12-01 10:15:30, 01/12/2026 10:15:30, or a time with its offset: 2026-12-01T10:15:30+01:00"
FIRST_YEAR: Final = 1990
"""Municipal telecare in Barcelona began in the nineties, so an earlier time is a typing error."""
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
    try:
        if found := _DAY_FIRST.fullmatch(cell):
            hour = found[4] if found[4].index(":") == 2 else f"0{found[4]}"
            time = datetime.fromisoformat(f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}T{hour}")
        else:
            time = datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError(f"no time: {FORMS}") from None
    if len(cell) <= len("2026-12-01"):
        raise ValueError(f"is a date without a time: {FORMS}")
    if time.year < FIRST_YEAR:
        raise ValueError(f"lies before {FIRST_YEAR}")
    return time


class LocalTime:
    """Turns times of a zone into microseconds UTC."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
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
            ways = " or ".join(time.replace(tzinfo=self._zone, fold=fold).isoformat() for fold in (0, 1))
            raise ValueError(f"comes twice, because the clocks were set back: write {ways}")
        ways = " or ".join(
            time.replace(tzinfo=self._zone, fold=fold).astimezone(UTC).astimezone(self._zone).isoformat()
            for fold in (1, 0)
        )
        raise ValueError(f"does not exist, because the clocks were set forward: write {ways}")

    def _offsets_of(self, quarter: int) -> tuple[int, ...]:
        found = []
        time = to_datetime(quarter * QUARTER_US).replace(tzinfo=None)
        for fold in (0, 1):
            aware = time.replace(tzinfo=self._zone, fold=fold)
            if aware.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None, fold=0) != time:
                return ()  # the clocks skip it
            offset = aware.utcoffset() or timedelta()
            found.append(offset // timedelta(microseconds=1))
        return tuple(dict.fromkeys(found))
