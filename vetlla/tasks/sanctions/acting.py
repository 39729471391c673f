"""Plans corrective actions, and records what became of them. Each function works within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.errors import UsageError
from vetlla.service.sanctions.corrective import about, actions, refuse_ended
from vetlla.service.sla.levels import LEVELS
from vetlla.store.sanctions import actions as store
from vetlla.tasks.sanctions.recording import refuse_future

if TYPE_CHECKING:
    import sqlite3
    from datetime import date

    from vetlla.domain.sanctions import ActionEvent
    from vetlla.service.sanctions.corrective import Action


def plan(connection: sqlite3.Connection, told: ActionEvent, source: str, today: date) -> Action:
    """Append an action against a fault or a level; return it.

    Raises UsageError for an unknown fault or level, for a time to come, and without a text or a responsible person.
    """
    refuse_future(told.at_us, told.recorded_us)
    if not told.what or not told.who:
        raise UsageError("a corrective action says what is to be done, and who does it", remedy="give WHAT and --who")
    added = store.add(connection, told._replace(about=about(told.about, len(LEVELS))), source)
    return _action(connection, added.id, today)


def end(connection: sqlite3.Connection, told: ActionEvent, source: str, today: date) -> Action:
    """Append that an action was done or withdrawn; return the action. Raises UsageError if it is not open."""
    refuse_future(told.at_us, told.recorded_us)
    if told.event == "withdrawn" and not told.what:
        raise UsageError("a withdrawal needs a reason", remedy="say why with --reason")
    refuse_ended(actions(store.all_events(connection), today), told.action, told.at_us)
    store.add(connection, told, source)
    return _action(connection, told.action, today)


def _action(connection: sqlite3.Connection, number: int, today: date) -> Action:
    return next(one for one in actions(store.all_events(connection), today) if one.planned.id == number)
