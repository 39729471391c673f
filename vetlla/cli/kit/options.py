"""Options that many commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, TypeVar

import typer

from vetlla.cli.kit.output import tell
from vetlla.domain.errors import ConfigError
from vetlla.domain.permissions import explained
from vetlla.settings.load import load
from vetlla.settings.model import DEFAULT_STATE_DIR

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.settings.model import Settings

T = TypeVar("T")

__all__ = [
    "DEFAULT_CONFIG",
    "DEFAULT_STATE_DIR",
    "AsJson",
    "CardsKeyFile",
    "ConfigFile",
    "DryRun",
    "KeysFile",
    "OfLine",
    "OfReceiver",
    "OtherStateDir",
    "StateDir",
    "configured",
    "configured_for",
    "formerly",
    "keys_path",
]

DEFAULT_CONFIG = Path("/etc/vetlla/vetlla.toml")


class HasStateDir(Protocol):
    """Settings that name a state directory."""

    @property
    def state_dir(self) -> Path:
        """The directory."""
        ...


def configuration_file() -> Path | None:
    """Return this machine's configuration file: the one in VETLLA_CONFIG, else the usual one; None if there is none."""
    if named := os.environ.get("VETLLA_CONFIG"):
        return Path(named)
    return DEFAULT_CONFIG if os.access(DEFAULT_CONFIG, os.R_OK, effective_ids=True) else None


def required_configuration(usual: Path = DEFAULT_CONFIG) -> Path | None:
    """Return the configuration file that counts if no option names one; None only if there is none.

    Commands that are about the configuration use this: they must not skip a file that this user may not read.
    """
    if named := os.environ.get("VETLLA_CONFIG"):
        return Path(named)
    try:
        usual.stat()
    except FileNotFoundError:
        return None
    except OSError:
        pass  # reading the file will report why
    return usual


def usable(load_settings: Callable[[], T]) -> T | None:
    """Return the settings of a configuration, or None if it cannot be used.

    A fault in the configuration must not keep people from their work. A warning reports it, and the default places are
    used.
    """
    try:
        return load_settings()
    except ConfigError as error:
        tell(f"warning: configuration not used: {explained(error)}", "yellow")
        return None


def configured() -> Settings | None:
    """Return this machine's settings; None if there is no configuration, or none that can be used."""
    path = configuration_file()
    return usable(lambda: load(path)) if path else None


def state_dir_of(settings_of: Callable[[], HasStateDir | None]) -> Callable[..., Path]:
    """Return the callback of ``--state-dir``: what these settings name, if the option is not given."""

    def named(ctx: typer.Context, param: typer.CallbackParam, value: Path) -> Path:
        source = ctx.get_parameter_source(param.name or "")
        if ctx.resilient_parsing or source is None or source.name != "DEFAULT":
            return value
        settings = settings_of()
        return settings.state_dir if settings else value

    return named


def configured_for(state_dir: Path) -> Settings | None:
    """Return this machine's settings if they name this state directory; for any other directory they do not count."""
    settings = configured()
    return settings if settings and settings.state_dir == state_dir.absolute() else None


def keys_path(named: Path | None, state_dir: Path) -> Path:
    """Return the keys file of a state directory: the one named, the configured one, else the one inside it."""
    if named:
        return named
    settings = configured_for(state_dir)
    return settings.keys_file if settings else state_dir / "keys.toml"


StateDir = Annotated[
    Path,
    typer.Option(
        "--state-dir",
        envvar="VETLLA_STATE_DIR",
        callback=state_dir_of(configured),
        readable=False,  # the code that opens it reports more than typer would
        help="Directory of journal, registry and control socket. Default: as configured.",
        show_default=False,
    ),
]
# readable=False, because the code that opens the file reports a failure with a remedy and the right exit status.
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", metavar="FILE", readable=False, help=f"Default: VETLLA_CONFIG, or {DEFAULT_CONFIG}."
    ),
]
OtherStateDir = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        envvar="VETLLA_STATE_DIR",
        readable=False,
        help="State directory to use instead of the configuration's.",
    ),
]
KeysFile = Annotated[
    Path | None,
    typer.Option(
        "--keys-file",
        envvar="VETLLA_KEYS_FILE",
        readable=False,
        help="The keys file. Default: as configured, or in the state directory.",
    ),
]
CardsKeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        envvar="VETLLA_CARDS_KEY_FILE",
        metavar="FILE",
        readable=False,
        help="The file with the key of the cards. Default: as configured, or in the state directory.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object per line, with stable fields.")]
OfReceiver = Annotated[
    str | None,
    typer.Option(
        "--receiver",
        metavar="HEX",
        help="Receiver of the account, if several homes have its number; '' for an account of every receiver.",
    ),
]
OfLine = Annotated[
    str | None,
    typer.Option("--line", metavar="HEX", help="Line of the account, likewise; '' for an account of every line."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")]


def formerly(**names: str) -> dict[str, Any]:
    """Return settings of a command that takes options also by their former names, which the help does not show."""
    return {"token_normalize_func": lambda word: names.get(word, word)}
