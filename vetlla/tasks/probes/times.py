"""The time of each component in a span, and the outages with what people noted beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import UsageError
from vetlla.domain.probes import ComponentName
from vetlla.service.probes.availability import component_time
from vetlla.service.probes.combined import named_components, probe_rule
from vetlla.store.probes import queries, write
from vetlla.store.registry.transaction import transaction

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.probes import Incident, ProbedPart
    from vetlla.service.parameters import Reading
    from vetlla.service.probes.availability import ComponentTime, ProbedSpan


class Within(NamedTuple):
    """A span of time, its end excluded; microseconds UTC."""

    begin_us: int
    end_us: int


class Outage(NamedTuple):
    """Time in which a component was not available or not seen, or for which a person noted something."""

    component: str
    part: ProbedPart | None
    """None if no probe saw the outage, and only a person noted it."""
    span: ProbedSpan | None
    notes: tuple[Incident, ...]

    @property
    def begin_us(self) -> int:
        """When it begins."""
        return self.span.begin_us if self.span else self.notes[0].begun_us

    @property
    def end_us(self) -> int:
        """When it ends."""
        return self.span.end_us if self.span else self.notes[0].ended_us


def times(
    connection: sqlite3.Connection, part: ProbedPart, within: Within, reading: Reading, edges: Sequence[int] = ()
) -> dict[str, ComponentTime]:
    """Return the time of each component of a part, by name; ``edges`` are the begins of days within the span.

    Components are those that were probed, and those that the parameters name. Without any probe of the span the result
    is empty, because nothing was measured: a probe from before it vouches for its begin only beside later ones. Raises
    ConfigError for a wrong parameter.
    """
    rule = probe_rule(reading)
    since_us = within.begin_us - rule.gap_us
    probed = {one.name for one in queries.components(connection, since_us, within.end_us) if one.part is part}
    found = {}
    for name in sorted(probed.union(named_components(reading, part))):
        probes = queries.probes(connection, ComponentName(part, name), since_us, within.end_us)
        found[name] = component_time(probes, within.begin_us, within.end_us, rule, edges)
    return found if any(one.begun for one in found.values()) else {}


def outages(
    connection: sqlite3.Connection, parts: Mapping[ProbedPart, Mapping[str, ComponentTime]], within: Within
) -> list[Outage]:
    """Return the outages in the order of their begin, each with the notes that touch it.

    A note that touches no outage of its component stands alone: nothing that a person wrote is left out.
    """
    notes = queries.incidents(connection, within.begin_us, within.end_us)
    told: set[int] = set()
    found: list[Outage] = []
    for part, times_of in parts.items():
        for name, time in times_of.items():
            for span in time.spans:
                beside = tuple(one for one in notes if one.component == name and _touches(one, span))
                found.append(Outage(name, part, span, beside))
                told.update(one.number for one in beside)
    found += [Outage(one.component, None, None, (one,)) for one in notes if one.number not in told]
    return sorted(found, key=lambda one: (one.begin_us, one.component))


def note_incident(state_dir: Path, clock: Clock, incident: Incident, *, dry_run: bool = False) -> int:
    """Keep what a person notes about an outage; return its number. Raises UsageError and StoreError."""
    if incident.ended_us <= incident.begun_us:
        raise UsageError("the outage ends before it begins", remedy="correct --from and --until")
    if not incident.is_planned and incident.ended_us > incident.recorded_us:
        raise UsageError("the end lies in the future", remedy="note it when it is over, or as --planned")
    with transaction(state_dir, clock, dry_run=dry_run) as connection:
        return write.add_incident(connection, incident)


def _touches(note: Incident, span: ProbedSpan) -> bool:
    return note.begun_us < span.end_us and note.ended_us > span.begin_us
