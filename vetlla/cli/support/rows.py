"""How the support commands show a ticket and its clocks, and the options that they share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.moments import Utc, moment, use_zone
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.registry import as_note
from vetlla.cli.reminders.database import CLOCK, shown_time, stamp
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, StateDir
from vetlla.domain.clock import to_datetime
from vetlla.domain.column_types import NUMBER_MAX
from vetlla.service.support.standing import ClockState
from vetlla.tasks.support.desk import ActRecord
from vetlla.tasks.support.levels import load_levels

if TYPE_CHECKING:
    from datetime import timedelta

    from vetlla.service.support.levels import ServiceLevels
    from vetlla.service.support.standing import TicketClock, TicketStanding

TicketNumber = Annotated[int, typer.Argument(metavar="N", min=1, max=NUMBER_MAX, help="Number of the ticket.")]
LevelsFile = Annotated[
    Path | None,
    typer.Option(
        "--levels",
        envvar="VETLLA_SUPPORT_LEVELS",
        metavar="FILE",
        readable=False,
        help="Hours, holidays and times of the desk. Default: the installed support.toml.",
    ),
]
At = Annotated[
    str,
    typer.Option(
        "--at",
        metavar="TIME",
        help="When it happened: ISO 8601 (on the clock of the desk if it has no zone), or 2h ago. Default: now.",
    ),
]
Why = Annotated[
    str, typer.Option("--why", "--reason", parser=as_note, metavar="TEXT", help="Why, without personal data.")
]
Text = Annotated[
    str, typer.Option("--text", parser=as_note, metavar="TEXT", help="What was said or done, without personal data.")
]


def levels_from(path: Path | None) -> ServiceLevels:
    """Return the levels of the desk; times are then on the clock of the desk. Raises ConfigError."""
    found = load_levels(path)
    use_zone(found.zone)
    return found


class ActOptions(NamedTuple):
    """Options of every command that keeps an act on a ticket."""

    at: At = ""
    levels: LevelsFile = None
    state_dir: StateDir = DEFAULT_STATE_DIR
    utc: Utc = False
    as_json: AsJson = False

    def recorded(self) -> ActRecord:
        """Return when it happened, that it is written down now, and the user who does it. Raises UsageError.

        Read the levels first: a time without zone is then on the clock of the desk.
        """
        now_us = CLOCK.now().utc_us
        at_us = moment(self.at, now_us) if self.at else now_us
        return ActRecord(to_datetime(at_us), to_datetime(now_us), actor())


def working_time(time: timedelta) -> str:
    """Return working time as hours and minutes, not as days, because a working day is shorter than 24 hours."""
    minutes = abs(int(time.total_seconds())) // 60
    return f"{minutes // 60} h {minutes % 60:02}"


def clock_text(clock: TicketClock) -> str:
    """Return what a person must know of a clock: what is left of it, or whether the goal was kept."""
    match clock.state:
        case ClockState.RUNNING:
            return f"{working_time(clock.left)} left"
        case ClockState.STOPPED:
            return f"stopped, {working_time(clock.left)} left"
        case ClockState.OVERDUE:
            return f"OVERDUE by {working_time(clock.left)}"
        case ClockState.IN_TIME:
            return f"in time, after {working_time(clock.worked)}"
        case ClockState.LATE:
            return f"LATE by {working_time(clock.left)}"


def ticket_row(one: TicketStanding) -> dict[str, Any]:
    """Return a ticket for a table."""
    return {
        "ticket": one.ticket.id,
        "severity": one.life.severity,
        "state": one.life.state.value,
        "opened": shown_time(one.ticket.opened_at),
        "answer": clock_text(one.answer),
        "answer_due": shown_time(one.answer.due) if one.answer.is_kept is None else "",
        "solve": clock_text(one.solve),
        "solve_due": shown_time(one.solve.due) if one.solve.is_kept is None else "",
        "title": one.ticket.title,
    }


def ticket_fields(one: TicketStanding) -> dict[str, Any]:
    """Return a ticket for a machine, without its events."""
    ticket, life = one.ticket, one.life
    return {
        "ticket": ticket.id,
        "severity": life.severity,
        "state": life.state.value,
        "title": ticket.title,
        "way": ticket.way.value,
        "reference": ticket.reference or None,
        "opened": stamp(ticket.opened_at),
        "answered": stamp(life.answered_at),
        "paused": stamp(life.paused_at),
        "solved": stamp(life.solved_at),
        "pauses": life.pauses,
        "reopenings": life.reopenings,
        "answer": _clock_fields(one.answer),
        "solve": _clock_fields(one.solve),
    }


def _clock_fields(clock: TicketClock) -> dict[str, Any]:
    return {
        "state": clock.state.value,
        "due": stamp(clock.due),
        "worked_s": clock.worked.total_seconds(),
        "limit_s": clock.limit.total_seconds(),
        "left_s": clock.left.total_seconds(),
    }
