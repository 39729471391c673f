"""Reads probes and notes of outages. Each function works within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.probes import ComponentName, Incident, Probe, ProbedPart, ProbeResult, SeenThrough

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

_COMPONENTS: Final = """
SELECT part, name FROM probe_components AS c WHERE EXISTS (
    SELECT 1 FROM probes AS p
    WHERE p.component = c.id AND p.started_us >= ? AND p.started_us < ?
) ORDER BY part, name
"""
_FIELDS: Final = """
SELECT m.name, c.name, c.part, p.started_us, p.duration_us, p.result, r.text, p.through, p.account
FROM probes AS p JOIN probe_machines AS m ON m.id = p.machine JOIN probe_reasons AS r ON r.id = p.reason
JOIN probe_components AS c ON c.id = p.component
WHERE p.started_us >= ? AND p.started_us < ?
"""
_PROBES: Final = f"""
{_FIELDS} AND p.component = (SELECT id FROM probe_components WHERE part = ? AND name = ?)
ORDER BY p.started_us, m.name
"""  # noqa: S608 - ours
_SIGNALS: Final = f"""
{_FIELDS} AND p.account <> '' AND p.through <> '' ORDER BY p.account COLLATE NOCASE, p.started_us, m.name
"""
_INCIDENTS: Final = """
SELECT id, component, begun_us, ended_us, planned, note, "by", recorded_us FROM probe_incidents
WHERE begun_us < ? AND ended_us > ? ORDER BY begun_us, id
"""


def components(connection: sqlite3.Connection, since_us: int, until_us: int) -> list[ComponentName]:
    """Return the components with a probe that starts in a time; ``until_us`` is excluded."""
    rows = connection.execute(_COMPONENTS, (since_us, until_us))
    return [ComponentName(ProbedPart(part), name) for part, name in rows]


def probes(connection: sqlite3.Connection, component: ComponentName, since_us: int, until_us: int) -> Iterator[Probe]:
    """Yield the probes of a component that start in a time, in the order of their start."""
    part, name = component
    yield from map(_probe, connection.execute(_PROBES, (since_us, until_us, part.value, name)))


def acknowledged_signals(connection: sqlite3.Connection, since_us: int, until_us: int) -> Iterator[Probe]:
    """Yield the probes of a time whose signal was acknowledged, by account without its case, then by their start."""
    yield from map(_probe, connection.execute(_SIGNALS, (since_us, until_us)))


def _probe(row: Sequence[Any]) -> Probe:
    machine, component, part, started_us, duration_us, result, reason, through, account = row
    return Probe(
        machine=machine,
        component=component,
        part=ProbedPart(part),
        started_us=started_us,
        duration_us=duration_us,
        result=ProbeResult(result),
        reason=reason,
        through=SeenThrough(through),
        account=account,
    )


def incidents(connection: sqlite3.Connection, since_us: int, until_us: int) -> list[Incident]:
    """Return what people noted about outages that touch a time, by their begin."""
    return [
        Incident(number, component, begun_us, ended_us, bool(planned), note, by, recorded_us)
        for number, component, begun_us, ended_us, planned, note, by, recorded_us in connection.execute(
            _INCIDENTS, (until_us, since_us)
        )
    ]
