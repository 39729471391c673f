"""How the commands show an emergency and its first communication."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.duty_rows import duty_fields, event_fields, state_text
from vetlla.cli.kit.moments import shown_iso, to_the_second
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.kit.registry import as_note
from vetlla.domain.clock import iso
from vetlla.service.dispatch.first_communication import reasons

if TYPE_CHECKING:
    from vetlla.domain.alarms import Alarm
    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.dispatch.first_communication import FirstCommunication

AlarmNumber = Annotated[
    str,
    typer.Argument(metavar="ALARM", help="Number of the alarm; D and the number of the duty if no alarm is known."),
]
UnitCode = Annotated[str, typer.Argument(metavar="UNIT", help="Code of the unit, such as UMO-03.")]
Note = Annotated[str, typer.Option("--note", parser=as_note, metavar="TEXT", help="A note, without personal data.")]
Reason = Annotated[
    str, typer.Option("--reason", "--note", parser=as_note, metavar="TEXT", help="Why; without personal data.")
]


def emergency_fields(one: StreetEmergency) -> dict[str, Any]:
    """Return an emergency for a machine. Times are UTC."""
    return {
        "type": one.type.value,
        "alarms": list(one.alarms),
        "unit": one.unit or None,
        "base": one.base or None,
        "sent": iso(one.sent_us),
        "arrived": iso(one.arrived_us),
        "access": iso(one.access_us),
        "no_access": iso(one.no_access_us),
        **duty_fields(one.standing),
    }


def print_emergency(one: StreetEmergency, *, as_json: bool) -> None:
    """Print an emergency after a change."""
    if as_json:
        events = [event_fields(event) for event in one.standing.duty.events]
        print_json(emergency_fields(one) | {"events": events})
        return
    unit = f", {one.unit}" if one.unit else ""
    console().print(
        f"emergency {one.id} of {one.home}, type {one.type}, {' '.join((one.named, *one.alarms[1:]))}{unit}:"
        f" first communication {to_the_second(one.opened_us)}; {state_text(one.standing)}",
        soft_wrap=True,
    )


def tell_doubt(doubt: str, remedy: str) -> None:
    """Warn the user that what was recorded may be wrong, and how to mend it; nothing for an empty doubt."""
    if doubt:
        talk().print(f"{doubt}: {remedy}", style="yellow", soft_wrap=True)


def beginning_fields(found: FirstCommunication, window_us: int) -> dict[str, Any]:
    """Return for a machine when an emergency began, by which alarm and why."""
    return {
        "at": iso(found.at_us),
        "alarm": found.first.id,
        "alarms": [_alarm_fields(one) for one in found.alarms],
        "why": " ".join(reasons(found, window_us, to_the_second)),
    }


def _alarm_fields(one: Alarm) -> dict[str, Any]:
    return {
        "alarm": one.id,
        "kind": one.kind.value,
        "priority": one.priority.name,
        "established": iso(one.established_us),
        "opened": iso(one.opened_us),
        "closed": iso(one.closed_us),
        "outcome": one.outcome.value if one.outcome else None,
    }


def alarm_row(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of an alarm for a table."""
    return fields | {name: shown_iso(fields[name]) for name in ("established", "opened", "closed")}
