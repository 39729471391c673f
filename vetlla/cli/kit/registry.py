"""Code that the inventory's commands share: the day, the registry's connection, the options."""

from __future__ import annotations

import gc
import os
from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.kit.exits import OWN_PROCESS
from vetlla.cli.kit.moments import as_day, day_of
from vetlla.cli.kit.output import talk
from vetlla.domain.clock import SystemClock
from vetlla.domain.errors import UsageError

if TYPE_CHECKING:
    from rich.status import Status

CLOCK = SystemClock()
NOTE_MAX = 500
"""Most characters of a note, as many as in a reason that the receiver takes."""


def as_note(text: str) -> str:
    """Return a note; typer reports one that is too long."""
    if len(text) > NOTE_MAX:
        raise typer.BadParameter(f"holds at most {NOTE_MAX} characters")
    return text


Day = Annotated[
    date | None, typer.Option("--day", parser=as_day, metavar="YYYY-MM-DD", help="Day to use instead of today.")
]
Serial = Annotated[str, typer.Argument(metavar="DEVICE", help="TYPE:SERIAL, or a serial, IMEI or account.")]
Note = Annotated[
    str, typer.Option("--reason", parser=as_note, metavar="TEXT", help="Reason, kept as the note of the movement.")
]


def today() -> date:
    """Return today's date on the calendar of the service; on this machine's if the run has not read the parameters."""
    return day_of(CLOCK.now().utc_us)


def past(day: date | None) -> date:
    """Return the day on which something happened: the given one or today. Raises UsageError for a future day."""
    if day is not None and day > today():
        raise UsageError(f"{day} lies in the future", remedy="record what has happened; `vetlla renewals` makes plans")
    return day or today()


def background_priority() -> None:
    """Prepare the process for a file or a report of a whole inventory.

    It then runs only while nothing else on the machine wants the processor, because the receiver comes first. Niceness
    is not enough, since a nice process still finishes its time slice while a frame waits. SCHED_IDLE gives way at once
    (sched(7)).
    """
    if OWN_PROCESS.get():
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    without_collector()


def without_collector() -> None:
    """Prepare the process to hold a whole inventory in memory, at normal priority because a user waits for the answer.

    This switches off the cyclic garbage collector. It would look through millions of small values again and again (a
    third of the time), and none of them forms a cycle.
    """
    if OWN_PROCESS.get():
        gc.disable()


def working(what: str) -> Status:
    """Return a status line that shows on a terminal what is being done; elsewhere it shows nothing."""
    return talk().status(what)
