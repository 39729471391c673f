"""``vetlla probe incident``: the log of outages, and what people noted about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import Utc, moment, to_the_second
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.parameters import ParametersFile, load
from vetlla.cli.kit.registry import CLOCK, as_note, background_priority
from vetlla.cli.probe.looking import Month, first_of
from vetlla.domain.clock import SECOND_US, iso, stretch
from vetlla.domain.errors import UsageError
from vetlla.domain.probes import Incident, ProbedPart
from vetlla.service.probes.lines import is_name
from vetlla.tasks.probes.times import Outage, Within, note_incident, outages
from vetlla.tasks.sla.availability import probed
from vetlla.tasks.sla.month import month_record

if TYPE_CHECKING:
    from collections.abc import Iterable

COLUMNS: Final = ("begin", "end", "length", "component", "what", "reason", "noted")
app = typer.Typer(no_args_is_help=True, help="Show the outages that probes saw, and note what is known about them.")


@app.command("add")
def add(
    *,
    component: Annotated[str, typer.Option("--component", metavar="NAME", help="The component, as probes name it.")],
    begin: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="TIME",
            help="When the outage began: ISO 8601 (on the clock of the service if it has no zone), or 2h ago.",
        ),
    ],
    end: Annotated[str, typer.Option("--until", metavar="TIME", help="When it ended.")],
    note: Annotated[str, typer.Option("--note", parser=as_note, metavar="TEXT", help="What is known about it.")],
    planned: Annotated[bool, typer.Option("--planned", help="It was maintenance that had been announced.")] = False,
    _utc: Utc = False,
    parameters_file: ParametersFile = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Note what is known about an outage. It stands beside the outage and changes no figure.

    The tender exempts no maintenance, so a planned outage is only shown as such. Write no personal data.

    Example: vetlla probe incident add --component mqtt --from 2h --until 90m --note "broker updated" --planned
    """
    load(parameters_file)  # times are on the clock of the service
    now_us = CLOCK.now().utc_us
    if not is_name(component):
        raise UsageError(f"{component!r} is no name of a component", remedy="`vetlla probe report` shows the names")
    incident = Incident(
        number=0,
        component=component,
        begun_us=moment(begin, now_us),
        ended_us=moment(end, now_us),
        is_planned=planned,
        note=note,
        by=actor(),
        recorded_us=now_us,
    )
    number = note_incident(state_dir, CLOCK, incident, dry_run=dry_run)
    if as_json:
        print_json(_note(incident._replace(number=number)) | {"dry_run": dry_run})
        return
    tried = " (dry run: nothing was written)" if dry_run else ""
    console().print(f"incident {number}: {component}, {_span(incident)}{tried}", soft_wrap=True)


@app.command("list")
@with_option_groups
def list_(
    *,
    month: Month = "",
    component: Annotated[str, typer.Option("--component", metavar="NAME", help="Only this component.")] = "",
    known: Known = "",
    options: RuleOptions,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """List the outages of a month and the times that no probe saw, with what people noted about them.

    Example: vetlla probe incident list --month 2026-11
    """
    background_priority()
    rules = options.rules()
    first = first_of(month, rules)
    with month_record(state_dir, CLOCK, rules, first, asked(known).known_us) as record:
        parts = {part: probed(record, part).times for part in ProbedPart}
        whole = Within(record.begin_us, record.end_us + 1)
        found = [one for one in outages(record.connection, parts, whole) if component in {"", one.component}]
    if as_json:
        for one in found:
            print_json(_fields(one))
    else:
        print_rows(_rows(found), COLUMNS, as_json=False)


def _rows(found: Iterable[Outage]) -> Iterable[dict[str, Any]]:
    for one in found:
        yield {
            "begin": to_the_second(one.begin_us),
            "end": to_the_second(one.end_us),
            "length": stretch((one.end_us - one.begin_us) / SECOND_US),
            "component": one.component,
            "what": one.span.condition.value if one.span else "noted only",
            "reason": one.span.reason if one.span else "",
            "noted": "; ".join(
                f"{'planned: ' if note.is_planned else ''}{note.note} ({note.by})" for note in one.notes
            ),
        }


def _fields(one: Outage) -> dict[str, Any]:
    return {
        "component": one.component,
        "part": one.part.value if one.part else None,
        "what": one.span.condition.value if one.span else None,
        "begin": iso(one.span.begin_us) if one.span else None,
        "end": iso(one.span.end_us) if one.span else None,
        "length_us": one.span.length_us if one.span else None,
        "reason": one.span.reason if one.span else "",
        "notes": [_note(note) for note in one.notes],
    }


def _note(note: Incident) -> dict[str, Any]:
    return {
        "incident": note.number,
        "component": note.component,
        "from": iso(note.begun_us),
        "until": iso(note.ended_us),
        "planned": note.is_planned,
        "note": note.note,
        "by": note.by,
        "recorded": iso(note.recorded_us),
    }


def _span(incident: Incident) -> str:
    return f"{to_the_second(incident.begun_us)} to {to_the_second(incident.ended_us)}"
