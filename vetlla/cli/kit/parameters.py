"""Reads the parameters file: the one that the user names, or the one that was installed with the program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.kit.output import print_rows, talk
from vetlla.service.parameters import shown
from vetlla.settings.shipped import parameters_file
from vetlla.tasks.parameters import read_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    """Return the parameters of a file. Raises ConfigError that names what is wrong."""
    return read_parameters(path or parameters_file(), "--parameters")


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
