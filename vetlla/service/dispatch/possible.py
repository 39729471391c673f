"""Which events of an emergency contradict each other, so that one of them is wrong.

An emergency has stages: units are sent and come, one of them gets in, and it ends. An event of a later stage that lies
before one of an earlier stage is impossible. So is a second end, and calling off what a unit has reached. An event that
is only missing contradicts nothing, because another file may bring it: in which order files come makes no difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import iso
from vetlla.domain.duties import Impossible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vetlla.domain.duties import Duty, DutyEvent

_ENDS: Final = ("finished", "cancelled", "retyped")
_REACHED: Final = ("access", "no_access")
_STAGE: Final = {
    **dict.fromkeys(("sent", "recalled", "arrived", "no_access"), 1),
    "access": 2,
    **dict.fromkeys(_ENDS, 3),
}
_SAID: Final = {
    "sent": "a unit was sent",
    "recalled": "the unit was called away",
    "arrived": "the unit arrived",
    "no_access": "a unit came and could not get in",
    "access": "a unit got in",
    "finished": "the emergency was finished",
    "cancelled": "the emergency was cancelled",
    "retyped": "the emergency got another type",
}


def impossible(duty: Duty, time: Callable[[int], str] = iso) -> list[Impossible]:
    """Return the events of an emergency that were not possible at their time, each with what stands in the way.

    ``time`` writes a moment, given in microseconds UTC.
    """
    pairs = list(_too_early(duty.events))
    wrong = {event.id for event, _ in pairs}
    pairs += _after_the_end([event for event in duty.events if event.id not in wrong])
    pairs.sort(key=lambda pair: (pair[0].told.at_us, pair[0].id))
    return [Impossible(event, _reason(event, because, time), because) for event, because in pairs]


def _too_early(events: Sequence[DutyEvent]) -> Iterator[tuple[DutyEvent, DutyEvent]]:
    """Yield the events that lie before one of an earlier stage."""
    last: dict[int, DutyEvent] = {}
    for event in reversed(events):
        stage = _STAGE.get(event.told.event)
        if stage is None:
            continue
        earlier = (last[number] for number in range(1, stage) if number in last)
        because = next((one for one in earlier if one.told.at_us > event.told.at_us), None)
        if because is not None:
            yield event, because
        else:
            last.setdefault(stage, event)


def _after_the_end(events: Sequence[DutyEvent]) -> Iterator[tuple[DutyEvent, DutyEvent]]:
    """Yield each end after the first one, and a calling off after a unit had reached the home."""
    ended = reached = None
    for event in events:
        name = event.told.event
        if name in _ENDS and ended is not None:
            yield event, ended
        elif name == "cancelled" and reached is not None:
            yield event, reached
        elif name in _ENDS:
            ended = event
        elif name in _REACHED:
            reached = reached or event


def _reason(event: DutyEvent, because: DutyEvent, time: Callable[[int], str]) -> str:
    told = because.told
    later = ", which is later" if told.at_us > event.told.at_us else ""
    return f"{event.told.event} is not possible, because {_SAID[told.event]} at {time(told.at_us)}{later}"
