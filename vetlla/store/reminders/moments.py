"""Moments in the database: microseconds UTC since 1970, or NULL."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from vetlla.domain.clock import to_datetime, to_us

if TYPE_CHECKING:
    from datetime import datetime


@overload
def stored(moment: datetime) -> int: ...


@overload
def stored(moment: datetime | None) -> int | None: ...


def stored(moment: datetime | None) -> int | None:
    """Return a moment as a row has it."""
    return None if moment is None else to_us(moment)


@overload
def read(us: int) -> datetime: ...


@overload
def read(us: int | None) -> datetime | None: ...


def read(us: int | None) -> datetime | None:
    """Return the moment of a row."""
    return None if us is None else to_datetime(us)
