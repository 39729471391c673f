"""``vetlla faults open``, ``solve``, ``cancel`` and ``from-alarms``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.faults.rows import fault_fields
from vetlla.cli.kit.duty_rows import Entry, RuleOptions, state_text
from vetlla.cli.kit.moments import Utc, moment, to_the_second
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.kit.registry import CLOCK
from vetlla.domain.clock import iso
from vetlla.domain.column_types import NUMBER_MAX
from vetlla.domain.errors import UsageError
from vetlla.domain.masking import masked_account
from vetlla.service.faults.troubles import FaultCode
from vetlla.service.inventory.movements import name
from vetlla.tasks.duties.desk import DutyDesk
from vetlla.tasks.faults import book
from vetlla.tasks.faults.from_alarms import from_alarms as find_in_journal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.domain.devices import Change
    from vetlla.service.duties.standing import Standing
    from vetlla.tasks.faults.from_alarms import FaultsFound

DEFAULT_SINCE = "7d"
"""How far back `faults from-alarms` looks: a week without cron loses nothing."""

FaultNumber = Annotated[int, typer.Argument(metavar="ID", min=1, max=NUMBER_MAX, help="Number of the fault.")]
Since = Annotated[
    str, typer.Option("--since", metavar="TIME", help="Read reports from this time on: ISO 8601, or 2h, 7d ago.")
]


@with_option_groups
def open_fault(
    home: Annotated[str, typer.Argument(metavar="HOME", help="The home's code.")],
    device: Annotated[str, typer.Option("--device", help="TYPE:SERIAL, or a serial, IMEI or account.")],
    code: Annotated[FaultCode, typer.Option("--code", help="What is wrong with it.")] = FaultCode.BROKEN,
    alarm: Annotated[int, typer.Option("--alarm", min=0, max=NUMBER_MAX, help="Number of the alarm that told it.")] = 0,
    *,
    entry: Entry,
) -> None:
    """Open a fault of a device: the clocks to solve it and to schedule the visit begin.

    Example: vetlla faults open H000123 --device ucr:U0007 --code battery --at 2026-11-02T09:00
    """
    desk = entry.desk("faults open")
    opened = book.open_fault(desk, entry.told(book.FAULT, home, ""), device=device, code=code, alarm=alarm)
    _tell(opened.fault, [opened.visit], as_json=entry.as_json)


@with_option_groups
def solve(
    number: FaultNumber,
    replaced: Annotated[
        tuple[str, str] | None,
        typer.Option("--replaced", metavar="OLD NEW", help="The device that left, and the one that took its place."),
    ] = None,
    repaired: Annotated[bool, typer.Option("--repaired", help="Its device was repaired where it is.")] = False,
    *,
    entry: Entry,
) -> None:
    """Record that a fault is solved, and the movement of the device that solved it.

    Example: vetlla faults solve 4711 --replaced ucr:U0007 ucr:U0912 --at 2026-11-03T12:40
    """
    if replaced and repaired:
        raise UsageError("a device was either replaced or repaired", remedy="give --replaced or --repaired")
    desk = entry.desk("faults solve")
    done = book.solve(desk, number, entry.told("", "", "solved"), replaced=replaced, repaired=repaired)
    _tell(done.fault, [], as_json=entry.as_json, changes=done.changes)


@with_option_groups
def cancel(number: FaultNumber, entry: Entry) -> None:
    """Call a fault off, because there was none, such as after a false alarm; --reason is needed.

    Example: vetlla faults cancel 4711 --reason "the user had unplugged it"
    """
    if not entry.note:
        raise UsageError("a fault is not called off without a reason", remedy="--reason TEXT, without personal data")
    one = book.cancel(entry.desk("faults cancel"), number, entry.told("", "", "cancelled"))
    _tell(one, [], as_json=entry.as_json)


@with_option_groups
def from_alarms(
    since: Since = DEFAULT_SINCE,
    dry_run: DryRun = False,
    *,
    options: RuleOptions,
    _utc: Utc = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Open a fault for each trouble that terminals report and that lasts, from the receiver's journal.

    One fault for one lasting trouble of a device; the parameters fault.after.* say which troubles, and after how many
    minutes. A restore is noted and ends no fault. Run it every quarter of an hour; a second time opens nothing.

    Exit status: 0 done, 1 some troubles belong to no registered home, so that no fault could be opened for them.

    Example: vetlla faults from-alarms --since 2d --dry-run
    """
    desk = DutyDesk(state_dir, CLOCK, options.rules(), "vetlla faults from-alarms", dry_run)
    found = find_in_journal(desk, moment(since, CLOCK.now().utc_us))
    if as_json:
        _print_found(found, dry_run=dry_run)
    else:
        _tell_found(found, dry_run=dry_run)
    if found.not_opened:
        raise typer.Exit(1)


def _print_found(found: FaultsFound, *, dry_run: bool) -> None:
    for one in found.opened:
        print_json(fault_fields(one.fault))
    for trouble in found.not_opened:
        account = masked_account(trouble.account)
        print_json(trouble._asdict() | {"account": account, "at_us": iso(trouble.at_us), "not_opened": "no such home"})
    counts = {"opened": len(found.opened), "restored": found.restored, "repeated": found.repeated}
    print_json(counts | {"not_opened": len(found.not_opened), "dry_run": dry_run})


def _tell_found(found: FaultsFound, *, dry_run: bool) -> None:
    for one in found.opened:
        _tell(one.fault, [], as_json=False)
    for trouble in found.not_opened:
        home = f"home {trouble.home}" if trouble.home else "no home"
        account = masked_account(trouble.account)
        # The account may be a telephone number, and cron mails this text.
        name, where = (account, "") if account == trouble.account else ("ACCOUNT", f"; see alarm {trouble.alarm}")
        talk().print(
            f"{trouble.code} of account {account} ({home} is registered) at {to_the_second(trouble.at_us)}:"
            f" no fault opened -> vetlla accounts set {name} --home CODE{where}",
            soft_wrap=True,
        )
    dry = " (dry run: nothing was written)" if dry_run else ""
    text = f"{len(found.opened)} faults opened, {found.restored} restores and {found.repeated} repetitions noted{dry}"
    console().print(text, soft_wrap=True)


def _tell(fault: Standing, others: Sequence[Standing], *, as_json: bool, changes: Sequence[Change] = ()) -> None:
    moved = [{"device": name(one.device), "kind": one.movement.kind.value} for one in changes]
    fields = fault_fields(fault)
    if as_json:
        visit = {"visit": fault_fields(others[0])} if others else {}
        print_json(fields | visit | {"movements": moved})
        return
    out = console()
    what = f"{fields['device'] or 'unknown device'} {fields['code']}".strip()
    out.print(f"fault {fields['id']} of {fields['home']} ({what}): {state_text(fault)}", soft_wrap=True)
    for one in others:
        out.print(f"  {one.duty.kind} {one.duty.id}: {state_text(one)}", soft_wrap=True)
    for one_moved in moved:
        out.print(f"  {one_moved['device']}: {one_moved['kind']}", soft_wrap=True)
