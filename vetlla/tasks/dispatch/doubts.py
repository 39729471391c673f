"""Says what is doubtful about emergencies that were just recorded, so that the user can correct it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.codes import code_key
from vetlla.domain.columns import Fault
from vetlla.domain.emergencies import TYPE_OF_KIND
from vetlla.service.dispatch.doubtful import not_sent, repeated
from vetlla.service.dispatch.emergency import UNIT
from vetlla.store.dispatch.units import all_events
from vetlla.tasks.dispatch import figures, looking

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from vetlla.domain.duties import Duty, NewEvent
    from vetlla.service.duties.terms import DutyRules


def doubts_of(connection: sqlite3.Connection, rules: DutyRules, duty: Duty, now_us: int) -> Iterator[str]:
    """Yield what is doubtful about an emergency, each with its remedy. Of other kinds of duties nothing is yielded."""
    if duty.kind not in TYPE_OF_KIND:
        return
    found = looking.of_home(connection, rules, duty.subject, now_us)
    for pair in repeated(found, figures.chaining_us(rules, duty.opened_us)):
        if duty.id in {pair.first.id, pair.later.id}:
            yield f"{pair.reason(rules.calendar.shown)}: {pair.remedy}"
    for one in (other for other in found if other.id == duty.id):
        for wrong in not_sent(one):
            yield f"event {wrong.event.id}: {wrong.reason}: vetlla duties withdraw {wrong.event.id} --reason TEXT"


def row_doubts(
    connection: sqlite3.Connection, rules: DutyRules, told: Sequence[tuple[int, NewEvent]], now_us: int
) -> list[Fault]:
    """Return what is doubtful about new events of emergencies, each with its row. They are recorded all the same."""
    rows = {(event.kind, event.subject, event.at_us, event.event, event.ref): row for row, event in told}

    def row_of(event: NewEvent) -> int | None:
        return rows.get((event.kind, event.subject, event.at_us, event.event, event.ref))

    found = _unknown_units(connection, told)
    for home in sorted({event.subject for _, event in told}):
        emergencies = looking.of_home(connection, rules, home, now_us)
        window_us = max((figures.chaining_us(rules, one.opened_us) for one in emergencies), default=0)
        for pair in repeated(emergencies, window_us):
            openings = [one.standing.duty.events[0].told for one in (pair.later, pair.first)]
            row = next((number for opening in openings if (number := row_of(opening))), None)
            if row is not None:
                found.append(Fault(row, "", "", f"{pair.reason(rules.calendar.shown)}: {pair.remedy}"))
        for wrong in (wrong for one in emergencies for wrong in not_sent(one)):
            if (row := row_of(wrong.event.told)) is not None:
                found.append(Fault(row, UNIT, wrong.unit, f"{wrong.reason}: vetlla dispatch check has the event"))
    return sorted(found, key=lambda fault: fault.row)


def _unknown_units(connection: sqlite3.Connection, told: Sequence[tuple[int, NewEvent]]) -> list[Fault]:
    """Return a fault for each unit that is not registered, with its first row; none if no unit is registered."""
    known = {code_key(event.unit) for event in all_events(connection)}
    first: dict[str, tuple[int, str]] = {}
    for row, event in told:
        if unit := event.detail.get(UNIT, ""):
            first.setdefault(code_key(unit), (row, unit))
    return [
        Fault(row, UNIT, unit, f"is no known unit: vetlla dispatch units add {unit} --base BASE")
        for key, (row, unit) in first.items()
        if known and key not in known
    ]
