"""Finds the first communication of an emergency: the clock of ANS 11 and 12 starts there (tender 20220428, 16).

The alarms of a home are one emergency while each of them comes before the chaining time has passed since the end of one
before it. That one may have been closed, also as a false alarm. When in doubt the clock starts earlier.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.alarms import AlarmOutcome
from vetlla.domain.clock import SECOND_US, stretch
from vetlla.domain.signals import Kind, Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from vetlla.domain.alarms import Alarm

_EMERGENCY: Final = frozenset({Priority.LIFE, Priority.HOME_RISK})
"""Priorities for which help is sent, as ``service/queue/emergencies.py`` has them."""
_DOUBTFUL: Final = frozenset({Kind.UNKNOWN, Kind.UNREADABLE})
"""Kinds of reports that could not be understood: each may have been the call."""


class Chained(NamedTuple):
    """An earlier alarm of the emergency, and the later one that it leads to."""

    alarm: Alarm
    to: Alarm


class FirstCommunication(NamedTuple):
    """The alarms of an emergency up to one of them, and when the first communication came."""

    alarm: Alarm
    """The alarm that was asked about."""
    chain: tuple[Chained, ...]
    """The earlier alarms of the emergency, the latest first."""
    at_us: int
    """When the first communication was established: the start of the clock."""

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """All alarms of the emergency, the earliest first."""
        return (*(one.alarm for one in reversed(self.chain)), self.alarm)

    @property
    def first(self) -> Alarm:
        """The alarm that the first communication opened."""
        return min(self.alarms, key=lambda one: (one.established_us, one.opened_us, one.id))


def may_begin(alarm: Alarm) -> bool:
    """Return True if an alarm may be a communication of an emergency.

    That is a call for which help is sent, and what could not be read. A test counts only if the account was on test and
    the alarm was closed as a test: a call that came at such a moment is an emergency until a person said otherwise.
    """
    if alarm.on_test and alarm.outcome is AlarmOutcome.TEST:
        return False
    return alarm.priority in _EMERGENCY or alarm.kind in _DOUBTFUL


def first_communication(
    alarm: Alarm, others: Iterable[Alarm], window_us: int, attended: Collection[int] = ()
) -> FirstCommunication:
    """Return the emergency of an alarm. ``others`` are alarms of its home, in any order.

    ``attended`` are the numbers of alarms that belong to an emergency in which a unit has already got in: they start no
    other clock.
    """
    known = {one.id: one for one in others if one.id not in attended and _key(one) < _key(alarm)}
    known.pop(alarm.id, None)
    members = [alarm]
    chain: list[Chained] = []
    continued = {alarm.chained_to}
    earliest = alarm
    for one in sorted(known.values(), key=_key, reverse=True):
        # Every member is later than this alarm, so only the earliest member has to be compared.
        follows = one.closed_us is None or earliest.opened_us - one.closed_us <= window_us
        if one.id in continued or (follows and may_begin(one)):
            later = next((member for member in members if member.chained_to == one.id), earliest)
            chain.append(Chained(one, later))
            members.append(one)
            continued.add(one.chained_to)
            earliest = one
    return FirstCommunication(alarm, tuple(chain), min(one.established_us for one in members))


def _key(alarm: Alarm) -> tuple[int, int]:
    return alarm.opened_us, alarm.id


def reasons(found: FirstCommunication, window_us: int, time: Callable[[int], str]) -> Iterator[str]:
    """Yield in sentences why the clock starts there; ``time`` writes a moment, given in microseconds UTC."""
    first = found.first
    what = f"alarm {first.id} ({first.why})" if first.why else f"alarm {first.id}"
    yield f"The clock starts at {time(found.at_us)} with the first communication of {what}."
    if first.opened_us - found.at_us > window_us and first.chained_to:
        yield f"The receiver had chained it to alarm {first.chained_to}, which the journal no longer has."
    for one, later in reversed(found.chain):
        yield _link(one, later, window_us)


def _link(one: Alarm, later: Alarm, window_us: int) -> str:
    again = f"Alarm {later.id} belongs to the same emergency as alarm {one.id}, "
    if one.closed_us is None or one.closed_us >= later.opened_us:
        return again + f"which was still open when alarm {later.id} came."
    passed_us = later.opened_us - one.closed_us
    if passed_us > window_us:
        return again + "because the receiver chained it."
    passed, window = (stretch(span_us // SECOND_US) for span_us in (passed_us, window_us))
    outcome = one.outcome.value if one.outcome else "without an outcome"
    return (
        f"{again}because it came {passed} after that one was closed ({outcome}), within the chaining time of {window}"
        " (parameter umo.chaining_minutes)."
    )
