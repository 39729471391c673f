"""Reads the parameters file: the one that the user names, or the one that was installed with the program."""

from __future__ import annotations

import sys
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.kit.output import talk
from vetlla.domain import tomlfile
from vetlla.domain.errors import ConfigError
from vetlla.service.parameters import Parameters, parse
from vetlla.settings.shipped import parameters_file

if TYPE_CHECKING:
    from vetlla.service.parameters import Reading

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
    source = path or Path("parameters.toml")
    try:
        source = path or parameters_file()
        document = tomlfile.document(tomlfile.read_input(source), parse_float=Decimal)
    except OSError as error:
        raise ConfigError(f"{source}: {error.strerror}", remedy="name an existing file with --parameters") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        remedy = "correct that line, or begin again with a copy of the installed parameters.toml"
        raise ConfigError(f"{source}: not TOML: {error}", remedy=remedy) from error
    return parse(document, str(source))


def footnote(reading: Reading) -> None:
    """Print for a person at a terminal which assumed values the answer depends on; print nothing under cron."""
    for line in reading.footnotes() if sys.stderr.isatty() else ():
        talk().print(f"* {line}", style="dim", soft_wrap=True)
