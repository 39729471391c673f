"""Imports a register of keys: all of its rows or, if any of them is bad or not possible, nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.columns import Fault
from vetlla.service.custody.chain import KEY
from vetlla.service.custody.columns import key_event
from vetlla.service.homes.rows import HomeCodes
from vetlla.store.duties import events as store
from vetlla.store.homes import queries as stored_homes
from vetlla.store.registry.transaction import roll_back, transaction
from vetlla.tasks.duties.index import keep_index
from vetlla.tasks.duties.order import KeyCodes, impossible_rows
from vetlla.tasks.good_rows import good_rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.duties import NewEvent
    from vetlla.service.custody.columns import KeyRow
    from vetlla.service.duties.terms import DutyRules


class ImportedKeys(NamedTuple):
    """What a register changed."""

    new: int
    known: int
    """Events that were recorded already."""
    faults: list[Fault]
    differing: int = 0
    """How many of the known ones are recorded with another person, note or detail."""


def import_keys(
    state_dir: Path,
    clock: Clock,
    rules: DutyRules,
    rows: Iterable[tuple[int, KeyRow | list[Fault]]],
    source: str,
    *,
    dry_run: bool = False,
) -> ImportedKeys:
    """Append the events of a register. A row that is recorded already changes nothing."""
    now_us = clock.now().utc_us
    with transaction(state_dir, clock, dry_run=dry_run) as connection:
        codes = KeyCodes(connection)
        homes = HomeCodes(stored_homes.home_codes(connection))
        faults: list[Fault] = []
        told: list[tuple[int, NewEvent]] = []
        for row, values in good_rows(rows, faults):
            event = key_event(row, values, rules.calendar.local_time, now_us)
            if isinstance(event, list):
                faults += event
            elif reason := homes.missing(event.subject):
                faults.append(Fault(row, "home", event.subject, reason))
            else:
                told.append((row, codes.spelled(event)))
        faults += impossible_rows(connection, rules, told, "key")
        if faults:
            roll_back(connection)
            return ImportedKeys(0, 0, faults)
        new = [store.add(connection, event, source, now_us) is not None for _, event in told]
        keep_index(connection, rules, {(KEY, event.subject) for _, event in told})
        known = [event for (_, event), is_new in zip(told, new, strict=True) if not is_new]
        return ImportedKeys(sum(new), len(known), [], sum(_is_otherwise(connection, event) for event in known))


def _is_otherwise(connection: sqlite3.Connection, event: NewEvent) -> bool:
    """Return True if a known event is recorded with another person, note or detail."""
    return any(
        (one.told.by, one.told.note, one.told.details) != (event.by, event.note, event.details)
        for one in store.at_that_time(connection, event)
    )
