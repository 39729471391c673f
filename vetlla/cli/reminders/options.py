"""The configuration of the reminder service, and the state directory that it names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from vetlla.cli.kit.options import state_dir_of, usable
from vetlla.domain.errors import ConfigError
from vetlla.settings.reminders.load import load_reminders
from vetlla.settings.reminders.model import REMINDERS_STATE_DIR

if TYPE_CHECKING:
    from vetlla.settings.reminders.model import ReminderSettings

DEFAULT_CONFIG: Final = Path("/etc/vetlla/reminders/reminders.toml")
CONFIG_VARIABLE: Final = "VETLLA_REMINDERS_CONFIG"
STATE_VARIABLE: Final = "VETLLA_REMINDERS_DIR"
DEFAULT_STATE_DIR: Final = REMINDERS_STATE_DIR


def configuration_file() -> Path | None:
    """Return this machine's configuration of the reminder service; None if there is none."""
    if named := os.environ.get(CONFIG_VARIABLE):
        return Path(named)
    try:
        DEFAULT_CONFIG.stat()
    except FileNotFoundError:
        return None
    except OSError:
        pass  # reading the file will report why
    return DEFAULT_CONFIG


def required_settings(named: Path | None, state_dir: Path | None = None) -> ReminderSettings:
    """Return the settings for a command that cannot do without. Raises ConfigError."""
    file = named or configuration_file()
    if file is None:
        raise ConfigError(
            f"{DEFAULT_CONFIG}: no such file",
            remedy="copy config/reminders/reminders.toml there and edit it, or name another with --config",
        )
    return load_reminders(file, state_dir=state_dir)


def configured(state_dir: Path | None = None) -> ReminderSettings | None:
    """Return this machine's settings; None if there is no configuration, or none that can be used."""
    file = configuration_file()
    return usable(lambda: load_reminders(file, state_dir=state_dir)) if file else None


def known_settings(state_dir: Path | None = None) -> ReminderSettings:
    """Return this machine's settings, or the defaults, for a command that can do without a configuration."""
    return configured(state_dir) or load_reminders(None, state_dir=state_dir)


StateDir = Annotated[
    Path,
    typer.Option(
        "--state-dir",
        envvar=STATE_VARIABLE,
        callback=state_dir_of(configured),
        readable=False,  # the code that opens it reports more than typer would
        help="Directory of the reminders' database. Default: as configured.",
        show_default=False,
    ),
]
OtherStateDir = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        envvar=STATE_VARIABLE,
        readable=False,
        help="Directory of the database, instead of the configured one.",
    ),
]
TextsFolder = Annotated[
    Path | None,
    typer.Option(
        "--texts", metavar="FOLDER", help="Folder with ca.toml and es.toml.  [default: as configured, or as installed]"
    ),
]
OfficesFile = Annotated[
    Path | None,
    typer.Option(
        "--offices",
        metavar="FILE",
        help="Offices and procedures.  [default: as configured, or the installed example]",
    ),
]
Configuration = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", metavar="FILE", readable=False, help=f"Default: {CONFIG_VARIABLE}, or {DEFAULT_CONFIG}."
    ),
]
