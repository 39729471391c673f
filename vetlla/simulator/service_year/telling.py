"""A duty of the generated year, and the rows that tell of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import iso
from vetlla.service.duties.columns import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vetlla.service.duties.kinds import DutyKind, DutyKinds
    from vetlla.service.parameters import Reading
    from vetlla.simulator.service_year.days import Term


class ToldEvent(NamedTuple):
    """An event of a duty."""

    name: str
    at_us: int
    promise: tuple[int, int] | None = None
    """Begin and end of the promised time."""
    alarm: int = 0
    """The alarm that it was done for; 0 for that of the duty."""
    details: str = ""
    """Other details, as JSON."""


@dataclass(slots=True)
class DutyStory:
    """A duty from its opening to its end."""

    kind: str
    subject: str
    ref: str
    events: list[ToldEvent] = field(default_factory=list)
    base: str = ""
    by: str = ""
    alarm: int = 0
    """The alarm that opened it; 0 if none did."""

    def rows(self) -> Iterator[list[str]]:
        """Yield the rows of a file of events."""
        for name, at_us, promise, alarm, details in self.events:
            begin, end = (iso(promise[0]), iso(promise[1])) if promise else ("", "")
            cells = {"base": self.base, "by": self.by, "from": begin, "to": end, "at": iso(at_us), "details": details}
            cells["alarm"] = str(alarm or self.alarm or "")
            cells |= {"kind": self.kind, "subject": self.subject, "event": name, "ref": self.ref}
            yield [cells.get(column, "") for column in COLUMNS]


class Planted(NamedTuple):
    """What was planted into the year, and what the judge must say of it."""

    kind: str
    """The kind of duty; ``call``, ``alarm``; of a whole month ``calls``, ``alarms_urgent``, ``alarms_technical``."""
    subject: str
    """Home, person, device or service; empty if none is known."""
    ref: str
    """Reference of the duty, id of the call, or number of the alarm; the month, of a whole month."""
    way: str
    """In which way it is breached or nearly breached."""
    verdict: str
    worse: bool = False
    """Whether the breach is more than a breach."""
    ans: int | None = None
    """The standard that it feeds; None if it feeds none."""
    month: str = ""
    """The month in which the duty was opened, or the communication began, in local time."""
    fault: str = ""
    """The fault of the contract that it is by itself (tender, 17), if its way was planted for that."""

    def line(self) -> str:
        """Return it as a line of the plan."""
        return json.dumps(self._asdict())


class Facts(NamedTuple):
    """What the file of kinds and the parameters say of one kind."""

    name: str
    kind: DutyKind
    term: Term | None
    """The limit; of an interval the widest one."""
    done: str
    """An event that fulfils the duty."""
    not_done: str
    """An event that ends it, or is judged, and does not fulfil it; empty if there is none."""
    good_stop: str
    """An event that stops the clock; empty if there is none."""
    bad_stop: str
    """An event that would stop the clock if a parameter said so; empty if there is none."""

    def closing(self, at_us: int) -> list[ToldEvent]:
        """Return the events that fulfil the duty and close it, at one moment."""
        names = [self.done] if self.done in self.kind.ends else [self.done, self.kind.ends[0]]
        return [ToldEvent(name, at_us) for name in names]


def facts(name: str, kinds: DutyKinds, reading: Reading, term: Term | None) -> Facts:
    """Return the facts of a kind on the day of a reading."""
    kind = kinds.kind(name)
    judged = dict(kind.judged) or dict.fromkeys(kind.ends, "")
    counts = {event: not parameter or reading.is_yes(parameter) for event, parameter in judged.items()}
    stops = {event: not stop.only_if or reading.is_yes(stop.only_if) for event, stop in kind.stops.items()}
    return Facts(
        name,
        kind,
        term,
        done=_first(event for event, does in counts.items() if does),
        not_done=_first(event for event in (*judged, *kind.ends) if not counts.get(event)),
        good_stop=_first(event for event, does in stops.items() if does),
        bad_stop=_first(event for event, does in stops.items() if not does),
    )


def _first(names: Iterator[str] | Sequence[str]) -> str:
    return next(iter(names), "")
