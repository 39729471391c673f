"""How commands show a duty and its events, and the options that all commands about duties share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.moments import Utc, moment, shown_iso, to_the_second, use_zone
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.parameters import ParametersFile
from vetlla.cli.kit.registry import CLOCK, as_note
from vetlla.domain.clock import SECOND_US, iso, stretch
from vetlla.domain.column_types import NUMBER_MAX
from vetlla.domain.duties import DutyVerdict, NewEvent, withdrawn_numbers
from vetlla.domain.errors import UsageError
from vetlla.service.duties.columns import details_text
from vetlla.service.duties.why import why
from vetlla.tasks.duties import looking
from vetlla.tasks.duties.book import Recording
from vetlla.tasks.duties.desk import DutyDesk
from vetlla.tasks.duties.rules import load_rules

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from vetlla.domain.duties import Duty, DutyEvent
    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules

COLUMNS = ("id", "kind", "subject", "opened", "due", "ended", "verdict", "ans", "ref")
EVENT_COLUMNS = ("id", "event", "at", "by", "ref", "from", "to", "note", "source", "withdrawn")

KindsFile = Annotated[
    Path | None,
    typer.Option(
        "--kinds",
        envvar="VETLLA_DUTIES",
        metavar="FILE",
        readable=False,
        help="File of the kinds of duties. Default: the installed duties.toml.",
    ),
]
DutyNumber = Annotated[int, typer.Argument(metavar="ID", min=1, max=NUMBER_MAX, help="Number of the duty.")]
At = Annotated[
    str,
    typer.Option(
        "--at",
        metavar="TIME",
        help="When it happened: ISO 8601 (on the clock of the service if it has no zone), or 2h ago. Default: now.",
    ),
]
Reference = Annotated[
    str, typer.Option("--ref", metavar="TEXT", help="Its number in the system that it comes from, such as a complaint.")
]
ByWhom = Annotated[
    str, typer.Option("--by", metavar="NAME", help="Code of the person who did it. Default: the user of the command.")
]
NoteText = Annotated[
    str,
    typer.Option("--note", "--reason", parser=as_note, metavar="TEXT", help="A note, without personal data."),
]
Begin = Annotated[str, typer.Option("--from", metavar="TIME", help="Begin of the promised time.")]
End = Annotated[str, typer.Option("--to", metavar="TIME", help="End of the promised time; a day means its end.")]
Base = Annotated[str, typer.Option("--base", help="The intervention base.")]
Team = Annotated[str, typer.Option("--team", help="Code of the technician or of the emergency unit.")]


def duty_rules(kinds: Path | None, parameters_file: Path | None) -> DutyRules:
    """Return the rules of duties; times are then on the clock of the service. Raises ConfigError."""
    rules = load_rules(kinds, parameters_file)
    use_zone(rules.calendar.zone)
    return rules


class RuleOptions(NamedTuple):
    """Options that name the rules."""

    kinds: KindsFile = None
    parameters_file: ParametersFile = None

    def rules(self) -> DutyRules:
        """Return the rules of duties; times are then on the clock of the service. Raises ConfigError."""
        return duty_rules(self.kinds, self.parameters_file)


class Entry(NamedTuple):
    """Options of every command that records an event of a duty."""

    at: At = ""
    ref: Reference = ""
    by: ByWhom = ""
    note: NoteText = ""
    dry_run: DryRun = False
    kinds: KindsFile = None
    parameters_file: ParametersFile = None
    utc: Utc = False
    as_json: AsJson = False
    state_dir: StateDir = DEFAULT_STATE_DIR

    def rules(self) -> DutyRules:
        """Return the rules of duties; times are then on the clock of the service. Raises ConfigError."""
        return duty_rules(self.kinds, self.parameters_file)

    def recording(self, command: str) -> Recording:
        """Return that something is written down now, by a command."""
        return Recording(CLOCK.now().utc_us, f"vetlla {command}")

    def desk(self, command: str) -> DutyDesk:
        """Return where and how a command writes. Raises ConfigError."""
        return DutyDesk(self.state_dir, CLOCK, self.rules(), f"vetlla {command}", self.dry_run)

    def at_us(self) -> int:
        """Return when it happened, microseconds UTC. Raises UsageError.

        Read the rules first: a time without zone is then on the clock of the service, and not of the machine.
        """
        now_us = CLOCK.now().utc_us
        return moment(self.at, now_us) if self.at else now_us

    def person(self) -> str:
        """Return the code of the person who did it, or the user of the command."""
        return self.by.strip() or actor()

    def told(self, kind: str, subject: str, event: str, **details: str) -> NewEvent:
        """Return the event that the options tell; ``details`` are texts such as base and team. Raises UsageError."""
        return NewEvent(
            kind=kind,
            subject=subject,
            event=event,
            at_us=self.at_us(),
            ref=self.ref.strip(),
            by=self.person(),
            note=self.note.strip(),
            details=details_text(details),
        )


def promised(told: NewEvent, rules: DutyRules, begin: str, end: str) -> NewEvent:
    """Return an event with the promised time that two options give. Raises UsageError."""
    return told._replace(
        begin_us=_end_us(begin, rules, is_end=False) if begin else None,
        end_us=_end_us(end, rules, is_end=True) if end else None,
    )


def _end_us(text: str, rules: DutyRules, *, is_end: bool) -> int:
    """Return a moment that a user typed; a day means its begin or its end on the calendar of the service."""
    try:
        if ":" not in text:
            local_time = rules.calendar.local_time
            return local_time.end_of(text.strip()) if is_end else local_time.begin_of(text.strip())
    except ValueError as error:
        raise UsageError(f"{text!r} {error}") from error
    return moment(text, CLOCK.now().utc_us)


def duty_fields(one: Standing) -> dict[str, Any]:
    """Return a duty for a machine, without its events. Times are UTC; elapsed and stopped are seconds."""
    duty, terms = one.duty, one.terms
    return {
        "id": duty.id,
        "kind": duty.kind,
        "subject": duty.subject,
        "ref": duty.ref,
        "opened": iso(duty.opened_us),
        "due": iso(one.due_us),
        "ended": iso(one.ended.told.at_us) if one.ended else None,
        "elapsed": one.elapsed_us / SECOND_US,
        "stopped": one.stopped_us / SECOND_US,
        "verdict": one.verdict.value,
        "ans": terms.kind.ans,
        "worse": terms.kind.worse.is_ if one.is_worse and terms.kind.worse else None,
        "why": why(one, to_the_second),
    }


def duty_row(one: Standing) -> dict[str, Any]:
    """Return a duty for a table."""
    duty = one.duty
    return {
        "id": duty.id,
        "kind": duty.kind,
        "subject": duty.subject,
        "opened": to_the_second(duty.opened_us),
        "due": "" if one.due_us is None else to_the_second(one.due_us),
        "ended": to_the_second(one.ended.told.at_us) if one.ended else "",
        "verdict": one.verdict.value,
        "ans": one.terms.kind.ans,
        "ref": duty.ref,
    }


def event_fields(event: DutyEvent, *, withdrawn: bool = False) -> dict[str, Any]:
    """Return an event for a machine."""
    told = event.told
    return {
        "id": event.id,
        "event": told.event,
        "at": iso(told.at_us),
        "by": told.by,
        "ref": told.ref,
        "note": told.note,
        "from": iso(told.begin_us),
        "to": iso(told.end_us),
        "details": told.detail,
        "source": event.source,
        "recorded": iso(event.recorded_us),
        "withdrawn": withdrawn,
    }


def all_events(connection: sqlite3.Connection, rules: DutyRules, duty: Duty) -> list[dict[str, Any]]:
    """Return the events of a duty for a machine: those that stand, then withdrawn ones and their withdrawals."""
    taken = looking.withdrawn(connection, rules, duty)
    gone = withdrawn_numbers(taken)
    return [
        *map(event_fields, duty.events),
        *(event_fields(event, withdrawn=event.id in gone) for event in taken),
    ]


def event_row(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an event for a table."""
    details = " ".join(f"{name}={text}" for name, text in fields["details"].items())
    times = {name: shown_iso(fields[name]) for name in ("at", "from", "to")}
    return fields | times | {"note": " ".join(filter(None, (fields["note"], details)))}


def print_duty(one: Standing, *, as_json: bool) -> None:
    """Print a duty after a change: for a machine all of it, for a person one line with its verdict and clock."""
    if as_json:
        print_json(duty_fields(one) | {"events": [event_fields(event) for event in one.duty.events]})
        return
    duty = one.duty
    console().print(f"{duty.kind} {duty.id} of {duty.subject}: {state_text(one)}", soft_wrap=True)


def state_text(one: Standing) -> str:
    """Return the verdict of a duty, and what is left of its clock."""
    text = one.verdict.value if one.ended is None else f"{one.verdict}, {one.ended.told.event}"
    if one.due_us is None or one.verdict is not DutyVerdict.OPEN:
        return text
    left = (one.due_us - one.until_us) // SECOND_US
    return f"{text}, due {to_the_second(one.due_us)} (in {stretch(left)})"


def print_events(events: Iterable[dict[str, Any]]) -> None:
    """Print the fields of events as a table."""
    print_rows((event_row(fields) for fields in events), EVENT_COLUMNS, as_json=False)
