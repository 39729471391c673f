"""The rhythm of a home and of a person: in which months of the year they are called, and how far into the month.

The calls of a home are evenly spaced over the year. Where the first one lies follows from the home's code alone, as a
fraction of the time between two calls. So the homes are spread evenly, a home keeps its rhythm when others join or
leave, and nothing of it is stored.

A revaluation takes the place of the follow-up that is nearest to the person's own place in the year. So it replaces a
call, and adds none (tender 20220428, 5).
"""

from __future__ import annotations

from hashlib import blake2b
from math import ceil
from typing import Final, NamedTuple

MONTHS: Final = 12
_WHOLE: Final = 1 << 32


class Turn(NamedTuple):
    """A follow-up call of a home in a month."""

    number: int
    """Its number in the year, from 0."""
    position: float
    """How far into the month it lies, from 0 up to 1."""


def place_of(code: str) -> float:
    """Return a number from 0 up to 1 that follows from a code; the codes of many homes are spread evenly over it."""
    return int.from_bytes(blake2b(code.encode(), digest_size=4).digest()) / _WHOLE


def turns(place: float, a_year: int, month: int) -> list[Turn]:
    """Return the follow-ups of a month (0 to 11), in order, for a home whose code has this place."""
    if not a_year:
        return []
    found = []
    # One call early, because of rounding; the comparison decides.
    for number in range(max(0, ceil(month * a_year / MONTHS - place) - 1), a_year):
        moment = _moment(place, a_year, number)
        if moment >= month + 1:
            break
        if moment >= month:
            found.append(Turn(number, moment - month))
    return found


def is_revalued(person: float, home: float, a_year: int, every: int, month: int) -> Turn | None:
    """Return the turn of a person's revaluation in a month, or None if the month has none.

    ``person`` and ``home`` are the places of their codes, ``every`` the months from one revaluation to the next. The
    number of the turn is the follow-up of the home that it stands at; -1 if it stands at none.
    """
    times = MONTHS // every
    # A follow-up as near as that exists in each period only if a period has a whole number of them.
    at_follow_ups = a_year >= times and a_year * every % MONTHS == 0
    for time in range(times):
        moment = (person * MONTHS + time * every) % MONTHS
        number = int(moment * a_year / MONTHS) if at_follow_ups else -1
        if at_follow_ups:
            moment = _moment(home, a_year, number)
        if month <= moment < month + 1:
            return Turn(number, moment - month)
    return None


def _moment(place: float, a_year: int, number: int) -> float:
    """Return when a follow-up of the year lies, in months."""
    return (place + number) * MONTHS / a_year
