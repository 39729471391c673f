"""``vetlla dispatch show``, ``board`` and ``propose``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vetlla.cli.dispatch.rows import AlarmNumber, alarm_row, beginning_fields, emergency_fields
from vetlla.cli.kit.duty_rows import all_events, print_events, state_text
from vetlla.cli.kit.duty_view import DutyView
from vetlla.cli.kit.moments import to_the_second
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.domain.clock import SECOND_US, iso, stretch
from vetlla.domain.errors import AccessError, StoreError, UsageError
from vetlla.service.dispatch.emergency import DUTY_MARK
from vetlla.service.dispatch.possible import impossible
from vetlla.store.registry.registry import must_exist
from vetlla.tasks.dispatch import doubts, looking
from vetlla.tasks.dispatch.beginning import beginning_of

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.dispatch.order import Line
    from vetlla.service.duties.terms import DutyRules

BOARD_COLUMNS = ("place", "alarm", "home", "type", "unit", "state", "waited", "to 30", "left", "send", "why")
CALL_COLUMNS = ("alarm", "kind", "established", "closed", "outcome")


@with_option_groups
def show(
    alarm: AlarmNumber,
    *,
    view: DutyView,
) -> None:
    """Show the emergency of an alarm: which communication started its clock and why, its unit, and its verdict.

    Without an emergency it shows which communication would start the clock.

    Example: vetlla dispatch show 1207
    """
    with view.reading() as (connection, rules, now_us):
        one = looking.of_alarm(connection, rules, alarm, now_us)
        events = all_events(connection, rules, one.standing.duty) if one else []
        doubtful = [*doubts.doubts_of(connection, rules, one.standing.duty, now_us)] if one else []
        named = one.alarms[0] if one and one.alarms and looking.duty_number(alarm) else alarm
        beginning, unread = _beginning(connection, rules, view.state_dir, named, now_us, one)
    fields: dict[str, Any] = {"alarm": alarm, "home": one.home if one else None, "first": beginning}
    fields |= emergency_fields(one) if one else {}
    doubt = " ".join(filter(None, (_doubt(one, beginning), _contradictions(one), *(f"{said}." for said in doubtful))))
    if one:
        because = beginning["why"] if beginning else unread
        fields["why"] = " ".join(filter(None, (because, doubt, fields["why"])))
        fields["events"] = events
    if view.as_json:
        print_json(fields)
        return
    _print_sheet(alarm, one, fields, beginning)


def _print_sheet(
    alarm: str, one: StreetEmergency | None, fields: dict[str, Any], beginning: dict[str, Any] | None
) -> None:
    out = console()
    if one is None:
        out.print(f"alarm {alarm} has no emergency: vetlla dispatch type {alarm} I", style="bold", soft_wrap=True)
        out.print(f"  {beginning['why'] if beginning else ''}", soft_wrap=True)
    else:
        title = f"emergency {one.id} of {one.home}, type {one.type}, {' '.join((one.named, *one.alarms[1:]))}"
        out.print(title, style="bold", soft_wrap=True)
        unit = f"unit {one.unit} of {one.base or 'an unknown base'}" if one.unit else "no unit"
        out.print(f"  {unit}; {state_text(one.standing)}", soft_wrap=True)
        out.print(f"  {fields['why']}", soft_wrap=True)
    if beginning:
        print_rows(map(alarm_row, beginning["alarms"]), CALL_COLUMNS, as_json=False, title="Communications")
    if one is not None:
        print_events(fields["events"])


def _beginning(
    connection: sqlite3.Connection,
    rules: DutyRules,
    state_dir: Path,
    alarm: str,
    now_us: int,
    one: StreetEmergency | None,
) -> tuple[dict[str, Any] | None, str]:
    """Return how the journal says that it began; for a known emergency None and why, if the journal does not say it."""
    if one is not None and not one.alarms:
        return None, "No alarm is known of it, so that its clock starts when its duty was opened."
    try:
        found = beginning_of(connection, rules, state_dir, alarm, now_us, of=one)
    except (UsageError, StoreError, AccessError) as error:
        if one is None:
            raise
        return None, f"The journal does not say how it began: {error.args[0]}."
    return beginning_fields(found.first, found.window_us), ""


def _doubt(one: StreetEmergency | None, beginning: dict[str, Any] | None) -> str:
    """Return a sentence if the duty was opened later than the journal says."""
    if one is None or beginning is None or beginning["at"] >= (iso(one.opened_us) or ""):
        return ""
    return (
        f"The duty was opened with a later time, {to_the_second(one.opened_us)}: if the journal is right, take the"
        " opening back (vetlla duties withdraw) and give the type again."
    )


def _contradictions(one: StreetEmergency | None) -> str:
    """Return a sentence for each event that contradicts another one."""
    wrong = impossible(one.standing.duty, to_the_second) if one else []
    return " ".join(
        f"Event {found.event.id} contradicts another one: {found.reason}."
        " Take the wrong one back (vetlla duties withdraw EVENT)."
        for found in wrong
    )


@with_option_groups
def board(view: DutyView) -> None:
    """Show the open emergencies in the order in which they should get a unit, each with the reason.

    Type I comes before type II, and in a type the one with the least time left comes first. Those that wait for the
    unit that was sent follow, then those that are attended. Those of which nothing was recorded for a day come last.

    Example: vetlla dispatch board
    """
    must_exist(view.state_dir)
    with view.reading() as (connection, rules, now_us):
        lines = looking.lines(connection, rules, now_us)
    rows = (line_fields(place, line, now_us) for place, line in enumerate(lines, start=1))
    print_rows(rows if view.as_json else map(_line_row, rows), BOARD_COLUMNS, as_json=view.as_json)


def line_fields(place: int, line: Line, now_us: int) -> dict[str, Any]:
    """Return a line of the board for a machine; times are seconds."""
    one = line.emergency
    return {
        "place": place,
        "duty": one.id,
        "alarm": one.alarms[0] if one.alarms else None,
        "alarms": list(one.alarms),
        "home": one.home,
        "type": one.type.value,
        "unit": one.unit or None,
        "state": _state(line),
        "opened": iso(one.opened_us),
        "waited_s": (now_us - one.opened_us) // SECOND_US,
        "to_share_s": None if line.to_share_us is None else line.to_share_us // SECOND_US,
        "left_s": None if line.left_us is None else line.left_us // SECOND_US,
        "escalated": line.is_escalated,
        "proposed": line.proposal.unit.code if line.proposal else None,
        "why": line.why,
    }


def _state(line: Line) -> str:
    one = line.emergency
    if line.has_no_news:
        return "no news"
    if one.is_attended:
        return "attended"
    if one.waits and not one.unit:
        return "ESCALATED" if line.is_escalated else "no unit"
    if not one.unit or one.shut_out_us is not None:
        return "no access"
    return "at the door" if one.arrived_us else "on the way"


def _line_row(fields: dict[str, Any]) -> dict[str, Any]:
    times = {"waited": fields["waited_s"], "to 30": fields["to_share_s"], "left": fields["left_s"]}
    named = {"alarm": fields["alarm"] or f"{DUTY_MARK}{fields['duty']}", "send": fields["proposed"]}
    return fields | {name: _span(value) for name, value in times.items()} | named


def _span(seconds: int | None) -> str:
    if seconds is None:
        return ""
    return f"-{stretch(-seconds)}" if seconds < 0 else stretch(seconds)


@with_option_groups
def propose(
    alarm: AlarmNumber,
    *,
    view: DutyView,
) -> None:
    """List the free units that could go to an emergency, the nearest first, each with the reason.

    The base of the home comes first, then the others in the order of the parameter umo.base_order.BASE.

    Example: vetlla dispatch propose 1207
    """
    with view.reading() as (connection, rules, now_us):
        one = looking.the_emergency(connection, rules, alarm, now_us)
        found = looking.proposer(connection, rules, looking.known_units(connection, rules, now_us), now_us)(one)
    rows = (
        {
            "place": place,
            "unit": free.unit.code,
            "base": free.unit.base,
            "vehicle": free.unit.vehicle or None,
            "free_since": iso(free.unit.since_us) if view.as_json else to_the_second(free.unit.since_us),
            "why": free.why,
        }
        for place, free in enumerate(found, start=1)
    )
    if not print_rows(rows, ("place", "unit", "base", "free_since", "why"), as_json=view.as_json) and not view.as_json:
        console().print("no unit is free: vetlla dispatch units list says where they are", soft_wrap=True)
