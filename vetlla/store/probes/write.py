"""Adds probes and notes of outages. Nothing is changed. Each call works within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.columns import Effect

if TYPE_CHECKING:
    import sqlite3

    from vetlla.domain.probes import Incident, Probe

_ADD: Final = "INSERT INTO probes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_KNOWN: Final = """
SELECT duration_us, result, reason, through, account FROM probes WHERE component = ? AND started_us = ? AND machine = ?
"""
_BEGIN: Final = 'INSERT INTO probe_imports (at_us, "by", file) VALUES (?, ?, ?)'
_NOTE: Final = (
    'INSERT INTO probe_incidents (component, begun_us, ended_us, planned, note, "by", recorded_us)'
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)


class ProbeBook:
    """Adds the probes of one file. An import is noted with its first new probe, so that a repeated one adds nothing."""

    def __init__(self, connection: sqlite3.Connection, at_us: int, by: str, file: str) -> None:
        self._connection = connection
        self._about = (at_us, by, file)
        self._import: int | None = None
        self._numbers: dict[tuple[str, ...], int] = {}

    def add(self, probe: Probe) -> Effect | None:
        """Add a probe; return whether it is new or known; None if one with its key is known that differs."""
        component = self._number("probe_components", "part, name", probe.part.value, probe.component)
        machine = self._number("probe_machines", "name", probe.machine)
        reason = self._number("probe_reasons", "text", probe.reason)
        key = (component, probe.started_us, machine)
        said = (probe.duration_us, probe.result.value, reason, probe.through.value, probe.account)
        known = self._connection.execute(_KNOWN, key).fetchone()
        if known is not None:
            return Effect.UNCHANGED if known == said else None
        self._connection.execute(_ADD, (*key, *said, self._noted()))
        return Effect.NEW

    def _noted(self) -> int:
        """Return the number of this import."""
        if self._import is None:
            self._import = int(self._connection.execute(_BEGIN, self._about).lastrowid or 0)
        return self._import

    def _number(self, table: str, columns: str, *values: str) -> int:
        """Return the number of a name, which is new if it was not known."""
        found = self._numbers.get((table, *values))
        if found is None:
            marks = ", ".join("?" for _ in values)
            self._connection.execute(
                f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({marks})",  # noqa: S608 - ours
                values,
            )
            (found,) = self._connection.execute(
                f"SELECT id FROM {table} WHERE ({columns}) = ({marks})",  # noqa: S608 - ours
                values,
            ).fetchone()
            self._numbers[table, *values] = found
        return found


def add_incident(connection: sqlite3.Connection, incident: Incident) -> int:
    """Add a note of an outage; return its number. The number of the value does not matter."""
    cursor = connection.execute(
        _NOTE,
        (
            incident.component,
            incident.begun_us,
            incident.ended_us,
            int(incident.is_planned),
            incident.note,
            incident.by,
            incident.recorded_us,
        ),
    )
    return int(cursor.lastrowid or 0)
