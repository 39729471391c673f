"""Moments and durations as people type and read them: in local time with its zone, or in UTC with ``--utc``.

Answers for machines (``--json``, exports) do not use this module: they are always UTC in ISO 8601.
"""

from __future__ import annotations

from contextvars import ContextVar
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.domain.clock import SystemClock, seconds_of, to_datetime, to_us
from vetlla.domain.errors import UsageError
from vetlla.service.local_time import FIRST_YEAR, LAST_YEAR

if TYPE_CHECKING:
    from datetime import tzinfo

_FORMS = "such as 2026-11-21, 2026-11-21T22:30, 2026-11-21T23:30+01:00, or 90s, 15m, 2h, 7d, 4w ago"
MOST_S = 36_500 * 86_400
"""Longest duration. A hundred years lie within the calendar, and are longer than any wait."""
_zone: ContextVar[tzinfo | None] = ContextVar("zone", default=None)
"""Zone in which this run of the command line shows and reads times; None for the user's (``TZ``, or the machine's)."""
_service: ContextVar[tzinfo | None] = ContextVar("service", default=None)
"""Zone of the service, whose days count also with ``--utc``; None if this run has not read the parameters."""


def _choose(utc: bool) -> bool:
    _zone.set(UTC if utc else None)
    return utc


def use_zone(zone: tzinfo) -> None:
    """Show and read times in the service's zone in this run, unless the user has chosen UTC."""
    _service.set(zone)
    if _zone.get() is None:
        _zone.set(zone)


def day_of(utc_us: int) -> date:
    """Return the day of a moment on the calendar of the service; on this machine's if the run knows no zone."""
    return to_datetime(utc_us).astimezone(_service.get()).date()


Utc = Annotated[bool, typer.Option("--utc", callback=_choose, help="Show and read times in UTC instead of local time.")]
Since = Annotated[
    str,
    typer.Option(metavar="TIME", help="From this time on: ISO 8601 (local if it has no zone), or 2h, 7d ago."),
]
Until = Annotated[str, typer.Option(metavar="TIME", help="Before this time, in the same forms.")]


# --- months and days --------------------------------------------------------------------------------------------------


def as_month(text: str) -> date:
    """Return the first day of a month written YYYY-MM. Raises UsageError for a year that the service cannot have."""
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise typer.BadParameter("write a month as 2026-11") from error
    return _within_service(month, text)


