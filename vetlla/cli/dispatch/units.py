"""``vetlla dispatch units``: the emergency units and where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.dispatch.acts import Act, work_of
from vetlla.cli.dispatch.rows import Note, UnitCode, tell_doubt
from vetlla.cli.kit.duty_view import DutyView
from vetlla.cli.kit.moments import to_the_second
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.domain.clock import iso
from vetlla.domain.emergencies import UnitEvent
from vetlla.domain.errors import UsageError
from vetlla.tasks.dispatch import looking
from vetlla.tasks.dispatch import units as tasks

if TYPE_CHECKING:
    from vetlla.service.dispatch.units import StreetUnit

app = typer.Typer(no_args_is_help=True, help="Keep the emergency units, and say where each one is.")
CODE_MAX = 32
"""Most characters of the code of a unit, a base or a vehicle. A longer one is a note in the wrong place."""
COLUMNS = ("unit", "base", "vehicle", "state", "since", "alarm", "home")
_STATES = {"free": "free", "on_the_way": "on the way", "at_home": "at a home", "off_duty": "off duty"}


@app.command("add")
@with_option_groups
def add(
    unit: UnitCode,
    base: Annotated[str, typer.Option("--base", help="Base from which it works.")],
    vehicle: Annotated[str, typer.Option("--vehicle", metavar="CODE", help="Code of its vehicle.")] = "",
    note: Note = "",
    *,
    act: Act,
) -> None:
    """Add a unit, which is then on duty; or change the base or the vehicle of a known one.

    Example: vetlla dispatch units add UMO-03 --base NORD --vehicle V-12
    """
    for code in (unit, base, vehicle):
        if not code.isprintable() or len(code) > CODE_MAX:
            raise UsageError(f"a code has at most {CODE_MAX} printable characters", remedy="correct the code")
    if not unit.strip() or not base.strip():
        raise UsageError("a unit has a code and a base", remedy="vetlla dispatch units add UMO-03 --base NORD")
    with work_of(act, "units add", note) as (work, told):
        one = tasks.add(work, UnitEvent(unit, "added", base, vehicle, *told))
        doubt = looking.base_doubt(work.connection, one.base)
    _print_one(one, as_json=act.as_json)
    tell_doubt(doubt, f"if that is wrong, vetlla dispatch units add {one.code} --base BASE")


@app.command("on")
@with_option_groups
def on(unit: UnitCode, note: Note = "", *, act: Act) -> None:
    """Record that a unit goes on duty.

    Example: vetlla dispatch units on UMO-03 --at 2h
    """
    _shift("on", unit, note, act)


@app.command("off")
@with_option_groups
def off(unit: UnitCode, note: Note = "", *, act: Act) -> None:
    """Record that a unit goes off duty. It must be free.

    Example: vetlla dispatch units off UMO-03 --note "vehicle in the workshop"
    """
    _shift("off", unit, note, act)


def _shift(event: str, unit: str, note: str, act: Act) -> None:
    with work_of(act, f"units {event}", note) as (work, told):
        one = tasks.shift(work, UnitEvent(unit, event, "", "", *told))
    _print_one(one, as_json=act.as_json)


@app.command("list")
@with_option_groups
def list_(
    view: DutyView,
) -> None:
    """List the units: free, on the way, at a home or off duty, since when, and for which alarm.

    Example: vetlla dispatch units list
    """
    with view.reading() as (connection, rules, now_us):
        known = looking.known_units(connection, rules, now_us)
    print_rows((_fields(one) if view.as_json else _row(one) for one in known), COLUMNS, as_json=view.as_json)


def _fields(one: StreetUnit) -> dict[str, Any]:
    away = one.emergency
    return {
        "unit": one.code,
        "base": one.base,
        "vehicle": one.vehicle or None,
        "state": one.state.value,
        "since": iso(one.since_us),
        "alarm": away.alarms[0] if away and away.alarms else None,
        "home": away.home if away else None,
    }


def _row(one: StreetUnit) -> dict[str, Any]:
    label = one.emergency.label if one.emergency else None
    return _fields(one) | {"alarm": label, "state": _STATES[one.state], "since": to_the_second(one.since_us)}


def _print_one(one: StreetUnit, *, as_json: bool) -> None:
    if as_json:
        print_json(_fields(one))
    else:
        console().print(f"unit {one.code} of {one.base}: {_STATES[one.state]}", soft_wrap=True)
