"""Groups the events of one subject and kind into duties.

An event says what it is about and when it happened; which duty it belongs to is computed here and never stored. So the
same events make the same duties in whatever order they were imported. An event belongs to

1. the duty that its writer named (``NewEvent.duty``), unless the opening of that duty was taken back;
2. else the duty whose opening has the same reference; ``@`` and a time refer to an opening without one at that time;
3. else the duty of its subject that was open at that time, if there is exactly one.

An event that finds no duty, or several, is ``loose``: it decides nothing, and ``vetlla duties check`` shows it. So is
one that is older than the opening of its duty, because one of the two times is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import iso
from vetlla.domain.duties import Duty, standing_events

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vetlla.domain.duties import DutyEvent
    from vetlla.service.duties.kinds import DutyKind


class Grouped(NamedTuple):
    """The duties of one subject and kind, and the events that belong to none of them."""

    duties: list[Duty]
    loose: list[DutyEvent]


def group(kind: DutyKind, events: Iterable[DutyEvent]) -> Grouped:
    """Return the duties of one subject, in order of their opening. ``events`` may be in any order."""
    ordered = standing_events(events)
    if len(ordered) > 1:
        places = kind.places
        ordered.sort(key=lambda event: (event.told.at_us, places.get(event.told.event, LAST), event.told.ref, event.id))
    openings = _Openings(event for event in ordered if event.told.event == kind.opens)
    ended = frozenset((*kind.ends, *kind.cancels))
    over: set[int] = set()
    loose: list[DutyEvent] = []
    for event in ordered:
        told = event.told
        number = openings.of(event)
        if number is None:
            number = _only_open(openings.first, over, told.at_us)
        if number is None or not openings.put(number, event):
            loose.append(event)
        elif told.event in ended:
            over.add(number)
        elif told.event in kind.reopens:
            over.discard(number)
    return Grouped([Duty(one.id, one.told.kind, one.told.subject, tuple(events)) for one, events in openings], loose)


def unnamed(opened_us: int) -> str:
    """Return the text that refers to a duty without reference by the time of its opening."""
    return f"@{iso(opened_us)}"


LAST: Final = 1 << 16
"""The place of an event that the kind no longer knows: after the others of the same moment."""


class _Openings:
    """The openings of one subject in order of time, each with the events of its duty."""

    def __init__(self, openings: Iterable[DutyEvent]) -> None:
        self.first: list[DutyEvent] = []
        self._members: dict[int, list[DutyEvent]] = {}
        self._by_ref: dict[str, int] = {}
        self._of: dict[int, int] = {}
        for event in openings:
            number = self._by_ref.setdefault(event.told.ref, event.id) if event.told.ref else event.id
            self._of[event.id] = number
            if number == event.id:
                self.first.append(event)  # else it is told twice, with two times: the first one opened the duty
                self._members[number] = []

    def __iter__(self) -> Iterator[tuple[DutyEvent, list[DutyEvent]]]:
        return ((one, self._members[one.id]) for one in self.first)

    def of(self, event: DutyEvent) -> int | None:
        """Return the duty that an event opens, or names by number or reference; None if there is no such duty."""
        told = event.told
        named = self._of.get(event.id) or self._of.get(told.duty)
        if named is not None:
            return named
        found = self._by_ref.get(told.ref) if told.ref else None
        if found is None and told.ref.startswith("@"):
            return next(
                (one.id for one in self.first if not one.told.ref and unnamed(one.told.at_us) == told.ref), None
            )
        return found

    def put(self, number: int, event: DutyEvent) -> bool:
        """Add an event to a duty; return False if it is older than the opening."""
        members = self._members[number]
        if members or number == event.id:  # the opening is the first one
            members.append(event)
            return True
        return False


def _only_open(openings: Sequence[DutyEvent], over: set[int], at_us: int) -> int | None:
    """Return the duty that was open at a time, if there is exactly one."""
    found = [one.id for one in openings if one.told.at_us <= at_us and one.id not in over]
    return found[0] if len(found) == 1 else None
