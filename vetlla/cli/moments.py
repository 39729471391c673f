"""Moments and stretches of time as people type and read them. All times are UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

import typer

from vetlla.clock import SystemClock, to_datetime, to_us
from vetlla.errors import UsageError

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGO = re.compile(r"(\d{1,6})([smhdw])")
_FORMS = "such as 2026-11-21, 2026-11-21T22:30, 2026-11-21T23:30+01:00, or 90s, 15m, 2h, 7d, 4w ago"

Since = Annotated[
    str, typer.Option(metavar="TIME", help="From this time on: ISO 8601 (UTC unless it says otherwise), or 2h, 7d ago.")
]
Until = Annotated[str, typer.Option(metavar="TIME", help="Before this time, in the same forms.")]


def moment(text: str, now_us: int) -> int:
    """Return the microseconds UTC that a person means. Raises UsageError."""
    try:
        if ago := _AGO.fullmatch(text.strip()):
            return now_us - int(ago[1]) * UNITS[ago[2]] * 1_000_000
        said = datetime.fromisoformat(text.strip())
        return to_us(said if said.tzinfo else said.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text!r} is no time", remedy=_FORMS) from error


def within(since: str, until: str) -> tuple[int | None, int | None]:
    """Return beginning and end of a time range; None where it is open. Raises UsageError."""
    now_us = SystemClock().now().utc_us
    since_us = moment(since, now_us) if since else None
    until_us = moment(until, now_us) if until else None
    if since_us is not None and until_us is not None and since_us >= until_us:
        raise UsageError(f"nothing lies from {since} until {until}", remedy="exchange them")
    return since_us, until_us


def shown(utc_us: int | None) -> str:
    """Return ``2026-11-21 22:33:01.123Z``; "" for a moment that never was."""
    if utc_us is None:
        return ""
    at = to_datetime(utc_us)
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03}Z"


def to_the_second(utc_us: int) -> str:
    """Return ``2026-11-21 22:33:01Z``: a table has little room."""
    return f"{to_datetime(utc_us):%Y-%m-%d %H:%M:%S}Z"


def shown_iso(stamp: str | None) -> str:
    """Return ``2026-11-21 22:33:01Z`` of a stamp as JSON answers carry it; "" for a moment that never was."""
    return f"{stamp[:19].replace('T', ' ')}Z" if stamp else ""