def as_day(text: str) -> date:
    """Return the date that an option gives; typer reports a wrong one.

    Raises UsageError for a year that the service cannot have.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("write a date as 2024-04-01") from error
    return _within_service(day, text)


def _within_service(day: date, written: str) -> date:
    """Return a day of a year that the service can have.

    The bounds are those of times in files (``service.local_time``): an earlier or later year is a typing error. A
    rolling year before the first one, and a term after the last one, still are days of the calendar.
    """
    if FIRST_YEAR <= day.year <= LAST_YEAR:
        return day
    where = f"lies before {FIRST_YEAR}" if day.year < FIRST_YEAR else f"lies after {LAST_YEAR}"
    raise UsageError(f"{written!r} {where}", remedy=f"write a year from {FIRST_YEAR} to {LAST_YEAR}")


# --- durations --------------------------------------------------------------------------------------------------------


def duration(
    *names: str,
    help: str,  # noqa: A002 - typer's word
    unit: str = "s",
    least_s: float = 0.0,
    most_s: float = MOST_S,
) -> Any:  # noqa: ANN401 - typer's option has no public type
    """Return an option that takes a duration, read as seconds. ``unit`` is the unit of a number alone."""

    def read(text: str | float) -> float:
        if not isinstance(text, str):
            return text  # the default
        try:
            seconds = seconds_of(text, unit=unit)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
        if not least_s <= seconds <= most_s:
            raise typer.BadParameter(f"should be from {least_s:g} s to {most_s / 86_400:g} days")
        return seconds

    return typer.Option(*names, parser=read, metavar="DURATION", help=help, show_default=False)


def whole(seconds: float) -> int:
    """Return a duration in whole seconds. A duration above 0 never becomes 0."""
    return max(1, round(seconds)) if seconds else 0


def span(seconds: float | None) -> str:
    """Return a time span as people say it: 7 s, 3:05, 2 h 10, 4 d; "-" for None."""
    if seconds is None:
        return "-"
    left = int(seconds)
    if left < 60:
        return f"{left} s"
    if left < 3600:
        return f"{left // 60}:{left % 60:02d}"
    return f"{left // 3600} h {left // 60 % 60:02d}" if left < 86_400 else f"{left // 86_400} d"


# --- moments ----------------------------------------------------------------------------------------------------------


def moment(text: str, now_us: int) -> int:
    """Return the microseconds UTC of a time that a person typed.

    Raises UsageError if it is no time, and for a year that the service cannot have.
    """
    written = text.strip()
    try:
        return to_us(_ago(written, now_us) or _dated(written))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text!r} is not a time", remedy=_FORMS) from error


def _ago(written: str, now_us: int) -> datetime | None:
    """Return the moment that is a duration ago; None for a text that is no duration. Raises OverflowError."""
    try:
        # The help says "2h ago", so people type the word, too.
        seconds = seconds_of(written.removesuffix(" ago"), unit="")
    except ValueError:
        return None
    found = to_datetime(now_us - round(seconds * 1_000_000))
    _within_service(found.date(), written)
    return found


def _dated(written: str) -> datetime:
    """Return the moment of a date and time with its offset, with a zone as tables show it, or in the run's zone."""
    date, _, word = written.rpartition(" ")
    if date and word.isalpha():
        if word.upper() == "UTC":
            return _written(date).replace(tzinfo=UTC)
        naive = _written(date)
        # When clocks are set back an hour comes twice, and only the zone's name says which one the user means.
        for one in _readings(naive):
            if one.tzname() == word.upper():
                return one
        raise ValueError(word)
    found = _written(written)
    if found.tzinfo:
        return found
    first, second = _readings(found)
    if first.utcoffset() != second.utcoffset() and len(written) > len("2026-10-25"):
        # An hour decides whether an emergency was reached in time, so this time is not guessed.
        raise UsageError(
            f"{written!r} comes twice or never, because the clocks change",
            remedy="write it with its offset, such as 2026-10-25T02:30+01:00",
        )
    return first


def _written(text: str) -> datetime:
    """Return a date and time as they are written. Raises ValueError, and UsageError for a year out of the bounds."""
    found = datetime.fromisoformat(text)
    _within_service(found.date(), text)
    return found


def _readings(naive: datetime) -> tuple[datetime, datetime]:
    """Return both moments that a time may mean in the zone of this run; they differ if the time is not clear."""
    zone = _zone.get()
    if zone:
        return naive.replace(tzinfo=zone), naive.replace(tzinfo=zone, fold=1)
    return naive.astimezone(), naive.replace(fold=1).astimezone()


def within(since: str, until: str) -> tuple[int | None, int | None]:
    """Return beginning and end of a time range; None for an open end. Raises UsageError."""
    now_us = SystemClock().now().utc_us
    since_us = moment(since, now_us) if since else None
    until_us = moment(until, now_us) if until else None
    if since_us is not None and until_us is not None and since_us >= until_us:
        raise UsageError(f"--since {since} is not before --until {until}", remedy="swap the two")
    return since_us, until_us


def local(utc_us: int) -> datetime:
    """Return a moment in the zone of this run."""
    at = to_datetime(utc_us)
    try:
        return at.astimezone(_zone.get())
    except (OverflowError, OSError):  # a device's clock may show the year 1
        return at


def shown(utc_us: int | None) -> str:
    """Return ``2026-11-21 23:33:01.123 CET``; "" for None."""
    if utc_us is None:
        return ""
    at = local(utc_us)
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03} {at:%Z}"


def to_the_second(utc_us: int) -> str:
    """Return ``2026-11-21 23:33:01 CET``, because a table has little room."""
    return f"{local(utc_us):%Y-%m-%d %H:%M:%S %Z}"


def time_of_day(utc_us: int) -> str:
    """Return ``23:33:01 CET``, for lines whose day is clear."""
    return f"{local(utc_us):%H:%M:%S %Z}"


def shown_iso(stamp: str | None) -> str:
    """Return ``2026-11-21 23:33:01 CET`` for a stamp as JSON answers carry it; "" for None."""
    return to_the_second(stamp_us(stamp)) if stamp else ""


def stamp_us(stamp: str) -> int:
    """Return the microseconds UTC of a stamp as JSON answers carry it."""
    return to_us(datetime.fromisoformat(stamp))
