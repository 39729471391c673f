"""The telephone calls of the generated year, with planted breaches of ANS 6 and 7 and calls that the agenda counts.

Ordinary calls are of homes, contacts and services; each of them is registered, recorded and in a file. Calls that came
in fulfil some follow-ups (``AwaitedCall``), and near misses of that are planted too (``agenda.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.domain.clock import SECOND_US
from vetlla.simulator.service_year.standards import LATE, waits
from vetlla.simulator.service_year.telling import Planted

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from vetlla.simulator.service_year.days import Month
    from vetlla.simulator.service_year.standards import Answering

AGENTS: Final = 60
UNKNOWN_NUMBERS: Final = "891"
"""First digits of the numbers of contacts, services and strangers: Spain assigns no number that begins so."""
WITHHELD: Final = "anonymous"
"""What Asterisk writes for a caller whose number is withheld."""
PARTIES: Final = ("contact", "service", "applicant")
PARTY_PERCENT: Final = 12
"""Share of the calls of people who live in none of the homes."""
ABANDONED_PERCENT: Final = 5
"""Share of the calls in whose callers hang up before an operator answers."""
UNANSWERED_PERCENT: Final = 20
"""Share of the calls out that no person answers."""
SHORT_TALK: Final = 29
"""Most seconds of a call in of a home with planted calls of the agenda, which it must not fulfil."""


class Ended(StrEnum):
    """How a call ended."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    NO_ANSWER = "no_answer"
    UNTOLD = "untold"
    """The log of the queue has no line about its end."""


class Proof(StrEnum):
    """What is kept of a call's recording."""

    WHOLE = "whole"
    NO_HASH = "no_hash"
    NONE = "none"


class PlantedCall(NamedTuple):
    """What a call is planted as."""

    ans: int
    way: str
    verdict: str


@dataclass(slots=True)
class CallStory:
    """A call from its begin to its end."""

    at_us: int
    """When it began, to the second."""
    phone: str
    home: str = ""
    is_in: bool = True
    ended: Ended = Ended.ANSWERED
    wait_us: int | None = None
    """How long the caller waited; None if the share of its month decides it."""
    talk_s: int = 120
    party: str = ""
    proof: Proof = Proof.WHOLE
    planted: list[PlantedCall] = field(default_factory=list)
    agent: int = 0

    @property
    def is_timed(self) -> bool:
        """Return True if it has a *t3*."""
        return self.is_in and self.ended is Ended.ANSWERED


class AwaitedCall(NamedTuple):
    """A follow-up that a call of its home fulfils: from when to when."""

    home: str
    begin_us: int
    end_us: int


@dataclass(slots=True)
class Callers:
    """Who calls, and who must not call for long."""

    phones: Mapping[str, str]
    """The first number of each home."""
    homes: Sequence[str]
    """Homes with ordinary calls."""
    watched: Collection[str]
    """Homes with planted calls of the agenda that no call may fulfil."""


class CallYear:
    """Tells the calls of a year, month by month."""

    def __init__(
        self, profile: Mapping[str, Any], share: float, callers: Callers, limits: Answering, rng: random.Random
    ) -> None:
        self._numbers = {way: max(1, round(profile[way] * share)) for way in ("in_a_month", "out_a_month")}
        self._callers = callers
        self._limits = limits
        self._rng = rng

    def month(self, month: Month, others: Sequence[CallStory], turns: int) -> list[CallStory]:
        """Return the calls of a month in the order of their begin; ``others`` are those that the agenda awaits."""
        found = [*others, *self._incoming(month), *self._outgoing(month), *planted_calls(month, self, turns)]
        number = month.days[0].month
        given = [one.wait_us for one in found if one.is_timed and one.wait_us is not None]
        free = [one for one in found if one.is_timed and one.wait_us is None]
        for one, wait_us in zip(free, waits(number, len(free), given, self._limits, self._rng), strict=True):
            one.wait_us = wait_us
        for one in found:
            one.agent = self._rng.randrange(AGENTS)
        return sorted(found, key=lambda one: one.at_us)

    @property
    def limits(self) -> Answering:
        """The limits of ANS 6."""
        return self._limits

    def stranger(self) -> str:
        """Return a number of no home."""
        return f"{UNKNOWN_NUMBERS}{self._rng.randrange(10**6):06}"

    def of_home(self, at_us: int, *, is_in: bool = True) -> CallStory:
        """Return an ordinary call of a random home."""
        home = self._rng.choice(self._callers.homes)
        most = SHORT_TALK if is_in and home in self._callers.watched else 400
        return CallStory(at_us, self._callers.phones[home], home, is_in, talk_s=10 + self._rng.randrange(most - 9))

    def _incoming(self, month: Month) -> Iterator[CallStory]:
        for _ in range(self._numbers["in_a_month"]):
            # Two of three come in office hours, so that the day has a band with the highest inflow (clause 13.1.f).
            one = self._of_anyone(month.moment("office" if self._rng.randrange(3) else "always"), is_in=True)
            if self._rng.randrange(100) < ABANDONED_PERCENT:
                one.ended, one.wait_us = Ended.ABANDONED, (1 + self._rng.randrange(60)) * SECOND_US
            yield one

    def _outgoing(self, month: Month) -> Iterator[CallStory]:
        for _ in range(self._numbers["out_a_month"]):
            one = self._of_anyone(month.moment("office"), is_in=False)
            one.wait_us = (3 + self._rng.randrange(25)) * SECOND_US
            if self._rng.randrange(100) < UNANSWERED_PERCENT:
                one.ended = Ended.NO_ANSWER
            yield one

    def _of_anyone(self, at_us: int, *, is_in: bool) -> CallStory:
        if self._rng.randrange(100) < PARTY_PERCENT:
            talk_s = 10 + self._rng.randrange(400)
            return CallStory(at_us, self.stranger(), is_in=is_in, talk_s=talk_s, party=self._rng.choice(PARTIES))
        return self.of_home(at_us, is_in=is_in)


