"""The alarms of the generated year, with planted breaches of ANS 5 and 6, and those that opened its emergencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.alarms import AlarmOutcome
from vetlla.domain.clock import SECOND_US
from vetlla.domain.signals import Event, Kind, Phase, Priority
from vetlla.simulator.service_year.standards import LATE, waits
from vetlla.simulator.service_year.telling import Planted

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Mapping, Sequence

    from vetlla.simulator.service_year.days import Month
    from vetlla.simulator.service_year.standards import Answering
    from vetlla.simulator.service_year.telling import DutyStory

ESTABLISHED: Final = 10
"""Month in which some communications took too long until they were ready (ANS 5)."""
T2_MAX_US: Final = 20 * SECOND_US
"""Tender 20220428, section 16.5: *t2* is at most 20 s."""
CODES: Final = "ADM-CID"
URGENT: Final = (
    Event(Kind.PERSONAL_EMERGENCY, Phase.NEW, "101", CODES),
    Event(Kind.PERSONAL_EMERGENCY, Phase.NEW, "101", CODES),
    Event(Kind.PERSONAL_EMERGENCY, Phase.NEW, "101", CODES),
    Event(Kind.SMOKE, Phase.NEW, "111", CODES),
    Event(Kind.GAS, Phase.NEW, "151", CODES),
)
TECHNICAL: Final = (
    Event(Kind.BATTERY_LOW, Phase.NEW, "302", CODES),
    Event(Kind.MAINS_LOST, Phase.NEW, "301", CODES),
    Event(Kind.PATH_TROUBLE, Phase.NEW, "350", CODES),
)
OUTCOMES: Final = (AlarmOutcome.HANDLED_BY_VOICE, AlarmOutcome.FALSE_ALARM, AlarmOutcome.CONTACT_WENT)
OPERATORS: Final = 60
LEAST_T2_US: Final = 300_000
"""Shortest *t2* of an ordinary alarm; the longest one is ``MOST_T2_US``."""
MOST_T2_US: Final = 9 * SECOND_US


@dataclass(slots=True)
class AlarmStory:
    """A terminal's communication and the alarm that it opened."""

    established_us: int
    home: str
    event: Event
    priority: Priority
    t2_us: int
    outcome: AlarmOutcome
    wait_us: int | None = None
    """*t3*; None if the share of its month decides it."""
    operator: int = 0
    handling_us: int = 240 * SECOND_US
    """From the answer to the end."""
    duty: DutyStory | None = None
    """The emergency that it opened."""
    planted: tuple[int, str, str] | None = None
    """Standard, way and verdict."""

    def plan_lines(self, number: int, month: str) -> Iterator[Planted]:
        """Yield the line of the plan about it, if it was planted."""
        if self.planted:
            ans, way, verdict = self.planted
            yield Planted("alarm", self.home, str(number), way, verdict, ans=ans, month=month)


class AlarmYear:
    """Tells the alarms of a year, month by month."""

    def __init__(
        self, profile: Mapping[str, Any], share: float, homes: Sequence[str], limits: Answering, rng: random.Random
    ) -> None:
        self._numbers = {name: max(1, round(profile[name] * share)) for name in ("urgent_a_month", "technical_a_month")}
        self._homes = homes
        self._limits = limits
        self._rng = rng

    def month(self, month: Month, emergencies: Sequence[DutyStory], turns: int) -> list[AlarmStory]:
        """Return the alarms of a month in the order in which they are ready; one is of each emergency."""
        opened = [self._alarm(duty.events[0].at_us, URGENT, duty) for duty in emergencies]
        others = max(1, self._numbers["urgent_a_month"] - len(opened))
        urgent = [*opened, *(self._alarm(month.moment("always"), URGENT) for _ in range(others))]
        technical = [self._alarm(month.moment("always"), TECHNICAL) for _ in range(self._numbers["technical_a_month"])]
        number = month.days[0].month
        for _ in range(turns):
            urgent += self._planted(month, number)
        for group in (urgent, technical):
            given = [one.wait_us for one in group if one.wait_us is not None]
            free = [one for one in group if one.wait_us is None]
            for one, wait_us in zip(free, waits(number, len(free), given, self._limits, self._rng), strict=True):
                one.wait_us = wait_us
        return sorted([*urgent, *technical], key=lambda one: one.established_us + one.t2_us)

    def _alarm(self, at_us: int, events: Sequence[Event], duty: DutyStory | None = None) -> AlarmStory:
        return AlarmStory(
            established_us=at_us,
            home=duty.subject if duty else self._rng.choice(self._homes),
            event=self._rng.choice(events),
            priority=Priority.LIFE if events is URGENT else Priority.TECHNICAL,
            t2_us=self._rng.randrange(LEAST_T2_US, MOST_T2_US),
            outcome=AlarmOutcome.HELP_SENT
            if duty
            else AlarmOutcome.TECHNICAL
            if events is TECHNICAL
            else self._rng.choice(OUTCOMES),
            operator=self._rng.randrange(OPERATORS),
            handling_us=(30 + self._rng.randrange(600)) * SECOND_US,
            duty=duty,
        )

    def _planted(self, month: Month, number: int) -> Iterator[AlarmStory]:
        never_us = self._limits.never_over_us
        ways: Sequence[tuple[int, str, str, int, int | None]] = ()
        if number == LATE:
            ways = (
                (6, "waited for a microsecond too long", "breached", SECOND_US, never_us + 1),
                (6, "waited for twice as long", "breached", SECOND_US, 2 * never_us),
                (6, "waited as long as ever is allowed", "kept", SECOND_US, never_us),
            )
        elif number == ESTABLISHED:
            ways = (
                (5, "ready a microsecond too late", "breached", T2_MAX_US + 1, None),
                (5, "ready after three times as long", "breached", 3 * T2_MAX_US, None),
                (5, "ready at the last moment", "kept", T2_MAX_US, None),
            )
        for ans, way, verdict, t2_us, wait_us in ways:
            one = self._alarm(month.moment("always"), URGENT)
            one.t2_us, one.wait_us, one.planted = t2_us, wait_us, (ans, way, verdict)
            yield one
