"""Reads probes and notes of outages. Each function works within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.probes import ComponentName, Incident, Probe, ProbedPart, ProbeResult, SeenThrough

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

_COMPONENTS: Final = """
SELECT part, name FROM probe_components AS c WHERE EXISTS (
    SELECT 1 FROM probes AS p JOIN probe_imports AS i ON i.id = p.import
    WHERE p.component = c.id AND p.started_us >= ? AND p.started_us < ? AND i.at_us <= ?
) ORDER BY part, name
"""
_PROBES: Final = """
SELECT m.name, p.started_us, p.duration_us, p.result, r.text, p.through
FROM probes AS p JOIN probe_machines AS m ON m.id = p.machine JOIN probe_reasons AS r ON r.id = p.reason
JOIN probe_imports AS i ON i.id = p.import
WHERE p.component = (SELECT id FROM probe_components WHERE part = ? AND name = ?)
AND p.started_us >= ? AND p.started_us < ? AND i.at_us <= ? ORDER BY p.started_us, m.name
"""
_INCIDENTS: Final = """
SELECT id, component, begun_us, ended_us, planned, note, "by", recorded_us FROM probe_incidents
WHERE begun_us < ? AND ended_us > ? AND recorded_us <= ? ORDER BY begun_us, id
"""


def components(connection: sqlite3.Connection, since_us: int, until_us: int, known_us: int) -> list[ComponentName]:
    """Return the components with a probe that starts in a time, as known at a time; ``until_us`` is excluded."""
    rows = connection.execute(_COMPONENTS, (since_us, until_us, known_us))
    return [ComponentName(ProbedPart(part), name) for part, name in rows]


def probes(
    connection: sqlite3.Connection, component: ComponentName, since_us: int, until_us: int, known_us: int
) -> Iterator[Probe]:
    """Yield the probes of a component that start in a time, as known at a time, in the order of their start."""
    part, name = component
    for machine, started_us, duration_us, result, reason, through in connection.execute(
        _PROBES, (part.value, name, since_us, until_us, known_us)
    ):
        yield Probe(
            machine, name, part, started_us, duration_us, ProbeResult(result), reason, SeenThrough(through)
        )  # fmt: skip


def incidents(connection: sqlite3.Connection, since_us: int, until_us: int, known_us: int) -> list[Incident]:
    """Return what people noted about outages that touch a time, as known at a time, by their begin."""
    return [
        Incident(number, component, begun_us, ended_us, bool(planned), note, by, recorded_us)
        for number, component, begun_us, ended_us, planned, note, by, recorded_us in connection.execute(
            _INCIDENTS, (until_us, since_us, known_us)
        )
    ]
