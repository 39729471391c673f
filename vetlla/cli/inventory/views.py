"""Commands that show the inventory: one device or home, a search, a list, a history, the fleet of a day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from vetlla.cli.kit.facts import print_fields
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import as_day
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import print_json, print_rows
from vetlla.cli.kit.parameters import ParametersFile, load, print_parameters
from vetlla.cli.kit.registry import CLOCK, Day, Serial, today, without_collector
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.domain.devices import DeviceType, Ownership, Place
from vetlla.domain.errors import UsageError
from vetlla.service.homes.rows import home_row, person_row
from vetlla.service.inventory.movements import name
from vetlla.service.inventory.row_checks import device_row
from vetlla.service.parameters import Basis
from vetlla.store.homes import queries as stored_homes
from vetlla.store.inventory import heard as inventory_heard
from vetlla.store.inventory import queries as inventory
from vetlla.store.registry.transaction import snapshot

if TYPE_CHECKING:
    from vetlla.domain.devices import DeviceRecord

COLUMNS = ("type", "serial", "model", "account", "ownership", "place", "home", "made", "first_installed")
HISTORY = ("day", "kind", "place", "home", "ownership", "other", "note")
EX_NOTHING = 1
"""Exit status of a search that found nothing, as with grep."""

Kind = Annotated[DeviceType | None, typer.Option("--type", help="Only this type.")]
InHome = Annotated[str, typer.Option("--home", help="Only this home.")]
AtPlace = Annotated[Place | None, typer.Option("--place", help="Only devices at this place.")]
Owner = Annotated[Ownership | None, typer.Option("--ownership", help="Only devices of this owner.")]


class Wanted(NamedTuple):
    """Options that say which devices are listed, and how."""

    kind: Kind = None
    place: AtPlace = None
    home: InHome = ""
    ownership: Owner = None
    limit: Limit = None
    as_json: AsJson = False
    state_dir: StateDir = DEFAULT_STATE_DIR

    def includes(self, kept: DeviceRecord) -> bool:
        """Return True if the device has the wanted type, place and owner."""
        return (
            (self.kind is None or kept.device.type is self.kind)
            and (self.place is None or kept.standing.place is self.place)
            and (self.ownership is None or kept.standing.ownership is self.ownership)
        )


def show(
    named: Annotated[str, typer.Argument(metavar="HOME|DEVICE", help="A home's code, or a device.")],
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show a device, or a home with its people, its devices and the accounts that the receiver has for it.

    Example: vetlla inventory show H000123
    """
    with snapshot(state_dir, CLOCK) as connection:
        homes = stored_homes.homes(connection, [named], day=today())
        if not homes:
            found = device_row(inventory.device(connection, named))
            if as_json:
                print_json(found)
            else:
                print_fields(found)
            return
        people = [person_row(person) for person in stored_homes.people(connection, [named], day=today())]
        devices = [device_row(kept) for kept in inventory.fleet(connection, home=named)]
        accounts = inventory_heard.accounts_of(connection, named)
    home = home_row(homes[named])
    if as_json:
        print_json({**home, "accounts": accounts, "people": people, "devices": devices})
        return
    print_fields({**home, "accounts": " ".join(accounts)})
    print_rows(people, ("code", "user_type", "programmes", "active", "suspended"), as_json=False, title="people")
    print_rows(devices, COLUMNS, as_json=False, title="devices")


def find(
    part: Annotated[str, typer.Argument(help="Part of a serial, IMEI, account or home.")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="Show at most this many.")] = 50,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Find devices, retired ones included. Exit status 1 if no device is found.

    Example: vetlla inventory find 0012
    """
    with snapshot(state_dir, CLOCK) as connection:
        found = inventory.containing(connection, part, limit)
    if not print_rows(map(device_row, found), COLUMNS, as_json=as_json):
        raise typer.Exit(EX_NOTHING)


@with_option_groups
def list_(wanted: Wanted) -> None:
    """List devices as they are now.

    Example: vetlla inventory list --type terminal_ip --place warehouse
    """
    _list(wanted)


def history(device: Serial, as_json: AsJson = False, state_dir: StateDir = DEFAULT_STATE_DIR) -> None:
    """List everything that happened to a device, oldest first.

    Example: vetlla inventory history smoke:SM0012345
    """
    with snapshot(state_dir, CLOCK) as connection:
        kept = inventory.device(connection, device)
        movements = inventory.history(connection, kept.id)
        upkeep = inventory.upkeep(connection, kept.id)
        names = inventory.serials(connection, [one.other for one in movements if one.other])
    rows: list[dict[str, Any]] = [
        {
            "day": str(one.day),
            "kind": one.kind.value,
            "place": one.place.value,
            "home": one.home,
            "ownership": one.ownership.value,
            "other": names.get(one.other or 0, ""),
            "note": one.note,
        }
        for one in movements
    ]
    rows += [{"day": str(day), "kind": kind} for day, kind in upkeep]
    rows.sort(key=lambda row: row["day"])
    print_rows(rows, HISTORY, as_json=as_json, title=name(kept.device))


@with_option_groups
def at(
    day: Annotated[date, typer.Argument(parser=as_day, metavar="DATE", help="A past day, or today.")],
    known: Known = "",
    parameters_file: ParametersFile = None,
    *,
    wanted: Wanted,
) -> None:
    """List the fleet as it was on a past day, rebuilt from the history.

    Example: vetlla inventory at 2025-12-31 --type terminal_ip --json
    """
    load(parameters_file)  # today and a time are on the clock of the service
    if day > today():
        raise UsageError(f"{day} lies in the future")
    _list(wanted, day, asked(known).known_us)


def parameters(
    assumed: Annotated[bool, typer.Option("--assumed", help="Only values that no document confirms.")] = False,
    tender: Annotated[
        bool, typer.Option("--tender", help="Only ceilings and estimates of the tender; with --assumed, both.")
    ] = False,
    day: Day = None,
    parameters_file: ParametersFile = None,
    as_json: AsJson = False,
) -> None:
    """List the service's figures in force: value, unit, and the basis of each.

    Example: vetlla inventory parameters --assumed
    """
    loaded = load(parameters_file)
    entries = loaded.in_force(day or today())
    wanted = {basis for basis, is_asked in ((Basis.ASSUMED, assumed), (Basis.TENDER, tender)) if is_asked} or set(Basis)
    print_parameters((one for one in entries if one.basis in wanted), as_json=as_json)


def _list(wanted: Wanted, day: date = inventory.LAST_DAY, known_us: int | None = None) -> None:
    """Print the wanted devices as they were on a day; without a day, as they are now."""
    without_collector()
    with snapshot(wanted.state_dir, CLOCK, known_us) as connection:
        stored_homes.must_know_home(connection, wanted.home)
        fleet = inventory.fleet(connection, day, home=wanted.home, retired=wanted.place is Place.RETIRED)
        rows = (device_row(kept) for kept in fleet if wanted.includes(kept))
        print_some(rows, COLUMNS, wanted.limit, as_json=wanted.as_json)
