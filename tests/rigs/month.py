"""The planned month of a whole service: when devices report, when they are silent, and what must follow from it.

The month is March 2026 in Madrid; the night of the 29th is an hour short. Seconds count from its first midnight, and
everything happens at whole ticks. This module does not use the receiver's rules: it computes the expected results of
each device from the plan of that device.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from vetlla.domain.accounts import Account
from vetlla.domain.clock import SECOND_US
from vetlla.service.supervision.days import service_day

TICK_S = 300
HOUR, DAY = 3_600, 86_400
MADRID = ZoneInfo("Europe/Madrid")
DAYS = [date(2026, 3, day) for day in range(1, 32)]
BEGIN_US = service_day(DAYS[0], MADRID).began_us

DIGITAL, ANALOG, TWO_UCRS = 20_000, 60_000, 17_000
CELLS = 500
DIGITAL_S, ANALOG_S = 6 * HOUR, 2 * DAY
"""GSM-IP terminals send a heartbeat every six hours, analog ones call every other day. UCRs report with them."""
ALLOWED, TOLERANCE_S = 3, 5

DOWN = (14 * DAY + 3 * HOUR, 14 * DAY + 3 * HOUR + 2 * TICK_S)
"""Seconds at which the receiver is stopped and started again."""
OPERATOR_OUT = (5 * DAY + 10 * HOUR, 6 * DAY + 16 * HOUR)
CELL, CELL_OUT = 7, (12 * DAY + 2 * HOUR, 13 * DAY + 8 * HOUR)
SUSPENDED, SUSPENDED_DAYS = range(30_000, 35_000), (DAYS[9], DAYS[19])
AWAY, AWAY_S = range(19_000, 19_300), (8 * DAY + 9 * HOUR, 10 * DAY + 9 * HOUR)
DEAD = {20_100 + 97 * n: 3 * DAY + 2 * HOUR * n for n in range(50)}
"""Terminals that stop for good, one after the other: number and second of the stop."""
DEAD_UCRS = {45_100 + 83 * n: 2 * DAY + 3 * HOUR * n for n in range(60)}
"""Homes whose UCRs stop for good while the terminal goes on: number and second of the stop."""


class Home(NamedTuple):
    """One terminal with its UCRs; it reports every ``interval_s``, first at ``phase_s``."""

    number: int
    account: Account
    interval_s: int
    phase_s: int
    ucrs: int


def homes() -> list[Home]:
    """Return all homes."""
    return [_home(number) for number in range(DIGITAL + ANALOG)]


def _home(number: int) -> Home:
    digital = number < DIGITAL
    interval_s = DIGITAL_S if digital else ANALOG_S
    account = Account(
        account=f"{number:06}",
        home=f"H{number}",
        interval_s=interval_s,
        ucr_interval_s=interval_s,
        labels=(f"operator:{'abc'[number % 3]}", f"cell:{number % CELLS}") if digital else (),
    )
    return Home(number, account, interval_s, number * 7 * TICK_S % interval_s, 2 if number < TWO_UCRS else 1)


def at_s(day: date) -> int:
    """Return the second of the month when a day begins."""
    return (service_day(day, MADRID).began_us - BEGIN_US) // SECOND_US


ENDS = at_s(DAYS[-1] + timedelta(days=1))
SUSPENDED_S = (at_s(SUSPENDED_DAYS[0]), at_s(SUSPENDED_DAYS[1] + timedelta(days=1)))


def silences(number: int) -> list[tuple[int, int]]:
    """Return the silences of a terminal: begin and end of each."""
    found = []
    if number < DIGITAL and number % 3 == 0:
        found.append(OPERATOR_OUT)
    if number < DIGITAL and number % CELLS == CELL:
        found.append(CELL_OUT)
    if number in SUSPENDED:
        found.append(SUSPENDED_S)
    if number in DEAD:
        found.append((DEAD[number], ENDS))
    return found


def ucr_silences(number: int) -> list[tuple[int, int]]:
    """Return when the UCRs of a home are out of reach, or dead, while its terminal reports."""
    return ([AWAY_S] if number in AWAY else []) + ([(DEAD_UCRS[number], ENDS)] if number in DEAD_UCRS else [])


def pauses(number: int, *, ucr: bool) -> list[tuple[int, int]]:
    """Return the spans in which a device is not supervised."""
    return ([SUSPENDED_S] if number in SUSPENDED else []) + ([AWAY_S] if ucr and number in AWAY else [])


def is_regular(number: int) -> bool:
    """Return True if a home has no silences in the month, like most homes."""
    return not (silences(number) or ucr_silences(number))


@cache
def beats(interval_s: int, phase_s: int) -> list[int]:
    """Return when a device reports if it has no silences; no device is heard while the receiver is down."""
    return [second for second in range(phase_s, ENDS, interval_s) if not DOWN[0] <= second < DOWN[1]]


def heard(home: Home, *, ucr: bool) -> list[int]:
    """Return the seconds at which the receiver hears a device."""
    return _heard(home.number, home.interval_s, home.phase_s, ucr)


@cache
def _heard(number: int, interval_s: int, phase_s: int, ucr: bool) -> list[int]:  # noqa: FBT001 - a key
    regular = beats(interval_s, phase_s)
    if number in AWAY and not ucr:
        regular = sorted([*regular, *AWAY_S])  # a departure or a return is reported at once
    quiet = silences(number) + (ucr_silences(number) if ucr else [])
    return [second for second in regular if not within(second, quiet)] if quiet else regular


def within(second: int, spans: list[tuple[int, int]]) -> bool:
    """Return True if a second is in one of the spans."""
    return any(since <= second < until for since, until in spans)


def lost_at(home: Home, *, ucr: bool) -> list[int]:
    """Return the ticks at which a device is found lost: after three silent intervals, or one more after a restart.

    A UCR is found lost only while its terminal reports.
    """
    quiet = silences(home.number) if not ucr else ucr_silences(home.number)
    found = []
    for since, until in quiet:
        if within(since, pauses(home.number, ucr=ucr)):
            continue
        times = heard(home, ucr=ucr)
        last = times[bisect_left(times, since) - 1]
        at = last + ALLOWED * home.interval_s + TOLERANCE_S
        if DOWN[0] < at and last < DOWN[1]:
            # The receiver was down in that silence: this time does not count, and the device gets one more interval.
            at += DOWN[1] - DOWN[0] + home.interval_s
        tick = -(-at // TICK_S) * TICK_S
        if tick < min(until + home.interval_s, ENDS) and not any(at > back > last for back in times):
            found.append(tick)
    return found


class Day(NamedTuple):
    """The expected row of a device and a day in the ledger."""

    received: int
    supervised_s: int
    longest_s: int
    paused: bool


def day_of(home: Home, day: date, *, ucr: bool) -> Day:
    """Return a device's day according to the plan."""
    began, ends = at_s(day), at_s(day + timedelta(days=1))
    times = heard(home, ucr=ucr)
    first, last = bisect_left(times, began), bisect_left(times, ends)
    # The report of a UCR is also a sign of life of its terminal.
    through = 0 if ucr else home.ucrs * _between(heard(home, ucr=True), began, ends)
    supervised_s = ends - began - _overlap([DOWN], began, ends)
    paused = pauses(home.number, ucr=ucr)
    unsupervised_s = _overlap(paused, began, ends)
    # Silence counts again from the end of a pause, even if the device reports at the same tick.
    starts = sorted({0, *(until for _, until in paused)})
    begins = [since for since, _ in paused if began <= since < ends]
    longest_s = 0
    for second in [*times[first:last], *begins, *([] if within(ends - 1, paused) else [ends])]:
        if second in {ends, *begins} or not within(second, paused):
            before = bisect_left(times, second)
            since = max(starts[bisect_right(starts, second) - 1], times[before - 1] if before else 0)
            longest_s = max(longest_s, second - since - _overlap([DOWN], since, second))
    return Day(last - first + through, max(0, supervised_s - unsupervised_s), longest_s, bool(unsupervised_s))


def _between(times: list[int], began: int, ends: int) -> int:
    return bisect_left(times, ends) - bisect_left(times, began)


def _overlap(spans: list[tuple[int, int]], began: int, ends: int) -> int:
    return sum(max(0, min(until, ends) - max(since, began)) for since, until in spans)
