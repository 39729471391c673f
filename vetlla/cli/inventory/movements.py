"""Commands that record what happens to a device: a movement or an upkeep. Each prints one line for each device."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.kit.registry import CLOCK, Day, Note, Serial, past
from vetlla.domain.devices import Device, DeviceType, Movement, Ownership, UpkeepKind
from vetlla.domain.errors import UsageError
from vetlla.service.inventory import movements as rules
from vetlla.service.inventory.columns import DEVICES
from vetlla.tasks.inventory import movements as tasks

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from vetlla.domain.devices import Change, DeviceRecord

HomeCode = Annotated[str, typer.Argument(metavar="HOME", help="The home's code.")]
Owner = Annotated[Ownership, typer.Option("--ownership", help="Owner of the device.")]


def add(
    kind: Annotated[
        DeviceType, typer.Argument(metavar="TYPE", help="Type of the device, such as terminal_ip, ucr, smoke.")
    ],
    serial: Annotated[str, typer.Argument(help="Serial number on its label.")],
    ownership: Owner = Ownership.LEASED,
    model: Annotated[str, typer.Option()] = "",
    imei: Annotated[str, typer.Option()] = "",
    account: Annotated[str, typer.Option(help="Account under which it reports to the receiver.")] = "",
    made: Annotated[str, typer.Option(metavar="2024-W07", help="Year and week of manufacture.")] = "",
    guarantee_until: Annotated[str, typer.Option(metavar="YYYY-MM-DD")] = "",
    day: Day = None,
    note: Note = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Receive a new device into the warehouse.

    Example: vetlla inventory add smoke SM0012345 --model D-400 --made 2024-W03
    """
    device = Device(
        type=kind,
        serial=_said("serial", serial),
        model=_said("model", model) if model else "",
        imei=_said("imei", imei) if imei else "",
        account=_said("account", account) if account else "",
        made=_said("made", made) if made else None,
        guarantee_until=_said("guarantee_until", guarantee_until) if guarantee_until else None,
    )
    movement = rules.receive(past(day), ownership, note)
    if device.made is not None and device.made > movement.day.isocalendar()[:2]:
        raise UsageError(f"made {made!r}: it came on {movement.day}, before that week")
    tasks.add(state_dir, CLOCK, device, movement, dry_run=dry_run)
    _tell_change(device, movement, as_json=as_json)


