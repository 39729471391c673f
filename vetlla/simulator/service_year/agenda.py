"""Follow-ups of the generated year that a call of the home fulfils, or does not.

Tender 20220428, section 5: calls of the agenda may be made when the user calls in. ``calls import`` counts a call that
was answered, lasted long enough, is tied to the home, and came within the time of exactly one open follow-up.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import SECOND_US
from vetlla.simulator.service_year.calls import WITHHELD, CallStory, Ended, PlantedCall
from vetlla.simulator.service_year.telling import DutyStory, Planted, ToldEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.simulator.service_year.days import YearCalendar
    from vetlla.simulator.service_year.telling import Facts

FROM_DAY, UNTIL_DAY = 5, 20
"""The days of a month between which each planted follow-up is due."""
HOUR: Final = 11


class CallWay(NamedTuple):
    """One way in which a call fulfils a follow-up, or nearly."""

    name: str
    verdict: str
    day: int
    talk_over_s: int = 60
    """How much longer than necessary the talk is; negative if it is too short."""
    ended: Ended = Ended.ANSWERED
    shared: bool = False
    """Whether the caller's number is also that of another home."""
    withheld: bool = False
    """Whether the caller's number is withheld."""
    is_in: bool = True


WAYS: Final = (
    CallWay("a call that came in", "kept", 12),
    CallWay("a call of exactly the least time", "kept", 12, talk_over_s=0),
    CallWay("a call on the last day", "kept", UNTIL_DAY),
    CallWay("a call that is a second too short", "breached", 12, talk_over_s=-1),
    CallWay("a call on the day before", "breached", FROM_DAY - 1),
    CallWay("a call on the day after", "breached", UNTIL_DAY + 1),
    CallWay("a call that was given up", "breached", 12, ended=Ended.ABANDONED),
    CallWay("a call with a number of two homes", "breached", 12, shared=True),
    CallWay("a call with a withheld number", "breached", 12, withheld=True),
    CallWay("a call out, which the agenda itself would have recorded", "breached", 12, is_in=False),
)
"""Each is planted in a month of its own, from February on, so that one home is enough for all of them."""


class PlantedHome(NamedTuple):
    """The home in which these follow-ups are planted. No other call of it lasts long enough."""

    code: str
    phone: str
    shared_phone: str


class PlantedFollowUp(NamedTuple):
    """A follow-up, the call of its home, and the line of the plan."""

    duty: DutyStory
    call: CallStory
    planned: Planted


def planted_follow_ups(
    one: Facts, home: PlantedHome, turn: int, calendar: YearCalendar, least_s: int
) -> Iterator[PlantedFollowUp]:
    """Yield a follow-up for each way, with its call; ``least_s`` is the least time of talk that counts."""
    for place, way in enumerate(WAYS):
        month = 2 + place
        begin, end = (date(calendar.year, month, day) for day in (FROM_DAY, UNTIL_DAY))
        promise = (calendar.at(begin, 0), calendar.end_of(end))
        opening = ToldEvent(one.kind.opens, calendar.at(begin - timedelta(days=3), 9), promise)
        duty = DutyStory(one.name, home.code, f"PL-{one.name}-call-{turn}-{place}", [opening])
        planned = Planted(
            one.name, home.code, duty.ref, way.name, way.verdict, ans=one.kind.ans, month=f"{calendar.year}-{month:02}"
        )
        yield PlantedFollowUp(
            duty, _call(way, home, calendar.at(date(calendar.year, month, way.day), HOUR), least_s), planned
        )


def _call(way: CallWay, home: PlantedHome, at_us: int, least_s: int) -> CallStory:
    call = CallStory(at_us, home.phone, home.code, way.is_in, way.ended, talk_s=least_s + way.talk_over_s)
    if way.ended is Ended.ABANDONED or not way.is_in:
        call.wait_us = 20 * SECOND_US
    if way.shared or way.withheld:
        call.phone, call.home = WITHHELD if way.withheld else home.shared_phone, ""
        call.planted.append(PlantedCall(7, f"{way.name}, so in no file", "breached"))
    return call
