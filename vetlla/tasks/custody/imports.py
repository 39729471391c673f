"""Imports a register of keys: all of its rows or, if any of them is bad or not possible, nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.columns import Fault
from vetlla.service.custody.chain import KeyAct, chain
from vetlla.service.custody.columns import key_event
from vetlla.service.duties.grouping import group
from vetlla.service.homes.rows import HomeCodes
from vetlla.store.duties import events as store
from vetlla.store.homes import queries as stored_homes
from vetlla.store.registry.transaction import roll_back, transaction
from vetlla.tasks.custody.register import KEY, keys
from vetlla.tasks.duties.index import keep_index
from vetlla.tasks.good_rows import good_rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator
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
                told.append((row, event))
        new = [store.add(connection, event, source, now_us) is not None for _, event in told]
        touched = {(KEY, event.subject) for _, event in told}
        faults += _impossible(connection, rules, told)
        if faults:
            roll_back(connection)
            return ImportedKeys(0, 0, faults)
        keep_index(connection, rules, touched)
        known = [event for (_, event), is_new in zip(told, new, strict=True) if not is_new]
        return ImportedKeys(sum(new), len(known), [], sum(_is_otherwise(connection, event) for event in known))


def _is_otherwise(connection: sqlite3.Connection, event: NewEvent) -> bool:
    """Return True if a known event is recorded with another person, note or detail."""
    return any(
        (one.told.by, one.told.note, one.told.details) != (event.by, event.note, event.details)
        for one in store.at_that_time(connection, event)
    )


def _impossible(
    connection: sqlite3.Connection, rules: DutyRules, told: Iterable[tuple[int, NewEvent]]
) -> Iterator[Fault]:
    """Yield the faults of rows that are not possible after what was recorded before, or beside other rows."""
    rows = {_identity(event): row for row, event in told}
    kind = rules.kinds.kind(KEY)
    for home in sorted({event.subject for _, event in told}):
        grouped = group(kind, store.of_subject(connection, KEY, home))
        wrong = [(event, "was not ceded before that: give its ceding first") for event in grouped.loose]
        for duty in grouped.duties:
            again = (event for event in duty.events[1:] if event.told.event == KeyAct.CEDED)
            wrong += ((event, "was ceded already: give the new key another code") for event in again)
            wrong += chain(duty).impossible
        for event, reason in wrong:
            if row := rows.get(_identity(event.told)):
                yield Fault(row, "event", event.told.event, f"{event.told.ref}: {reason}")
    ceded = {event.ref: (row, event.subject) for row, event in told if event.event == KeyAct.CEDED}
    for key in keys(connection, rules) if ceded else ():
        row, home = ceded.get(key.code, (0, ""))
        if row and key.in_custody and key.home != home:
            yield Fault(row, "key", key.code, f"is in custody already, and opens {key.home}")


def _identity(event: NewEvent) -> tuple[str, int, str, str]:
    return event.subject, event.at_us, event.event, event.ref
