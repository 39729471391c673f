"""Commands that record what happens to a device: a movement or an upkeep. Each prints one line for each device."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.duty_rows import KindsFile, state_text
from vetlla.cli.kit.moments import as_day
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.kit.parameters import ParametersFile
from vetlla.cli.kit.registry import CLOCK, Day, Note, Serial, past
from vetlla.domain.devices import Device, DeviceType, Movement, Ownership, UpkeepKind
from vetlla.domain.errors import UsageError
from vetlla.service.inventory import movements as rules
from vetlla.service.inventory.columns import DEVICES
from vetlla.tasks.duties.book import Recording
from vetlla.tasks.duties.equipment import Following
from vetlla.tasks.duties.rules import load_rules
from vetlla.tasks.inventory import movements as tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from vetlla.domain.devices import Change, DeviceRecord
    from vetlla.service.duties.standing import Standing


class MovementEntry(NamedTuple):
    """Options of every movement: its day and reason, and how it is recorded."""

    day: Day = None
    note: Note = ""
    dry_run: DryRun = False
    kinds: KindsFile = None
    parameters_file: ParametersFile = None
    as_json: AsJson = False
    state_dir: StateDir = DEFAULT_STATE_DIR


class UpkeepEntry(NamedTuple):
    """Options of every upkeep: its day, and how it is recorded."""

    day: Day = None
    dry_run: DryRun = False
    kinds: KindsFile = None
    parameters_file: ParametersFile = None
    as_json: AsJson = False
    state_dir: StateDir = DEFAULT_STATE_DIR


def _following(entry: MovementEntry | UpkeepEntry) -> Following:
    """Return how the duties that follow a movement are recorded."""
    recording = Recording(CLOCK.now().utc_us, "vetlla inventory")
    return Following(cache(lambda: load_rules(entry.kinds, entry.parameters_file)), actor(), recording)


HomeCode = Annotated[str, typer.Argument(metavar="HOME", help="The home's code.")]
Owner = Annotated[Ownership, typer.Option("--ownership", help="Owner of the device.")]


@with_option_groups
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
    guarantee_until: Annotated[date | None, typer.Option(parser=as_day, metavar="YYYY-MM-DD")] = None,
    *,
    entry: MovementEntry,
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
        guarantee_until=guarantee_until,
    )
    movement = rules.receive(past(entry.day), ownership, entry.note)
    if device.made is not None and device.made > movement.day.isocalendar()[:2]:
        raise UsageError(f"made {made!r}: it came on {movement.day}, before that week")
    tasks.add(entry.state_dir, CLOCK, device, movement, dry_run=entry.dry_run)
    _tell_change(device, movement, as_json=entry.as_json)


@with_option_groups
def install(device: Serial, home: HomeCode, entry: MovementEntry) -> None:
    """Install a device from the warehouse in a home.

    Example: vetlla inventory install smoke:SM0012345 H000123
    """
    _into_home(rules.install, device, home, entry)


@with_option_groups
def move(device: Serial, home: HomeCode, entry: MovementEntry) -> None:
    """Move an installed device to another home.

    Example: vetlla inventory move smoke:SM0012345 H000124 --reason "moved with the family"
    """
    _into_home(rules.move, device, home, entry)


@with_option_groups
def remove(device: Serial, entry: MovementEntry) -> None:
    """Bring an installed device back to the warehouse.

    Example: vetlla inventory remove smoke:SM0012345
    """
    _one(lambda kept: rules.remove(kept, past(entry.day), entry.note), device, entry)


@with_option_groups
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
    *,
    entry: MovementEntry,
) -> None:
    """Replace a device by another, which inherits the cost date; what was municipal or offered stays so.

    Example: vetlla inventory replace ucr:U0007 ucr:U0912 --reason "button broken"
    """
    recorded = tasks.substitute(
        entry.state_dir,
        CLOCK,
        (old, new),
        past(entry.day),
        how=_following(entry),
        renewal=renewal,
        retire_old=not keep,
        note=entry.note,
        dry_run=entry.dry_run,
    )
    _tell(recorded, as_json=entry.as_json)


@with_option_groups
def repair(device: Serial, entry: MovementEntry) -> None:
    """Record that a device was repaired where it is.

    Example: vetlla inventory repair terminal_ip:T0042 --reason "aerial"
    """
    _one(lambda kept: rules.repair(kept, past(entry.day), entry.note), device, entry)


@with_option_groups
def retire(device: Serial, entry: MovementEntry) -> None:
    """Take a device out of the service for good.

    Example: vetlla inventory retire gas:G0815 --reason "sensor dead"
    """
    _one(lambda kept: rules.retire(kept, past(entry.day), entry.note), device, entry)


@with_option_groups
def transfer(
    device: Serial,
    ownership: Annotated[Ownership, typer.Argument(help="The new owner.")],
    *,
    entry: MovementEntry,
) -> None:
    """Record a new owner, for example when leased equipment is bought.

    Example: vetlla inventory transfer terminal_ip:T0042 municipal --reason "purchase option 2027"
    """
    _one(lambda kept: rules.transfer(kept, past(entry.day), ownership, entry.note), device, entry)


@with_option_groups
def battery(device: Serial, entry: UpkeepEntry) -> None:
    """Record a battery change.

    Example: vetlla inventory battery ucr:U0912 --day 2024-06-03
    """
    _keep_up(UpkeepKind.BATTERY, device, entry)


@with_option_groups
def maintain(device: Serial, entry: UpkeepEntry) -> None:
    """Record preventive maintenance.

    Example: vetlla inventory maintain smoke:SM0012345
    """
    _keep_up(UpkeepKind.MAINTENANCE, device, entry)


def _into_home(
    rule: Callable[[DeviceRecord, str, date, list[DeviceRecord], str], Change],
    device: str,
    home: str,
    entry: MovementEntry,
) -> None:
    day = past(entry.day)
    recorded = tasks.into_home(
        entry.state_dir,
        CLOCK,
        device,
        home,
        lambda kept, there: rule(kept, home, day, there, entry.note),
        how=_following(entry),
        dry_run=entry.dry_run,
    )
    _tell(recorded, as_json=entry.as_json)


def _one(rule: Callable[[DeviceRecord], Change], device: str, entry: MovementEntry) -> None:
    recorded = tasks.record(entry.state_dir, CLOCK, device, rule, how=_following(entry), dry_run=entry.dry_run)
    _tell(recorded, as_json=entry.as_json)


def _keep_up(kind: UpkeepKind, device: str, entry: UpkeepEntry) -> None:
    day = past(entry.day)
    kept_up = tasks.keep_up(entry.state_dir, CLOCK, device, kind, day, how=_following(entry), dry_run=entry.dry_run)
    said = {"device": rules.name(kept_up.device), "day": str(day), "kind": kind.value}
    if entry.as_json:
        print_json(said)
    else:
        console().print(f"{said['device']}: {kind} {day}")
    _tell_duties(kept_up.duties)


def _tell(recorded: tasks.Recorded, *, as_json: bool) -> None:
    for change in recorded.changes:
        _tell_change(change.device, change.movement, as_json=as_json)
    for account, home in recorded.unexpected:
        talk().print(
            f"the receiver does not have account {account} for home {home}: "
            f"vetlla accounts set {account} --home {home}",
            soft_wrap=True,
        )
    _tell_duties(recorded.followed.duties)
    for question in recorded.followed.open_questions:
        talk().print(question, soft_wrap=True)


def _tell_duties(duties: Iterable[Standing]) -> None:
    """Print the duties that ended by the way, as messages: the answer of these commands is about devices."""
    for one in duties:
        duty = one.duty
        talk().print(f"{duty.kind} {duty.id} of {duty.subject}: {state_text(one)}", soft_wrap=True)


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
