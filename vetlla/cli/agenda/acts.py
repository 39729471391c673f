"""``vetlla agenda next``, ``done``, ``called``, ``no-answer``, ``postpone`` and ``unanswered``: an operator's work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.agenda.rows import next_fields
from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.duty_rows import Entry, RuleOptions, print_duty
from vetlla.cli.kit.moments import Utc, to_the_second
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.kit.registry import CLOCK
from vetlla.domain.column_types import NUMBER_MAX
from vetlla.domain.errors import UsageError
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.agenda import desk
from vetlla.tasks.agenda.incoming import IncomingCall, count_incoming
from vetlla.tasks.duties.book import Recording

if TYPE_CHECKING:
    from vetlla.service.agenda.call import AgendaCall
    from vetlla.service.duties.standing import Standing
    from vetlla.tasks.agenda.desk import NextCall

AgendaNumber = Annotated[
    int,
    typer.Argument(
        metavar="ID", min=1, max=NUMBER_MAX, help="Number of the call of the agenda; calls show has other numbers."
    ),
]


@with_option_groups
def next_(
    operator: Annotated[
        str, typer.Option("--operator", metavar="CODE", help="Who makes the call. Default: the user of the command.")
    ] = "",
    language: Annotated[
        list[str] | None,
        typer.Option("--language", help="Only homes with this language, or without a known one; several times."),
    ] = None,
    *,
    options: RuleOptions,
    dry_run: DryRun = False,
    _utc: Utc = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Hand an operator the next call: first what must be made today, then what is planned for today, by its time.

    No other operator gets the call for the time of parameter agenda.lease. An operator who has one in hand gets it
    again. Without a call to make the command prints nothing on the standard output.

    Example: vetlla agenda next --operator op7 --language ca
    """
    rules = options.rules()
    recording = Recording(CLOCK.now().utc_us, "vetlla agenda next")
    with transaction(state_dir, CLOCK, dry_run=dry_run) as connection:
        found = desk.next_call(connection, rules, operator or actor(), language or (), recording)
    if found is None:
        talk().print("no call is to be made now; vetlla agenda list --day YYYY-MM-DD shows the calls of a day")
    elif as_json:
        print_json(next_fields(found, recording.now_us))
    else:
        _tell(found)


@with_option_groups
def done(
    target: Annotated[
        str,
        typer.Argument(metavar="ID|HOME", help="Number of the call of the agenda; with --incoming code of the home."),
    ],
    incoming: Annotated[
        bool, typer.Option("--incoming", help="The home called us, and that counts as its call.")
    ] = False,
    *,
    entry: Entry,
) -> None:
    """Record that a call was answered. It ends the call.

    An incoming call counts as the open call of its home at that time, if there is exactly one.

    Example: vetlla agenda done 4711 --note "all is well"
    """
    rules = entry.rules()
    told = entry.told("", "", "")
    number = 0 if incoming else _number(target)
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        recording = entry.recording("agenda done")
        if number:
            one = desk.answered(connection, rules, number, told, recording)
        else:
            call = IncomingCall(target, told.at_us, told.ref, told.by, told.note)
            counted = count_incoming(connection, rules, call, recording)
            if counted.standing is None:
                remedy = " or ".join(f"vetlla agenda done {number}" for number in counted.candidates)
                raise UsageError(counted.why, remedy=remedy or f"vetlla duties list --subject {target}")
            one = counted.standing
    print_duty(one, as_json=entry.as_json)


@with_option_groups
def called(number: AgendaNumber, *, entry: Entry) -> None:
    """Record one of several familiarisation or contact calls. More follow; agenda done records the last one.

    Example: vetlla agenda called 4711
    """
    rules = entry.rules()
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        one = desk.called(connection, rules, number, entry.told("", "", ""), entry.recording("agenda called"))
    print_duty(one, as_json=entry.as_json)


@with_option_groups
def no_answer(number: AgendaNumber, *, entry: Entry) -> None:
    """Record a call without an answer. It comes back after the time of parameter agenda.retry.

    Example: vetlla agenda no-answer 4711
    """
    rules = entry.rules()
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        told = entry.told("", "", "")
        one, call = desk.no_answer(connection, rules, number, told, entry.recording("agenda no-answer"))
    _tell_moment(one, call, as_json=entry.as_json)


@with_option_groups
def postpone(
    number: AgendaNumber,
    to: Annotated[
        str,
        typer.Option("--to", metavar="DAY|TIME", help="Day, at the same time of day, or time, on the service's clock."),
    ],
    *,
    entry: Entry,
) -> None:
    """Move a call to another day or time, because the user asks for it. The end of its time does not move.

    It warns of a day or an hour in which no operator calls, and of a call that is late already.

    Example: vetlla agenda postpone 4711 --to "2026-12-10 16:30"
    """
    rules = entry.rules()
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        told = entry.told("", "", "")
        moved = desk.postpone(connection, rules, number, told, entry.recording("agenda postpone"), to=to)
    _tell_moment(moved.standing, moved.call, as_json=entry.as_json)
    for warning in moved.warnings:
        talk().print(f"warning: {warning}", style="yellow", soft_wrap=True)


@with_option_groups
def unanswered(number: AgendaNumber, *, entry: Entry) -> None:
    """Give a call up after the attempts of parameter agenda.attempts. It ends the call.

    Example: vetlla agenda unanswered 4711
    """
    rules = entry.rules()
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        told = entry.told("", "", "")
        one = desk.unanswered(connection, rules, number, told, entry.recording("agenda unanswered"))
    print_duty(one, as_json=entry.as_json)


def _number(text: str) -> int:
    """Return the number of a call. Raises UsageError for anything else, such as the code of a home."""
    if text.isascii() and text.isdecimal() and 0 < int(text) <= NUMBER_MAX:
        return int(text)
    raise UsageError(
        f"{text!r} is no number of a call of the agenda",
        remedy=f"for a call from a home: vetlla agenda done {text} --incoming",
    )


def _tell(found: NextCall) -> None:
    call, home = found.call, found.home
    about = f"person {found.person} of home {home.code}" if found.person else f"home {home.code}"
    said = [f"{call.duty.kind} {call.duty.id}: {about}"]
    said += [f"level {call.level}"] if call.level else []
    said += [f"language {home.language}"] if home.language else []
    said += [f"telephone {' or '.join(home.phones)}"] if home.phones else []
    said += [f"attempt {call.attempts + 1}"] if call.attempts else []
    said += [f"by {to_the_second(call.last_us)}"] if call.last_us is not None else []
    console().print(f"{', '.join(said)} (yours until {to_the_second(call.held_until_us)})", soft_wrap=True)


def _tell_moment(one: Standing, call: AgendaCall, *, as_json: bool) -> None:
    print_duty(one, as_json=as_json)
    if not as_json:
        console().print(f"next call: {to_the_second(call.next_us)}", soft_wrap=True)
