"""Time in microseconds, on the wall clock and on the monotonic clock together.

Stamps that people read come from the wall clock (UTC). Durations that a contract limits come from the monotonic clock,
because a stepped wall clock must not invent or hide a late answer.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple, Protocol, overload

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_NUMBER = r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*"
_DURATION = re.compile(
    rf"(?:{_NUMBER}w)?\s*(?:{_NUMBER}d)?\s*(?:{_NUMBER}h)?\s*(?:{_NUMBER}m(?:in)?)?\s*(?:{_NUMBER}s)?"
)
_SIZES = (604_800, 86_400, 3600, 60, 1)
"""Seconds of each unit of ``_DURATION``, in the same order."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


class Instant(NamedTuple):
    """One moment on both clocks in microseconds: UTC since 1970, monotonic since the machine's start."""

    utc_us: int
    mono_us: int


class Clock(Protocol):
    """Source of the current time; tests inject their own."""

    def now(self) -> Instant:
        """Return the present moment."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> Instant:
        """Return the present moment."""
        return Instant(time.time_ns() // 1000, time.monotonic_ns() // 1000)


class ManualClock:
    """A clock that moves only on command, for tests and simulated months."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._utc_us = to_us(start)
        self._mono_us = 0

    def now(self) -> Instant:
        """Return the moment that was set last."""
        return Instant(self._utc_us, self._mono_us)

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._utc_us += round(seconds * SECOND_US)
        self._mono_us += round(seconds * SECOND_US)

    def step_wall(self, seconds: float) -> None:
        """Step only the wall clock, as NTP or a person does."""
        self._utc_us += round(seconds * SECOND_US)


def as_of(clock: Clock, known_us: int | None) -> int:
    """Return the time at which a question is answered: now, or the earlier time as known at which it is asked."""
    now_us = clock.now().utc_us
    return now_us if known_us is None else min(now_us, known_us)


def to_us(moment: datetime) -> int:
    """Return the microseconds since 1970 of an aware datetime, exactly."""
    return (moment - _EPOCH) // _MICROSECOND


def to_datetime(utc_us: int) -> datetime:
    """Return the aware UTC datetime of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=utc_us)


@overload
def iso(utc_us: int) -> str: ...


@overload
def iso(utc_us: int | None) -> str | None: ...


def iso(utc_us: int | None) -> str | None:
    """Return ``2026-11-21T22:33:01.123456Z``, or None for None."""
    return None if utc_us is None else to_datetime(utc_us).isoformat(timespec="microseconds").replace("+00:00", "Z")


def last_of_month(first: date) -> date:
    """Return the last day of the month with this first day."""
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def stretch(seconds: float) -> str:
    """Return a duration in its two largest units: ``5 h 2 min``."""
    left = int(seconds)
    parts: list[str] = []
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        if count or parts or size == 1:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def seconds_of(text: str, *, unit: str = "s") -> float:
    """Return the seconds of a duration as people write it: 90, 90s, 15m, 1h30m, 7d, or as ``stretch`` does: 5 h 2 min.

    A number alone is in ``unit``; with "" it is refused. Raises ValueError.
    """
    written = text.strip().lower()
    found = _DURATION.fullmatch(written + unit if re.fullmatch(_NUMBER, written) else written)
    if found is None or not any(found.groups()):
        raise ValueError("should be a duration such as 90s, 15m, 2h, 7d or 1h30m")
    return sum(float(number) * size for number, size in zip(found.groups(), _SIZES, strict=True) if number)
