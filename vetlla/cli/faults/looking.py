"""``vetlla faults list``, ``show`` and ``report``."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.faults.acts import FaultNumber
from vetlla.cli.faults.rows import COLUMNS, fault_fields, fault_row
from vetlla.cli.kit import parameters
from vetlla.cli.kit.duty_rows import RuleOptions, all_events, duty_fields, print_events, state_text
from vetlla.cli.kit.duty_view import DutyView
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import as_month
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, counted, print_json, print_rows
from vetlla.cli.kit.registry import CLOCK, without_collector
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.cli.visits.rows import visit_fields, visit_row
from vetlla.store.homes.queries import must_know_home
from vetlla.tasks.faults import looking
from vetlla.tasks.faults.looking import FaultFilter

if TYPE_CHECKING:
    from vetlla.domain.devices import Movement
    from vetlla.service.faults.report import ModelFaults
    from vetlla.tasks.faults.looking import FaultView

REPORT_COLUMNS = ("type", "model", "devices", "faulty", "percent", "over")
VISIT_COLUMNS = ("id", "from", "to", "technician", "state", "verdict")
MOVEMENT_COLUMNS = ("day", "kind", "place", "home", "note")


@with_option_groups
def list_(
    home: Annotated[str, typer.Option("--home", help="Only this home.")] = "",
    base: Annotated[str, typer.Option("--base", help="Only this intervention base.")] = "",
    device: Annotated[str, typer.Option("--device", help="Only this device: TYPE:SERIAL, serial, IMEI, account.")] = "",
    is_open: Annotated[bool, typer.Option("--open", help="Only faults that are not over.")] = False,
    known: Known = "",
    limit: Limit = None,
    *,
    view: DutyView,
) -> None:
    """List faults in the order of their opening.

    Example: vetlla faults list --open --base NORD
    """
    without_collector()
    with view.reading(known) as (connection, rules, now_us):
        must_know_home(connection, home)
        found = looking.faults(connection, rules, FaultFilter(home, base, device, is_open), now_us)
    print_some(map(fault_fields if view.as_json else fault_row, found), COLUMNS, limit, as_json=view.as_json)


@with_option_groups
def show(
    number: FaultNumber,
    known: Known = "",
    *,
    view: DutyView,
) -> None:
    """Show a fault: both clocks with reasons, its events, its visits, and what was done to the device since.

    Example: vetlla faults show 4711
    """
    with view.reading(known) as (connection, rules, now_us):
        found = looking.view(connection, rules, number, now_us)
        events = all_events(connection, rules, found.fault.duty)
    if view.as_json:
        print_json(_fields(found, events))
        return
    fields, out = fault_fields(found.fault), console()
    out.print(f"fault {fields['id']} of {fields['home']}: {fields['device']} {fields['code']}", style="bold")
    for one in filter(None, (found.fault, found.visit)):
        out.print(f"  {one.terms.kind.title}: {state_text(one)}", soft_wrap=True)
        out.print(f"  {duty_fields(one)['why']}", soft_wrap=True)
    print_events(events)
    print_rows(map(visit_row, found.visits), VISIT_COLUMNS, as_json=False, title="visits")
    print_rows(map(_movement, found.movements), MOVEMENT_COLUMNS, as_json=False, title="device")


def _fields(found: FaultView, events: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        **fault_fields(found.fault),
        "events": events,
        "visit": duty_fields(found.visit) if found.visit else None,
        "visits": [visit_fields(visit) for visit in found.visits],
        "movements": [_movement(one) for one in found.movements],
    }


def _movement(one: Movement) -> dict[str, Any]:
    return {
        "day": str(one.day),
        "kind": one.kind.value,
        "place": one.place.value,
        "home": one.home,
        "note": one.note,
    }


@with_option_groups
def report(
    month: Annotated[date, typer.Option("--month", parser=as_month, metavar="YYYY-MM", help="The month.")],
    known: Known = "",
    *,
    options: RuleOptions,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Report the share of faulty devices of each model in a month (tender, 13.1.e).

    Exit status: 0 every model is within the parameter fault.share_max, 1 one is over it.

    Example: vetlla faults report --month 2026-11
    """
    rules = options.rules()
    found = looking.report(state_dir, CLOCK, rules, month, asked(known).known_us)
    values = rules.parameters.on(found.first)
    most = values.money("fault.share_max")
    rows = [_model(one, is_over=one.percent is not None and one.percent > most) for one in found.models]
    with verdict(int(any(row["over"] for row in rows))):
        print_rows(rows, REPORT_COLUMNS, as_json=as_json)
        if not as_json:
            console().print(
                f"at most {most} % may be faulty; {counted(found.unknown, 'fault')} without a device", soft_wrap=True
            )
            parameters.footnote(values)


def _model(one: ModelFaults, *, is_over: bool) -> dict[str, Any]:
    percent = None if one.percent is None else str(one.percent)
    return one._asdict() | {"percent": percent, "over": is_over}
