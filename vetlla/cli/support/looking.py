"""``vetlla support list``, ``show`` and ``levels``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.moments import Utc
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.parameters import print_parameters
from vetlla.cli.kit.registry import Day, today
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.cli.reminders.database import database, now, shown_time, stamp
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, StateDir
from vetlla.cli.support.rows import LevelsFile, TicketNumber, clock_text, levels_from, ticket_fields, ticket_row
from vetlla.service.support.life import TicketState
from vetlla.service.support.standing import ClockState, standing
from vetlla.tasks.support import desk

if TYPE_CHECKING:
    from vetlla.domain.support import TicketEvent
    from vetlla.service.support.standing import TicketStanding

COLUMNS = ("ticket", "severity", "state", "opened", "answer", "answer_due", "solve", "solve_due", "title")
_ENDED = frozenset({ClockState.IN_TIME, ClockState.LATE})
EVENTS = ("at", "act", "by", "severity", "text", "recorded")


def list_tickets(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Solved tickets, too.")] = False,
    state: Annotated[TicketState | None, typer.Option("--state", help="Only this state.")] = None,
    severity: Annotated[str, typer.Option("--severity", help="Only this severity.")] = "",
    limit: Limit = None,
    levels: LevelsFile = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """List the open tickets: first the one whose clock runs out first, with what is left in working time.

    Example: vetlla support list --severity critical
    """
    service_levels = levels_from(levels)
    if severity:
        service_levels.known(severity)
    at = now()
    with database(state_dir) as db:
        with_solved = everything or state is TicketState.SOLVED
        wanted = desk.standings(db, service_levels, at) if with_solved else desk.open_standings(db, service_levels, at)
        found = [
            one
            for one in wanted
            if (state is None or one.life.state is state) and (not severity or one.life.severity == severity)
        ]
    found.sort(key=_urgency)
    shape = ticket_fields if as_json else ticket_row
    print_some((shape(one) for one in found), COLUMNS, limit, as_json=as_json)


def _urgency(one: TicketStanding) -> tuple[bool, float, int]:
    undecided = [clock.left.total_seconds() for clock in one.clocks if clock.state not in _ENDED]
    return (not undecided, min(undecided, default=0.0), one.ticket.id)


def show_ticket(
    number: TicketNumber,
    *,
    levels: LevelsFile = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Show a ticket with its clocks, and all that was done, by which user and when.

    Example: vetlla support show 12
    """
    service_levels, at = levels_from(levels), now()
    with database(state_dir) as db:
        one = standing(desk.ticket_of(db, number), service_levels, at)
    if as_json:
        print_json(ticket_fields(one) | {"events": [_event_fields(event) for event in one.ticket.events]})
        return
    _show(one)


def _show(one: TicketStanding) -> None:
    out, ticket = console(), one.ticket
    reference = f", {ticket.reference}" if ticket.reference else ""
    out.print(f"ticket {ticket.id}: {ticket.title}", style="bold", soft_wrap=True)
    out.print(f"  {one.life.severity}, {one.life.state}, by {ticket.way}{reference}", soft_wrap=True)
    for clock in one.clocks:
        due = f"due {shown_time(clock.due)}" if clock.due else "due when the clock runs again"
        out.print(f"  {clock.goal:<6}  {clock_text(clock)}; {due}", soft_wrap=True)
    print_rows((_event_row(event) for event in ticket.events), EVENTS, as_json=False)


def _event_row(event: TicketEvent) -> dict[str, Any]:
    return {
        "at": shown_time(event.at),
        "act": event.act.value,
        "by": event.by,
        "severity": event.severity,
        "text": event.text,
        "recorded": shown_time(event.recorded_at) if event.recorded_at > event.at else "",
    }


def _event_fields(event: TicketEvent) -> dict[str, Any]:
    return {
        "at": stamp(event.at),
        "act": event.act.value,
        "by": event.by,
        "severity": event.severity or None,
        "text": event.text,
        "recorded": stamp(event.recorded_at),
    }


def list_levels(*, day: Day = None, levels: LevelsFile = None, as_json: AsJson = False) -> None:
    """List the desk's hours, holidays, severities and times in force, and the basis of each.

    Example: vetlla support levels --day 2026-11-24
    """
    print_parameters(levels_from(levels).in_force(day or today()), as_json=as_json)
