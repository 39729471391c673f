"""Changes single fields of a home or a person by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from vetlla.domain.errors import UsageError
from vetlla.domain.homes import HOME_FIELDS, PERSON_FIELDS, DatedChange, Home, Person
from vetlla.service.homes import rows as checks
from vetlla.service.homes.changes import changes, overtaken
from vetlla.store.homes import queries
from vetlla.store.homes.write import home_writer, person_writer
from vetlla.store.registry.transaction import transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.columns import Fault
    from vetlla.domain.homes import FactRecording, Fields
    from vetlla.store.homes.write import FactWriter

V = TypeVar("V", bound="Home | Person")


class WantedValues(NamedTuple):
    """New values of fields, and how they are recorded."""

    values: Mapping[str, Any]
    since: date
    today: date
    recording: FactRecording
    correct: bool = False
    note: str = ""


def set_home(
    state_dir: Path, clock: Clock, code: str, wanted: WantedValues, *, dry_run: bool = False
) -> Sequence[DatedChange]:
    """Record new values of a home's fields; return the facts. Raises UsageError for an unknown home or a wrong day."""
    with transaction(state_dir, clock, dry_run=dry_run) as connection:
        queries.home(connection, code)
        writer = home_writer(connection, wanted.recording, [code])
        return _set(writer, HOME_FIELDS, code, wanted, lambda before: checks.home(0, wanted.values, before))


def set_person(
    state_dir: Path, clock: Clock, code: str, wanted: WantedValues, *, dry_run: bool = False
) -> Sequence[DatedChange]:
    """Record new values of a person's fields; return the facts.

    Raises UsageError for an unknown person or home, or a wrong day.
    """
    with transaction(state_dir, clock, dry_run=dry_run) as connection:
        queries.person(connection, code)
        if "home" in wanted.values:
            queries.home(connection, wanted.values["home"])
        writer = person_writer(connection, wanted.recording, [code])
        return _set(writer, PERSON_FIELDS, code, wanted, lambda before: replace(before, **wanted.values))


def _set(
    writer: FactWriter[V], fields: Fields, code: str, wanted: WantedValues, change: Callable[[V], V | list[Fault]]
) -> Sequence[DatedChange]:
    for fault in checks.since_faults(0, wanted.since, wanted.today, correct=wanted.correct):
        raise UsageError(f"{wanted.since} {fault.reason}", remedy="give another day with --from")
    before = writer.on(code, wanted.since)
    assert before is not None
    after = change(before)
    if isinstance(after, list):
        raise UsageError("; ".join(f"{fault.column} {fault.value!r}: {fault.reason}" for fault in after))
    found = changes(before, after, wanted.since, correct=wanted.correct, note=wanted.note)
    for late in overtaken(found, fields, lambda *of: writer.next_day(code, *of), wanted.today):
        raise UsageError(
            f"{late.field}: another value holds from {late.since} on",
            remedy=f"--from {late.since}, or correct the days before it with --correct",
        )
    writer.put(code, found)
    writer.flush()
    return found