def install(
    device: Serial,
    home: HomeCode,
    day: Day = None,
    note: Note = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Install a device from the warehouse in a home.

    Example: vetlla inventory install smoke:SM0012345 H000123
    """
    _into_home(rules.install, device, home, past(day), note, state_dir, dry_run=dry_run, as_json=as_json)


def move(
    device: Serial,
    home: HomeCode,
    day: Day = None,
    note: Note = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Move an installed device to another home.

    Example: vetlla inventory move smoke:SM0012345 H000124 --reason "moved with the family"
    """
    _into_home(rules.move, device, home, past(day), note, state_dir, dry_run=dry_run, as_json=as_json)


def remove(
    device: Serial,
    day: Day = None,
    note: Note = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Bring an installed device back to the warehouse.

    Example: vetlla inventory remove smoke:SM0012345
    """
    _one(lambda kept: rules.remove(kept, past(day), note), device, state_dir, dry_run=dry_run, as_json=as_json)


def replace(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The device that leaves.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The device from the warehouse that takes its place.")],
    renewal: Annotated[
        bool,
        typer.Option(
            "--renewal", help="The old one is at the end of its life: the cost starts again, the owner stays."
        ),
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="The old one goes back to the warehouse, to be repaired.")
    ] = False,
    day: Day = None,
    note: Note = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Replace a device by another, which inherits the cost date; what replaces a municipal device becomes municipal.

    Example: vetlla inventory replace ucr:U0007 ucr:U0912 --reason "button broken"
    """
    recorded = tasks.substitute(
        state_dir, CLOCK, (old, new), past(day), renewal=renewal, retire_old=not keep, note=note, dry_run=dry_run
    )
    _tell(recorded, as_json=as_json)


def repair(
    device: Serial,
    day: Day = None,
    note: Note = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Record that a device was repaired where it is.

    Example: vetlla inventory repair terminal_ip:T0042 --reason "aerial"
    """
    _one(lambda kept: rules.repair(kept, past(day), note), device, state_dir, dry_run=dry_run, as_json=as_json)


def retire(
    device: Serial,
    day: Day = None,
    note: Note = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Take a device out of the service for good.

    Example: vetlla inventory retire gas:G0815 --reason "sensor dead"
    """
    _one(lambda kept: rules.retire(kept, past(day), note), device, state_dir, dry_run=dry_run, as_json=as_json)


def transfer(
    device: Serial,
    ownership: Annotated[Ownership, typer.Argument(help="The new owner.")],
    day: Day = None,
    note: Note = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Record a new owner, for example when leased equipment is bought.

    Example: vetlla inventory transfer terminal_ip:T0042 municipal --reason "purchase option 2027"
    """
    _one(
        lambda kept: rules.transfer(kept, past(day), ownership, note),
        device,
        state_dir,
        dry_run=dry_run,
        as_json=as_json,
    )


def battery(
    device: Serial,
    day: Day = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Record a battery change.

    Example: vetlla inventory battery ucr:U0912 --day 2024-06-03
    """
    _keep_up(UpkeepKind.BATTERY, device, past(day), state_dir, dry_run=dry_run, as_json=as_json)


def maintain(
    device: Serial,
    day: Day = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Record preventive maintenance.

    Example: vetlla inventory maintain smoke:SM0012345
    """
    _keep_up(UpkeepKind.MAINTENANCE, device, past(day), state_dir, dry_run=dry_run, as_json=as_json)


def _into_home(
    rule: Callable[[DeviceRecord, str, date, list[DeviceRecord], str], Change],
    device: str,
    home: str,
    day: date,
    note: str,
    state_dir: Path,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    recorded = tasks.into_home(
        state_dir, CLOCK, device, home, lambda kept, there: rule(kept, home, day, there, note), dry_run=dry_run
    )
    _tell(recorded, as_json=as_json)


def _one(rule: Callable[[DeviceRecord], Change], device: str, state_dir: Path, *, dry_run: bool, as_json: bool) -> None:
    _tell(tasks.record(state_dir, CLOCK, device, rule, dry_run=dry_run), as_json=as_json)


def _keep_up(kind: UpkeepKind, device: str, day: date, state_dir: Path, *, dry_run: bool, as_json: bool) -> None:
    kept_up = tasks.keep_up(state_dir, CLOCK, device, kind, day, dry_run=dry_run)
    said = {"device": rules.name(kept_up), "day": str(day), "kind": kind.value}
    if as_json:
        print_json(said)
    else:
        console().print(f"{said['device']}: {kind} {day}")


def _tell(recorded: tasks.Recorded, *, as_json: bool) -> None:
    for change in recorded.changes:
        _tell_change(change.device, change.movement, as_json=as_json)
    for account, home in recorded.unexpected:
        talk().print(
            f"the receiver does not have account {account} for home {home}: "
            f"vetlla accounts set {account} --home {home}",
            soft_wrap=True,
        )


def _tell_change(device: Device, movement: Movement, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "device": rules.name(device),
                "day": str(movement.day),
                "kind": movement.kind.value,
                "place": movement.place.value,
                "home": movement.home,
                "ownership": movement.ownership.value,
                "first_installed": str(device.first_installed or ""),
                "cost_from": str(device.cost_from or ""),
            }
        )
    else:
        where = f"home {movement.home}" if movement.home else movement.place
        console().print(f"{rules.name(device)}: {movement.kind} {movement.day}, {where}")


def _said(column: str, value: str) -> Any:  # noqa: ANN401 - the type depends on the column
    if not value:
        raise UsageError(f"{column} is empty")
    try:
        return DEVICES.parse(column, value)
    except ValueError as error:
        raise UsageError(f"{column} {value!r}: {error}") from error
