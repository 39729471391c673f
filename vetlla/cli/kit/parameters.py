"""Reads the parameters file: the one that the user names, or the one that was installed with the program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.kit.moments import use_zone
from vetlla.cli.kit.output import print_rows, talk
from vetlla.cli.kit.registry import today
from vetlla.service.local_time import zone_of
from vetlla.service.parameters import shown
from vetlla.settings.shipped import parameters_file
from vetlla.tasks.parameters import read_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from vetlla.service.parameters import Parameter, Parameters, Reading

ParametersFile = Annotated[
    Path | None,
    typer.Option(
        "--parameters",
        envvar="VETLLA_PARAMETERS",
        readable=False,
        help="File of the contract's figures. Default: the installed parameters.toml.",
    ),
]


def load(path: Path | None) -> Parameters:
    """Return the parameters of a file; times are then on the clock of the service.

    Read and show times after this call. Raises ConfigError that names what is wrong.
    """
    found = read_parameters(path or parameters_file(), "--parameters")
    if zones := found.all("zone"):
        use_zone(zone_of(str(zones[-1].value)))
    return found


def load_on(path: Path | None, day: date | None = None) -> Reading:
    """Return the values of a file in force on a day, by default today on the calendar of the service.

    Raises ConfigError that names what is wrong.
    """
    found = load(path)
    return found.on(day or today())


def print_parameters(entries: Iterable[Parameter], *, as_json: bool) -> None:
    """Print values with their unit and basis."""
    rows = (
        {
            "name": entry.name,
            "value": shown(entry.value),
            "unit": entry.unit,
            "from": str(entry.valid_from),
            "basis": entry.basis.value,
            "ref": entry.ref,
        }
        for entry in entries
    )
    print_rows(rows, ("name", "value", "unit", "from", "basis", "ref"), as_json=as_json)


def footnote(reading: Reading) -> None:
    """Print for a person at a terminal which assumed values the answer depends on; print nothing under cron."""
    footnotes(reading.footnotes())


def footnote_names(names: Iterable[str]) -> None:
    """Print for a person at a terminal which parameters that no contract says are behind an answer."""
    found = sorted(set(names))
    footnotes([f"rests on values that no contract says: {', '.join(found)}"] if found else [])


def footnotes(lines: Iterable[str]) -> None:
    """Print notes below an answer for a person at a terminal; print nothing under cron."""
    for line in lines if sys.stderr.isatty() else ():
        talk().print(f"* {line}", style="dim", soft_wrap=True)