def awaited(one: AwaitedCall, phone: str, least_s: int, rng: random.Random) -> CallStory:
    """Return a call that came in and fulfils a follow-up."""
    span_s = (one.end_us - one.begin_us) // SECOND_US
    at_us = one.begin_us + rng.randrange(span_s * 9 // 10) * SECOND_US
    return CallStory(at_us, phone, one.home, talk_s=least_s + rng.randrange(300))


# --- planted ----------------------------------------------------------------------------------------------------------


def planted_calls(month: Month, year: CallYear, turns: int) -> Iterator[CallStory]:
    """Yield the planted calls of a month: those of ANS 6 in one month, those of ANS 7 in another one each."""
    number = month.days[0].month
    for _ in range(turns):
        if number == LATE:
            yield from _too_late(month, year)
        yield from (one for place, one in enumerate(_proofs(month, year)) if place % 12 + 1 == number)


def _too_late(month: Month, year: CallYear) -> Iterator[CallStory]:
    never_us = year.limits.never_over_us
    ways = (
        ("waited for a microsecond too long", "breached", never_us + 1),
        ("waited for a quarter of a minute too long", "breached", never_us + 15 * SECOND_US),
        ("waited as long as ever is allowed", "kept", never_us),
    )
    for way, verdict, wait_us in ways:
        yield _marked(year.of_home(month.moment("always")), 6, way, verdict, wait_us=wait_us)
    last_us = month.calendar.end_of(month.days[-1]) + 1 - SECOND_US
    way = "began in the last second of the month, and waited too long"
    yield _marked(year.of_home(last_us), 6, way, "breached", wait_us=never_us + SECOND_US)
    abandoned = year.of_home(month.moment("always"))
    abandoned.ended = Ended.ABANDONED
    yield _marked(abandoned, 6, "given up after twice that time", "kept", wait_us=2 * never_us)


def _proofs(month: Month, year: CallYear) -> Iterator[CallStory]:
    """Yield calls of which a proof of ANS 7 is missing, and calls of which it may be."""

    def at_us() -> int:
        return month.moment("office")

    def changed(one: CallStory, way: str, verdict: str, **values: Any) -> CallStory:  # noqa: ANN401 - of any field
        return _marked(one, 7, way, verdict, **values)

    def out() -> CallStory:
        return year.of_home(at_us(), is_in=False)

    yield changed(year.of_home(at_us()), "not recorded", "breached", proof=Proof.NONE)
    yield changed(year.of_home(at_us()), "recorded without a hash", "breached", proof=Proof.NO_HASH)
    yield changed(out(), "a call out, not recorded", "breached", proof=Proof.NONE, wait_us=9 * SECOND_US)
    yield changed(CallStory(at_us(), year.stranger()), "a number of no home", "breached")
    yield changed(CallStory(at_us(), WITHHELD), "a withheld number", "breached")
    untold = {"ended": Ended.UNTOLD, "proof": Proof.NONE}
    yield changed(year.of_home(at_us()), "its end is not known", "breached", **untold)
    contact = CallStory(at_us(), year.stranger(), party="contact")
    yield changed(contact, "a number of no home, of a contact", "kept")
    given_up = {"ended": Ended.ABANDONED, "proof": Proof.NONE, "wait_us": 40 * SECOND_US}
    yield changed(year.of_home(at_us()), "given up, and so not recorded", "kept", **given_up)
    unanswered = {"ended": Ended.NO_ANSWER, "proof": Proof.NONE, "wait_us": 25 * SECOND_US}
    yield changed(out(), "a call out without an answer, and so not recorded", "kept", **unanswered)


def _marked(one: CallStory, ans: int, way: str, verdict: str, **values: Any) -> CallStory:  # noqa: ANN401 - of any field
    for name, value in values.items():
        setattr(one, name, value)
    one.planted.append(PlantedCall(ans, way, verdict))
    return one


def plan_lines(one: CallStory, unique: str, month: str) -> Iterator[Planted]:
    """Yield the lines of the plan about a call."""
    for ans, way, verdict in one.planted:
        yield Planted("call", one.home, unique, way, verdict, ans=ans, month=month)
