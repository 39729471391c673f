"""The times of Orchestra: one installation writes them in several ways, and all of them become UTC.

Recordings of Orchestra (open-formulieren/open-forms, 2016 and 2023) have ``+00:00`` and ``+0000``; ``created`` and
``updated`` are milliseconds since 1970; the queue side writes the office's wall clock without an offset.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vetlla.domain.errors import ConfigError

EARLIEST_MS: Final = 946_684_800_000
"""2000-01-01. An earlier number is not milliseconds: it may be seconds, or a field of another kind."""
LATEST_MS: Final = 4_102_444_800_000
"""2100-01-01."""
LONGEST: Final = 40
"""Most characters of a time. The longest form, with microseconds and an offset, has 32."""
ZONE: Final = "Europe/Madrid"
"""Time zone of an installation that names none."""
ZONES_KEPT: Final = 64
"""Zones that are remembered. The offices of a service are in one or two."""


def moment_of(value: object, zone: ZoneInfo) -> datetime:
    """Return a time as UTC. A time without an offset is on the wall clock of ``zone``. Raises ValueError.

    On the day on which the clock goes back, an hour exists twice: the first one is meant, so that no reminder comes too
    late. On the day on which it goes forward, an hour does not exist: the time is counted from before the change. The
    ZonedDateTime of Java, in which Orchestra is written, decides both in the same way.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("is no time")  # noqa: TRY004 - a value of a file, not of a caller
    if isinstance(value, str):
        text = value.strip()
        if len(text) > LONGEST:
            raise ValueError("is no time")
        if not text.isdecimal():
            return _written(text, zone)
        value = int(text)
    if not EARLIEST_MS <= value <= LATEST_MS:
        raise ValueError("is no time in milliseconds since 1970")
    return datetime.fromtimestamp(value / 1000, UTC)


def _written(text: str, zone: ZoneInfo) -> datetime:
    if "T" not in text and " " not in text:
        raise ValueError("has no hour")
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is no time") from None


def optional_moment(value: object, zone: ZoneInfo) -> datetime | None:
    """Return a time as UTC; None if there is none that can be read."""
    try:
        return moment_of(value, zone)
    except ValueError:
        return None


@lru_cache(maxsize=ZONES_KEPT)
def zone_of(name: str) -> ZoneInfo | None:
    """Return the time zone of this IANA name; None if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def configured_zone(source: str, name: str) -> ZoneInfo:
    """Return the time zone that the settings of a source name. Raises ConfigError if there is none of that name."""
    zone = zone_of(name)
    if zone is None:
        raise ConfigError(f"{source}: there is no time zone {name}", remedy=f"such as {ZONE}")
    return zone
