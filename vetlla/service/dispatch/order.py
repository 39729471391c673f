"""The order in which open emergencies should get a unit, with the reason of each.

Type I comes before type II. In a type the one with the least time left comes first. That also holds if nothing is left,
because that person has waited for the longest time. An emergency of which nothing was recorded for a day
(``NO_NEWS_US``) is a record without its end: it comes last, and no unit is proposed for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import SECOND_US, stretch
from vetlla.domain.emergencies import EmergencyType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.dispatch.units import Proposal


class StreetMarks(NamedTuple):
    """Times after the first communication, in microseconds."""

    share_us: int
    """In which a share of the emergencies of type I has to be reached: 30 minutes."""
    escalate_us: int
    """After which an emergency without a unit is put before a supervisor."""
    warn_us: int
    """Time before the end of the limit at which the board warns."""


class Line(NamedTuple):
    """An open emergency on the board."""

    emergency: StreetEmergency
    left_us: int | None
    """Time left until the limit; negative if it has passed, None if the unit has got in."""
    to_share_us: int | None
    """Time left until the mark of the share; None for type II, or if the unit has got in."""
    is_escalated: bool
    """It has been without a unit for too long."""
    has_no_news: bool
    """Nothing was recorded of it for a day."""
    proposal: Proposal | None
    """The unit that should go, if one is free for it."""
    why: str


def needs_unit(one: StreetEmergency) -> bool:
    """Return True if an emergency waits and no unit goes there."""
    return one.waits and not one.unit


def in_order(emergencies: Iterable[StreetEmergency], now_us: int) -> list[StreetEmergency]:
    """Return open emergencies in order: those that need a unit, that wait for theirs, attended ones, without news."""
    return sorted(emergencies, key=lambda one: (one.has_no_news(now_us), _key(one)))


def _key(one: StreetEmergency) -> tuple[bool, bool, bool, int, int, int]:
    due_us = one.standing.due_us
    is_second = one.type is EmergencyType.II
    return (not one.waits, bool(one.unit), is_second, due_us or one.opened_us, one.opened_us, one.id)


def board(
    emergencies: Iterable[StreetEmergency],
    proposals: Callable[[StreetEmergency], Sequence[Proposal]],
    marks: StreetMarks,
    now_us: int,
) -> list[Line]:
    """Return the lines of the board. ``proposals`` are the free units for an emergency, the nearest first.

    A unit is proposed for one emergency only: the first in order gets its nearest.
    """
    lines: list[Line] = []
    taken: set[str] = set()
    ahead: StreetEmergency | None = None
    for one in in_order(emergencies, now_us):
        proposal = None
        if needs_unit(one) and not one.has_no_news(now_us):
            proposal = next((free for free in proposals(one) if free.unit.code not in taken), None)
            if proposal:
                taken.add(proposal.unit.code)
        lines.append(_line(one, proposal, marks, now_us, ahead))
        ahead = one
    return lines


def _line(
    one: StreetEmergency, proposal: Proposal | None, marks: StreetMarks, now_us: int, ahead: StreetEmergency | None
) -> Line:
    due_us = one.standing.due_us
    left_us = due_us - now_us if one.waits and due_us is not None else None
    is_first = one.type is EmergencyType.I
    to_share = one.opened_us + marks.share_us - now_us if one.waits and is_first else None
    escalated = is_escalated(one, marks, now_us)
    no_news = one.has_no_news(now_us)
    why = _of_no_news(one, now_us) if no_news else _why(one, left_us, to_share, proposal, ahead)
    return Line(one, left_us, to_share, escalated, no_news, proposal, why)


def is_escalated(one: StreetEmergency, marks: StreetMarks, now_us: int) -> bool:
    """Return True if an emergency has been without a unit for too long since its first communication."""
    return needs_unit(one) and now_us - one.opened_us > marks.escalate_us and not one.has_no_news(now_us)


def how_to_end(one: StreetEmergency) -> str:
    """Return the command that records the end of an emergency without news."""
    if one.access_us is None and one.no_access_us is None:
        steps = "access and finished" if one.unit else "send, access and finished"
        return f"vetlla dispatch cancelled {one.label} --reason WHY --at TIME, or if a unit was there: {steps}"
    return f"vetlla dispatch finished {one.label} --at TIME"


def _why(
    one: StreetEmergency,
    left_us: int | None,
    to_share_us: int | None,
    proposal: Proposal | None,
    ahead: StreetEmergency | None,
) -> str:
    if left_us is None:
        if one.is_attended:
            return "The unit has got in, and the emergency is not finished."
        if one.unit and one.shut_out_us is None:
            return f"A unit could not get in before. Unit {one.unit} {_way(one)}."
        return "The unit could not get in, and the emergency is not finished."
    sentences = [_of_time(one, left_us, to_share_us)]
    if one.unit:
        sentences.append(f"Unit {one.unit} {_way(one)}.")
    else:
        if ahead is not None and needs_unit(ahead):
            sentences.append(_after(one, ahead))
        if proposal:
            sentences.append(f"Unit {proposal.unit.code} should go: {proposal.why}.")
        else:
            sentences.append("No unit is free for it: those before it need the free ones, or none is free.")
    return " ".join(sentences)


def _of_no_news(one: StreetEmergency, now_us: int) -> str:
    unit = f"unit {one.unit} counts as free" if one.unit else "no unit is proposed for it"
    return (
        f"Nothing was recorded of it for {minutes(now_us - one.news_us)}, so {unit}. If it is over, record its end:"
        f" {how_to_end(one)}."
    )


def _way(one: StreetEmergency) -> str:
    if one.shut_out_us:
        return "could not get in"
    return "is at the door" if one.arrived_us else "is on the way"


def _of_time(one: StreetEmergency, left_us: int, to_share_us: int | None) -> str:
    if left_us < 0:
        return (
            f"Type {one.type}: its limit passed {minutes(-left_us)} ago, so it can no longer be reached in time."
            " It keeps its place, because this person has waited the longest."
        )
    if to_share_us is None:
        return f"Type {one.type}: {minutes(left_us)} are left."
    if to_share_us < 0:
        return f"Type {one.type}: {minutes(left_us)} are left, and the mark of the share has passed."
    return f"Type {one.type}: {minutes(left_us)} are left, {minutes(to_share_us)} to the mark of the share."


def _after(one: StreetEmergency, ahead: StreetEmergency) -> str:
    which = f"the emergency of {ahead.named}"
    if one.type is not ahead.type:
        return f"It comes after {which}, because type I comes first."
    return f"It comes after {which}, which has less time left."


def minutes(span_us: int) -> str:
    """Return a time span in words, to the second."""
    return stretch(span_us // SECOND_US)
