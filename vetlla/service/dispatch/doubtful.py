"""What is doubtful about emergencies that were recorded without the journal, as files and ``vetlla duties open`` do.

Nothing of it is impossible, because a part may be missing. But one call too much is a clock that starts too late or a
breach that was none, and a unit that was never sent may be a typing error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.codes import code_key
from vetlla.domain.emergencies import NO_NEWS_US
from vetlla.service.dispatch.emergency import UNIT, StreetEmergency, detail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vetlla.domain.duties import DutyEvent

_AT_HOME: Final = frozenset({"arrived", "access", "no_access"})
"""What only a unit that was sent can report."""


class PerhapsOne(NamedTuple):
    """Two emergencies of a home that may be one: the call of the later one came while the first one waited."""

    first: StreetEmergency
    later: StreetEmergency

    def reason(self, time: Callable[[int], str]) -> str:
        """Return in words what is doubtful; ``time`` writes a moment."""
        names = [one.standing.duty.ref or one.named for one in self]
        return (
            f"emergency {names[1]} of {self.first.home} began at {time(self.later.opened_us)}, when the home had"
            f" emergency {names[0]} since {time(self.first.opened_us)}: if they are one, its clock runs since then"
        )

    @property
    def remedy(self) -> str:
        """How to make them one."""
        return (
            f"vetlla duties withdraw {self.later.id} --reason TEXT, then vetlla duties event {self.first.id} repeated"
            f" --at TIME; give its rows in a file the reference of the first one"
        )


def repeated(emergencies: Iterable[StreetEmergency], window_us: int) -> Iterator[PerhapsOne]:
    """Yield the emergencies of a home that may be one, each later one with the first that it may belong to.

    A call belongs to an emergency until a unit has got in. It also does within the chaining time (``window_us``) after
    the unit got in, until the emergency is finished, and after an emergency ended without a unit in the home. Those
    with the same first communication have the right clock and are left out.
    """
    every = sorted((one for one in emergencies if not one.is_retyped), key=lambda one: (one.opened_us, one.id))
    for place, later in enumerate(every):
        for first in every[:place]:
            if first.opened_us < later.opened_us <= _until_us(first, window_us):
                yield PerhapsOne(first, later)
                break


def _until_us(one: StreetEmergency, window_us: int) -> int:
    """Return until when a call of the home belongs to an emergency."""
    if one.access_us is not None:
        return one.access_us + (window_us if one.is_open else 0)
    return one.news_us + NO_NEWS_US if one.ended_us is None else one.ended_us + window_us


class NotSent(NamedTuple):
    """A unit that reported from the home, though only others were sent."""

    event: DutyEvent
    unit: str

    @property
    def reason(self) -> str:
        """What is doubtful, in words."""
        return f"{self.event.told.event} is told of unit {self.unit}, which was not sent there"


def not_sent(one: StreetEmergency) -> Iterator[NotSent]:
    """Yield what units reported that were not sent. If no event says which unit was sent, nothing is doubtful."""
    events = one.standing.duty.events
    sent = {code_key(detail(event, UNIT)) for event in events if event.told.event == "sent"} - {""}
    for event in events if sent else ():
        unit = detail(event, UNIT)
        if event.told.event in _AT_HOME and unit and code_key(unit) not in sent:
            yield NotSent(event, unit)
