"""Looks up emergencies and units in the registry. Each function works within the caller's transaction or snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import DAY_US
from vetlla.domain.codes import code_key
from vetlla.domain.emergencies import TYPE_OF_KIND
from vetlla.domain.errors import UsageError
from vetlla.service.dispatch.emergency import DUTY_MARK, emergency, until
from vetlla.service.dispatch.order import board
from vetlla.service.dispatch.units import propose, told_until, units
from vetlla.service.duties.standing import standing
from vetlla.store.dispatch import emergencies as store
from vetlla.store.dispatch.units import all_events
from vetlla.store.duties import events, index
from vetlla.store.homes import queries as registered
from vetlla.tasks.dispatch import figures
from vetlla.tasks.duties.book import duties_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable

    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.dispatch.order import Line
    from vetlla.service.dispatch.units import Proposal, StreetUnit
    from vetlla.service.duties.terms import DutyRules

DIGITS_MAX: Final = 18
"""Most digits of the number of a duty: SQLite keeps all numbers of 18 digits, and none of 20."""
RECENT_US: Final = 31 * DAY_US
"""How far back the check looks for events that contradict each other: a month can still be corrected."""
JUST_ENDED_US: Final = DAY_US
"""How far back an ended emergency still says since when its unit is free. After a day its duty has begun since then."""


def of_home(connection: sqlite3.Connection, rules: DutyRules, home: str, now_us: int) -> list[StreetEmergency]:
    """Return the emergencies of a home, in order of their first communication."""
    found = [
        emergency(standing(duty, rules, now_us))
        for kind in TYPE_OF_KIND
        for duty in duties_of(connection, rules, kind, home)
    ]
    return sorted(found, key=lambda one: (one.opened_us, one.id))


def of_alarm(connection: sqlite3.Connection, rules: DutyRules, alarm: str, now_us: int) -> StreetEmergency | None:
    """Return the emergency of an alarm: the open one, else the last one; None if it has none.

    ``alarm`` may also be the label of an emergency without an alarm, ``D`` and the number of its duty.
    Most questions are about an open one. Only for others are the events of all years read.
    """
    if number := duty_number(alarm):
        return _of_duty(connection, rules, number, now_us)
    found = [one for one in open_ones(connection, rules, now_us) if alarm in one.alarms]
    if not found:
        homes = store.homes_of_alarm(connection, alarm)
        found = [one for home in homes for one in of_home(connection, rules, home, now_us) if alarm in one.alarms]
    return max(found, key=lambda one: (one.is_open, not one.is_retyped, one.id), default=None)


def duty_number(label: str) -> int:
    """Return the number of the duty in a label such as ``D4711``; 0 for an alarm."""
    mark, number = label[:1].upper(), label[1:]
    is_label = mark == DUTY_MARK and number.isascii() and number.isdecimal() and len(number) <= DIGITS_MAX
    return int(number) if is_label else 0


def _of_duty(connection: sqlite3.Connection, rules: DutyRules, number: int, now_us: int) -> StreetEmergency | None:
    opening = events.event(connection, number)
    if opening is None or opening.told.kind not in TYPE_OF_KIND:
        return None
    found = of_home(connection, rules, opening.told.subject, now_us)
    named = next((one for one in found if one.id == number), None)
    if named is None or not named.is_retyped:
        return named
    again = (one for one in found if one.opened_us == named.opened_us and not one.is_retyped)
    return next(again, named)  # it goes on as the duty of the other type


def the_emergency(connection: sqlite3.Connection, rules: DutyRules, alarm: str, now_us: int) -> StreetEmergency:
    """Return the emergency of an alarm. Raises UsageError if it has none."""
    found = of_alarm(connection, rules, alarm, now_us)
    if found is None:
        if duty_number(alarm):
            raise UsageError(f"there is no emergency {alarm}", remedy="vetlla dispatch board has the open ones")
        raise UsageError(f"alarm {alarm} is not in an emergency", remedy=f"vetlla dispatch type {alarm} I")
    return found


def open_ones(connection: sqlite3.Connection, rules: DutyRules, now_us: int) -> list[StreetEmergency]:
    """Return the emergencies that no event has ended."""
    if index.is_of(connection, rules.fingerprint):
        homes: Iterable[str] = store.homes_with_open(connection)
    else:  # other kinds or parameters made the index
        homes = {home for kind in TYPE_OF_KIND for home in events.subjects(connection, kind)}
    return [one for home in sorted(homes) for one in of_home(connection, rules, home, now_us) if one.is_open]


def began_in(
    connection: sqlite3.Connection, rules: DutyRules, since_us: int, until_us: int, now_us: int
) -> list[StreetEmergency]:
    """Return the emergencies whose first communication came in a time; its end is excluded."""
    homes = {home for kind in TYPE_OF_KIND for home in events.subjects(connection, kind, since_us, until_us)}
    return [
        one
        for home in sorted(homes)
        for one in of_home(connection, rules, home, now_us)
        if since_us <= one.opened_us < until_us
    ]


def recent(connection: sqlite3.Connection, rules: DutyRules, now_us: int) -> list[StreetEmergency]:
    """Return the emergencies that are open or began within ``RECENT_US``."""
    began = began_in(connection, rules, now_us - RECENT_US, now_us + 1, now_us)
    return [*began, *(one for one in open_ones(connection, rules, now_us) if one.opened_us < now_us - RECENT_US)]


def spelled_base(connection: sqlite3.Connection, base: str) -> str:
    """Return a base as the homes write it, if it differs only in case or spaces; else without spaces around it."""
    wanted = code_key(base)
    return next((one for one in registered.bases(connection) if code_key(one) == wanted), " ".join(base.split()))


def base_doubt(connection: sqlite3.Connection, base: str) -> str:
    """Return a warning if homes have bases, and none of them has this one; "" otherwise."""
    known = registered.bases(connection)
    if not known or base in known:
        return ""
    return f"no home belongs to base {base}, so a unit of it is nearest to no home; the homes have {', '.join(known)}"


def known_units(
    connection: sqlite3.Connection, rules: DutyRules, now_us: int, at_us: int | None = None
) -> list[StreetUnit]:
    """Return every unit and where it is, or where it was at a moment, as it is known now.

    An emergency that has ended counts if it began at most ``JUST_ENDED_US`` before the moment. One without news keeps
    no unit: its end is not recorded, and its unit has gone on to other work.
    """
    at_us = now_us if at_us is None else at_us
    began = began_in(connection, rules, at_us - JUST_ENDED_US, at_us + 1, now_us)
    found = {one.id: one.standing.duty for one in (*open_ones(connection, rules, now_us), *began)}
    then = [emergency(standing(until(duty, at_us), rules, at_us)) for duty in found.values() if duty.opened_us <= at_us]
    return units(told_until(all_events(connection), at_us), [one for one in then if not one.has_no_news(at_us)])


def proposer(
    connection: sqlite3.Connection, rules: DutyRules, known: list[StreetUnit], now_us: int
) -> Callable[[StreetEmergency], list[Proposal]]:
    """Return the function that proposes the free units for an emergency, the nearest first."""

    def proposals(one: StreetEmergency) -> list[Proposal]:
        base = registered.home(connection, one.home).base
        return propose(known, base, lambda name: figures.base_order(rules, name, now_us))

    return proposals


def lines(connection: sqlite3.Connection, rules: DutyRules, now_us: int) -> list[Line]:
    """Return the board: the open emergencies in the order in which they should get a unit."""
    proposals = proposer(connection, rules, known_units(connection, rules, now_us), now_us)
    return board(open_ones(connection, rules, now_us), proposals, figures.marks(rules, now_us), now_us)
