"""The parameters file: the one named, or the one that was installed with the program."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.output import talk
from vetlla.errors import ConfigError
from vetlla.service.parameters import Parameters, parse

if TYPE_CHECKING:
    from vetlla.service.parameters import Reading

ParametersFile = Annotated[
    Path | None,
    typer.Option(
        "--parameters",
        envvar="VETLLA_PARAMETERS",
        readable=False,
        help="Contract figures; without it the installed parameters.toml.",
    ),
]
_IN_TREE = Path(__file__).parents[2] / "config" / "parameters.toml"


def load(path: Path | None) -> Parameters:
    """Return the parameters of a file. Raises ConfigError that names what is wrong."""
    source = path or _shipped()
    try:
        document = tomllib.loads(source.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise ConfigError(f"{source}: {error.strerror}", remedy="name an existing file with --parameters") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source}: {error}") from error
    return parse(document, str(source))


def footnote(reading: Reading) -> None:
    """Say on stderr which assumed values the answer rests on."""
    for line in reading.footnotes():
        talk().print(f"* {line}", style="dim", markup=False, soft_wrap=True)


def _shipped() -> Path:
    # A wheel carries it beside the rules that read it; a source tree, from which editable installs run, has only its
    # own copy under config/.
    packaged = Path(str(files("vetlla.service"))) / "parameters.toml"
    return packaged if packaged.exists() else _IN_TREE
