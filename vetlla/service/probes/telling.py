"""Says in sentences what probes saw of a component, for people who check ANS 18 and 21."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.clock import MINUTE_US, SECOND_US, stretch
from vetlla.service.duties.why import named
from vetlla.service.probes.availability import Condition, ProbedSpan
from vetlla.service.probes.combined import Unseen, together, unseen_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from vetlla.domain.probes import Incident
    from vetlla.service.parameters import Reading
    from vetlla.service.probes.availability import ComponentTime


class Weighed(NamedTuple):
    """A component in the figure of its level."""

    name: str
    weight: int
    total: int
    """Time of all components, each with its weight."""

    def share(self, time_us: int) -> str:
        """Return how much of the level's time some time of the component is."""
        return f"{100 * self.weight * time_us / self.total:.4f} %" if self.total else "nothing"


def weighed(name: str, times: Mapping[str, ComponentTime], reading: Reading) -> Weighed:
    """Return the weight of a component. ``times`` has all components of the level."""
    weight = reading.integer(f"availability.weight.{name}", "availability.weight")
    return Weighed(name, weight, together(times, reading).total)


def component_text(of: Weighed, time: ComponentTime, reading: Reading) -> str:
    """Return how much time of a component is available, its weight, and its share of the level's time."""
    counted_us = time.total_us - (time.unseen_us if unseen_rule(reading) is Unseen.EXCLUDED else 0)
    of_its_own = f"{100 * time.available_us / counted_us:.4f} %" if counted_us else "nothing"
    parts = ", ".join(f"{_length(getattr(time, f'{kind}_us'))} {kind}" for kind in Condition)
    weight = named(reading.entry(f"availability.weight.{of.name}", "availability.weight"))
    return (
        f"Component {of.name}: {parts}, so {of_its_own} of its time is available. It has {of.share(counted_us)} of the"
        f" level's time. {weight}"
    )


def span_text(of: Weighed, span: ProbedSpan, reading: Reading, time: Callable[[int], str]) -> str:
    """Return why a time counts as it does: what probes saw, what it costs, and the parameters that decide."""
    return " ".join(_sentences(of, span, reading, time))


def _sentences(of: Weighed, span: ProbedSpan, reading: Reading, time: Callable[[int], str]) -> Iterator[str]:
    costs = f"It costs {of.share(span.length_us)} of the level's time, with weight {of.weight}."
    names = ["availability.probe_gap_s"]
    if span.condition is Condition.UNAVAILABLE:
        yield f"It was not available for {_length(span.length_us)}."
        yield f"The first probe that failed was of {span.failed}, at {time(span.failed_us)}: {span.reason}."
        yield f"Machines that looked: {', '.join(span.looked)}."
        yield costs
        names.insert(0, "availability.overlap")
    else:
        yield f"No probe vouches for {_length(span.length_us)}."
        yield costs if unseen_rule(reading) is Unseen.UNAVAILABLE else "It is in neither number."
        names.insert(0, "availability.unseen")
    yield from (named(reading.entry(name)) for name in names)


def note_text(note: Incident, time: Callable[[int], str]) -> str:
    """Return what a person noted about an outage."""
    planned = "planned: " if note.is_planned else ""
    return (
        f"Noted from {time(note.begun_us)} to {time(note.ended_us)} as incident {note.number}: {planned}{note.note}"
        f" ({note.by})."
    )


def _length(length_us: int) -> str:
    """Return a duration: exact below a minute, because the shortest gaps are parts of a second."""
    return stretch(length_us / SECOND_US) if length_us >= MINUTE_US else f"{length_us / SECOND_US:g} s"
