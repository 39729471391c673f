"""Opens the reminders' database for a command, and has the options that these commands share."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.kit.moments import to_the_second
from vetlla.cli.reminders.options import configured
from vetlla.domain.clock import SystemClock, iso, to_datetime, to_us
from vetlla.domain.errors import UsageError
from vetlla.domain.masking import masked_phone
from vetlla.store.reminders.opening import REMINDERS, opened, reading_present
from vetlla.store.reminders.pseudonyms import Pseudonyms
from vetlla.store.secrets.keyring import Keyring
from vetlla.store.sqlite.faults import disk_errors

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

CLOCK = SystemClock()

Phones = Annotated[bool, typer.Option("--phones", help="Show whole telephone numbers, not only the last three digits.")]
Office = Annotated[str, typer.Argument(metavar="OFFICE", help="The source's id of the office.")]
ReplyNumber = Annotated[int, typer.Argument(metavar="N", min=1, help="Number of the reply in the inbox.")]


@contextmanager
def database(state_dir: Path, *, make: bool = False) -> Iterator[sqlite3.Connection]:
    """Yield the reminders' database of a directory.

    Raises UsageError if there is none, unless it may be made: a service has opt-outs before its first day.
    """
    if not make:
        _find(state_dir)
    with opened(state_dir, CLOCK) as db:
        yield db


@contextmanager
def database_to_read(state_dir: Path) -> Iterator[sqlite3.Connection]:
    """Yield the reminders' database of a directory for reading alone. Raises UsageError if there is none."""
    _find(state_dir)
    with reading_present(state_dir) as db:
        yield db


def _find(state_dir: Path) -> None:
    with disk_errors(state_dir):
        exists = (state_dir / REMINDERS).exists()
    if not exists:
        raise UsageError(
            f"{state_dir}: there is no {REMINDERS}",
            remedy="name the reminder service's directory: --state-dir DIR",
        )


def pseudonyms_of(keys_file: Path | None, state_dir: Path) -> Pseudonyms:
    """Return what makes pseudonyms: the keys of a keys file, or none if no file is named and there is none."""
    settings = configured()
    named = settings.keys_file if settings and settings.state_dir == state_dir.absolute() else None
    path = keys_file or named or state_dir / "keys.toml"
    return Pseudonyms(Keyring.read(path) if keys_file or path.exists() else {})


def now() -> datetime:
    """Return the present time, UTC."""
    return to_datetime(CLOCK.now().utc_us)


def phone_shown(phone: str, *, whole: bool) -> str | None:
    """Return a telephone as the user may see it; None if only WhatsApp's id of the person is known."""
    return (phone if whole else masked_phone(phone)) or None


def stamp(at: datetime | None) -> str | None:
    """Return a time for JSON."""
    return None if at is None else iso(to_us(at))


def shown_time(at: datetime | None) -> str:
    """Return a time for people, in the zone of this run; "" for None."""
    return "" if at is None else to_the_second(to_us(at))
