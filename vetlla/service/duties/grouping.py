"""Groups the events of one subject and kind into duties.

An event says what it is about and when it happened; which duty it belongs to is computed here and never stored. So the
same events make the same duties in whatever order they were imported. An event belongs to

1. the duty that its writer named (``NewEvent.duty``);
2. else the duty whose opening has the same reference;
3. else the duty of its subject that was open at that time, if there is exactly one.

An event that finds no duty, or several, is ``loose``: it decides nothing, and ``vetlla duties check`` shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.duties import Duty, standing_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vetlla.domain.duties import DutyEvent
    from vetlla.service.duties.kinds import DutyKind


class Grouped(NamedTuple):
    """The duties of one subject and kind, and the events that belong to none of them."""

    duties: list[Duty]
    loose: list[DutyEvent]


def group(kind: DutyKind, events: Iterable[DutyEvent]) -> Grouped:
    """Return the duties of one subject, in order of their opening. ``events`` may be in any order."""
    ordered = sorted(standing_events(events), key=_when)
    opens = kind.opens
    ended = frozenset((*kind.ends, *kind.cancels))
    openings: list[DutyEvent] = []
    by_ref: dict[str, int] = {}
    members: dict[int, list[DutyEvent]] = {}
    others: list[DutyEvent] = []
    of_opening: dict[int, int] = {}
    for event in ordered:
        told = event.told
        if told.event != opens:
            others.append(event)
        elif told.ref and told.ref in by_ref:  # told twice, with two times: the first one opened it
            of_opening[event.id] = by_ref[told.ref]
            members[by_ref[told.ref]].append(event)
        else:
            openings.append(event)
            members[event.id] = [event]
            of_opening[event.id] = event.id
            if told.ref:
                by_ref[told.ref] = event.id
    over: set[int] = set()
    loose: list[DutyEvent] = []
    for event in others:
        told = event.told
        number = of_opening.get(told.duty) if told.duty else by_ref.get(told.ref) if told.ref else None
        if number is None and not told.duty:
            number = _only_open(openings, over, told.at_us)
        if number is None:
            loose.append(event)
            continue
        members[number].append(event)
        if told.event in ended:
            over.add(number)
        elif told.event in kind.reopens:
            over.discard(number)
    return Grouped([_duty(opening, members[opening.id]) for opening in openings], loose)


def _when(event: DutyEvent) -> tuple[int, int]:
    return event.told.at_us, event.id


def _only_open(openings: Sequence[DutyEvent], over: set[int], at_us: int) -> int | None:
    """Return the duty that was open at a time, if there is exactly one."""
    found = [one.id for one in openings if one.told.at_us <= at_us and one.id not in over]
    return found[0] if len(found) == 1 else None


def _duty(opening: DutyEvent, events: Sequence[DutyEvent]) -> Duty:
    if events[0] is not opening:  # an event with its reference may be earlier
        events = [opening, *(one for one in events if one is not opening)]
    return Duty(opening.id, opening.told.kind, opening.told.subject, tuple(events))
