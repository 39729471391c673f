"""``vetlla budget residual``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from vetlla.cli.budget.options import TOTAL, money
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import as_day
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import print_json, print_rows, talk
from vetlla.cli.kit.parameters import ParametersFile, footnote, load_on
from vetlla.cli.kit.registry import CLOCK, background_priority, today, working
from vetlla.domain.errors import UsageError
from vetlla.store.registry.transaction import snapshot
from vetlla.tables.source import FileKind
from vetlla.tables.target import finished, write
from vetlla.tables.xlsx import writing
from vetlla.tasks.budget.residual import purchases

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vetlla.service.budget.residual import PurchaseOption, Residual, ResidualTotal

COLUMNS: Final = ("on", "line", "devices", "price", "paid", "residual", "left_out")
DEVICES: Final = ("on", "device", "line", "home", "cost_from", "months", "price", "paid", "residual", "reason")


class ResidualFiles(NamedTuple):
    """Files that have every device."""

    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE|-", help="Write every device as CSV.")] = None
    xlsx: Annotated[
        Path | None, typer.Option("--xlsx", metavar="FILE|-", help="Write every device, and the totals, as a workbook.")
    ] = None


@with_option_groups
def residual(
    on: Annotated[
        list[date] | None,
        typer.Option(
            "--on",
            parser=as_day,
            metavar="YYYY-MM-DD",
            help="Day of the purchase; may be repeated. Default: the three dates of the tender.",
        ),
    ] = None,
    known: Known = "",
    *,
    files: ResidualFiles,
    parameters_file: ParametersFile = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Compute the residual value of the rented devices: what the city pays if it buys them, device by device.

    It is the price, 60 monthly rents, less the rent that was paid since the first device of a chain of replacements was
    installed. For a day to come every device is taken to stay where it is. The three dates do not depend on each other:
    what is bought at one of them is recorded with `vetlla inventory transfer`, and then has no price any more.

    The table has the totals by line, --json every device and the totals.

    Example: vetlla budget residual --on 2027-03-31 --xlsx purchase.xlsx
    """
    background_priority()
    if as_json and Path("-") in files:
        raise UsageError("standard output takes one answer", remedy="leave out --json, or name a file")
    reading = load_on(parameters_file)
    days = sorted(set(on or reading.dates("purchase.dates")))
    with working("valuing the devices"), snapshot(state_dir, CLOCK, asked(known).known_us) as connection:
        made = purchases(connection, days, reading)
    if files.csv:
        write(files.csv, DEVICES, _device_rows(made), "devices", kind=FileKind.CSV)
    if files.xlsx:
        with finished(files.xlsx) as out:
            writing.write(out, {"devices": (DEVICES, _device_rows(made)), "totals": (COLUMNS, _total_rows(made))})
    if as_json:
        _print_json(made)
    elif Path("-") not in files:
        print_rows((_row(one, total) for one in made for total in one.totals), COLUMNS, as_json=False)
    ahead = [str(one.on) for one in made if one.on > today()]
    if ahead and not as_json:
        talk().print(f"{', '.join(ahead)}: as if every device stayed where it is now", soft_wrap=True)
    footnote(reading)


def _print_json(made: Sequence[PurchaseOption]) -> None:
    for one in made:
        for device in one.devices:
            print_json(_device_fields(one, device))
        for total in one.totals:
            print_json(_total_fields(one, total))


def _device_fields(made: PurchaseOption, one: Residual) -> dict[str, Any]:
    return {
        "on": str(made.on),
        "device": one.device,
        "line": one.line,
        "home": one.home,
        "cost_from": str(one.cost_from) if one.cost_from else None,
        "months": str(one.months),
        "price": str(one.price),
        "paid": str(one.paid),
        "residual": str(one.residual),
        "reason": one.reason.value if one.reason else None,
        "assumed": list(one.assumed),
    }


def _total_fields(made: PurchaseOption, total: ResidualTotal) -> dict[str, Any]:
    return {
        "on": str(made.on),
        "device": TOTAL,
        "line": total.line,
        "devices": total.devices,
        "price": str(total.price),
        "paid": str(total.paid),
        "residual": str(total.residual),
        "left_out": {why.value: number for why, number in total.left_out.items()},
    }


def _device_rows(made: Sequence[PurchaseOption]) -> Iterator[tuple[object, ...]]:
    for one in made:
        for device in one.devices:
            yield (
                one.on,
                device.device,
                device.line,
                device.home,
                device.cost_from,
                device.months,
                device.price,
                device.paid,
                device.residual,
                device.reason.value if device.reason else "",
            )


def _total_rows(made: Sequence[PurchaseOption]) -> Iterator[tuple[object, ...]]:
    for one in made:
        for total in one.totals:
            yield one.on, total.line, total.devices, total.price, total.paid, total.residual, _left_out(total)


def _left_out(total: ResidualTotal) -> str:
    return ", ".join(f"{why.value} {number}" for why, number in total.left_out.items())


def _row(made: PurchaseOption, total: ResidualTotal) -> dict[str, Any]:
    return {
        "on": made.on,
        "line": total.line,
        "devices": total.devices,
        "price": money(total.price),
        "paid": money(total.paid),
        "residual": money(total.residual),
        "left_out": _left_out(total),
    }
