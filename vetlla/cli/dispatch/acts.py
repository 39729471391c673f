"""``vetlla dispatch type``, ``send`` and the other commands that record what becomes of an emergency."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from vetlla.cli.dispatch.rows import AlarmNumber, Note, Reason, print_emergency, tell_doubt
from vetlla.cli.kit.duty_rows import Entry
from vetlla.cli.kit.option_groups import Instead, with_option_groups
from vetlla.cli.kit.registry import CLOCK
from vetlla.domain.emergencies import EmergencyType
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.dispatch import acts, looking, types
from vetlla.tasks.dispatch.work import Told, Work

if TYPE_CHECKING:
    from collections.abc import Iterator


Act: TypeAlias = Annotated[Entry, Instead(ref=None, note=None)]
"""Options of every command that records what becomes of an emergency; some of these commands demand a reason."""


@contextmanager
def work_of(act: Act, command: str, note: str) -> Iterator[tuple[Work, Told]]:
    """Yield the registry for one change by a command, and who says when that it happened. Raises UsageError."""
    rules = act.rules()
    told = Told(act.at_us(), act.person(), note)
    with transaction(act.state_dir, CLOCK, dry_run=act.dry_run) as connection:
        yield Work(connection, rules, act.recording(f"dispatch {command}")), told


@with_option_groups
def set_type(
    alarm: AlarmNumber,
    wanted: Annotated[EmergencyType, typer.Argument(metavar="I|II", help="Type of the emergency.")],
    note: Note = "",
    *,
    act: Act,
) -> None:
    """Give the emergency of an alarm its type: its clock has run since the first communication.

    That one is found in the journal: earlier alarms of the home belong to the same emergency if each came before the
    chaining time had passed since the end of one before it, also if that was closed. If the emergency is known, the
    alarm joins it. The type can be changed until a unit gets in.

    Example: vetlla dispatch type 1207 I
    """
    with work_of(act, "type", note) as (work, told):
        one = types.set_type(work, act.state_dir, alarm, wanted, told)
    print_emergency(one, as_json=act.as_json)


@with_option_groups
def send(
    alarm: AlarmNumber,
    unit: Annotated[str, typer.Option("--unit", metavar="UNIT", help="Code of the unit, such as UMO-03.")],
    base: Annotated[str, typer.Option("--base", help="Base from which it starts. Default: the unit's.")] = "",
    note: Note = "",
    *,
    act: Act,
) -> None:
    """Send a unit to an emergency. A unit that was sent there before is free again.

    Example: vetlla dispatch send 1207 --unit UMO-03
    """
    with work_of(act, "send", note) as (work, told):
        one = acts.send(work, alarm, told, unit=unit, base=base)
        doubt = looking.base_doubt(work.connection, one.base) if base else ""
    print_emergency(one, as_json=act.as_json)
    tell_doubt(doubt, f"if that is wrong, vetlla dispatch recalled {one.label} --reason WHY, and send again")


@with_option_groups
def recalled(alarm: AlarmNumber, reason: Reason, *, act: Act) -> None:
    """Record that the unit was called away before it got in: it is free, and the emergency needs another unit.

    Example: vetlla dispatch recalled 1207 --reason "diverted to alarm 1210"
    """
    _progress("recalled", alarm, "recalled", reason, act)


@with_option_groups
def arrived(alarm: AlarmNumber, note: Note = "", *, act: Act) -> None:
    """Record that the unit is at the door. The clock runs until it gets in.

    Example: vetlla dispatch arrived 1207
    """
    _progress("arrived", alarm, "arrived", note, act)


@with_option_groups
def access(alarm: AlarmNumber, note: Note = "", *, act: Act) -> None:
    """Record that the unit got in: the clock of ANS 11 or 12 ends.

    Example: vetlla dispatch access 1207 --at 5m
    """
    _progress("access", alarm, "access", note, act)


@with_option_groups
def no_access(alarm: AlarmNumber, reason: Reason, *, act: Act) -> None:
    """Record that the unit came and could not get in. The parameter duty.umo.no_access_counts says how that is judged.

    Example: vetlla dispatch no-access 1207 --reason "chain on the door, fire brigade called"
    """
    _progress("no-access", alarm, "no_access", reason, act)


def _progress(command: str, alarm: str, event: str, note: str, act: Act) -> None:
    with work_of(act, command, note) as (work, told):
        one = acts.progress(work, alarm, event, told)
    print_emergency(one, as_json=act.as_json)


@with_option_groups
def cancelled(alarm: AlarmNumber, reason: Reason, *, act: Act) -> None:
    """Call an emergency off before a unit reaches the home. If its limit has passed, it stays a breach.

    Example: vetlla dispatch cancelled 1207 --reason "the daughter is there"
    """
    with work_of(act, "cancelled", reason) as (work, told):
        one = acts.cancel(work, alarm, told)
    print_emergency(one, as_json=act.as_json)


@with_option_groups
def finished(alarm: AlarmNumber, note: Note = "", *, act: Act) -> None:
    """Record that the emergency is over: the unit is free.

    Example: vetlla dispatch finished 1207
    """
    with work_of(act, "finished", note) as (work, told):
        one = acts.finish(work, alarm, told)
    print_emergency(one, as_json=act.as_json)
