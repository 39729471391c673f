"""``vetlla support open``, ``answer``, ``pause`` and so on: what the desk does with a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.confirming import confirm
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.kit.registry import as_note
from vetlla.cli.reminders.database import database, now, shown_time
from vetlla.cli.reminders.options import DEFAULT_STATE_DIR, StateDir
from vetlla.cli.support.rows import ActOptions, Text, TicketNumber, Why, clock_text, levels_from, ticket_fields
from vetlla.domain.support import ContactWay, TicketAct
from vetlla.service.support.life import TicketState
from vetlla.tasks.support import desk

if TYPE_CHECKING:
    from vetlla.service.support.standing import TicketStanding

SeverityName = Annotated[str, typer.Argument(metavar="SEVERITY", help="As vetlla support levels names it.")]
REFERENCE_MAX = 64
"""Most characters of the city's number of a ticket."""


def _reference(text: str) -> str:
    if len(text) > REFERENCE_MAX:
        raise typer.BadParameter(f"holds at most {REFERENCE_MAX} characters")
    return text


@with_option_groups
def open_ticket(
    severity: SeverityName,
    title: Annotated[str, typer.Argument(parser=as_note, metavar="TITLE", help="What it is about, in a few words.")],
    *,
    way: Annotated[ContactWay, typer.Option("--way", help="How the city reached the desk.")] = ContactWay.PHONE,
    reference: Annotated[
        str, typer.Option("--reference", parser=_reference, metavar="TEXT", help="The city's own number of it.")
    ] = "",
    options: ActOptions,
) -> None:
    """Open a ticket: the clocks to answer and to solve begin, in the hours of the desk.

    The technicians of the city decide what is critical. Write no personal data into the title: no name, telephone or
    appointment of a citizen. Texts are kept, and stand in reports.

    Example: vetlla support open critical "no reminders since 9" --way email --at 2026-11-23T09:40
    """
    levels = levels_from(options.levels)
    recorded = options.recorded()
    with database(options.state_dir, make=True) as db:
        made = desk.open_ticket(db, levels, severity, title, way=way, reference=reference, recorded=recorded)
    _tell(made, as_json=options.as_json)


@with_option_groups
def answer_ticket(
    number: TicketNumber,
    *,
    text: Text = "",
    options: ActOptions,
) -> None:
    """Record that the desk has answered the city: the clock to answer ends.

    Example: vetlla support answer 12 --text "we look at it now" --at 15m
    """
    _act(number, TicketAct.ANSWERED, text, options)


@with_option_groups
def pause_ticket(
    number: TicketNumber,
    *,
    why: Why,
    options: ActOptions,
) -> None:
    """Stop the clocks, because the city has been told that it takes longer, and must decide what is done.

    Example: vetlla support pause 12 --why "the city decides on a new template"
    """
    _act(number, TicketAct.PAUSED, why, options)


@with_option_groups
def resume_ticket(
    number: TicketNumber,
    *,
    text: Text = "",
    options: ActOptions,
) -> None:
    """Let the clocks run on, because the city has decided.

    Example: vetlla support resume 12 --text "new template approved" --at 2026-11-24T10:00
    """
    _act(number, TicketAct.RESUMED, text, options)


@with_option_groups
def solve_ticket(
    number: TicketNumber,
    *,
    text: Text = "",
    options: ActOptions,
) -> None:
    """Record that a ticket is solved: its clocks end.

    If the desk had not answered, the solution counts as the answer.

    Example: vetlla support solve 12 --text "token renewed; all reminders are out"
    """
    _act(number, TicketAct.SOLVED, text, options)


@with_option_groups
def reopen_ticket(
    number: TicketNumber,
    *,
    why: Why,
    options: ActOptions,
) -> None:
    """Reopen a ticket that was not solved after all: the clock to solve runs on from where it ended.

    Example: vetlla support reopen 12 --why "SMS still fail at OGAT"
    """
    _act(number, TicketAct.REOPENED, why, options)


@with_option_groups
def change_severity(
    number: TicketNumber,
    severity: SeverityName,
    *,
    why: Why,
    options: ActOptions,
) -> None:
    """Raise or lower the severity of a ticket: its times count again from the opening.

    A ticket that was answered before keeps the judgement of its answer.

    Example: vetlla support severity 12 critical --why "the city calls it critical"
    """
    _act(number, TicketAct.SEVERITY, why, options, severity=severity)


@with_option_groups
def note_ticket(
    number: TicketNumber,
    text: Annotated[str, typer.Argument(parser=as_note, metavar="TEXT", help="The note, without personal data.")],
    *,
    options: ActOptions,
) -> None:
    """Add a note to a ticket; no clock changes.

    Example: vetlla support note 12 "provider informed"
    """
    _act(number, TicketAct.NOTE, text, options)


def redact_ticket(
    number: TicketNumber,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Remove all texts of a ticket, because one has personal data. What was done and when stays.

    Example: vetlla support redact 12 --yes
    """
    with database(state_dir) as db:
        title = desk.ticket_of(db, number).title
        confirm("Remove all texts of this ticket?", [f"ticket {number}: {title}"], yes=yes)
        count = desk.empty_texts(db, number, actor(), now())
    if as_json:
        print_json({"ticket": number, "removed": count})
    else:
        console().print(f"ticket {number}: {count} texts removed", soft_wrap=True)


def _act(number: int, act: TicketAct, text: str, options: ActOptions, *, severity: str = "") -> None:
    levels = levels_from(options.levels)
    with database(options.state_dir) as db:
        done = desk.act_on(db, levels, number, act, text, recorded=options.recorded(), severity=severity)
    _tell(done, as_json=options.as_json)


def _tell(one: TicketStanding, *, as_json: bool) -> None:
    if as_json:
        print_json(ticket_fields(one))
        return
    out = console()
    out.print(f"ticket {one.ticket.id}: {one.life.severity}, {one.life.state}", soft_wrap=True)
    for clock in one.clocks:
        due = f", due {shown_time(clock.due)}" if clock.is_kept is None and clock.due else ""
        out.print(f"  {clock.goal:<6}  {clock_text(clock)}{due}", soft_wrap=True)
    if one.life.state is TicketState.PAUSED:
        out.print(f"  the clocks stand until: vetlla support resume {one.ticket.id}", soft_wrap=True)
