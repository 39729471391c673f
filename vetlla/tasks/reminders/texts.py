"""Reads the texts of the reminder service: those that come with the program, or an office's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from vetlla.domain import tomlfile
from vetlla.domain.errors import ConfigError
from vetlla.service.reminders.texts.catalogue import catalogue_of
from vetlla.service.reminders.texts.offices import directory_of
from vetlla.settings.shipped import reminder_offices, reminder_texts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vetlla.service.reminders.texts.catalogue import Catalogue
    from vetlla.service.reminders.texts.offices import Directory

T = TypeVar("T")
FILES: Final = ("ca.toml", "es.toml")


def load_texts(folder: Path | None = None) -> Catalogue:
    """Return the texts of a folder, or those that come with the program. Raises ConfigError."""
    where = folder or reminder_texts()
    return _read(where, lambda: catalogue_of([_document(where / name) for name in FILES]))


def load_offices(file: Path | None = None) -> Directory:
    """Return the offices and procedures of a file, or the example that comes with the program. Raises ConfigError."""
    where = file or reminder_offices()
    return _read(where, lambda: directory_of(_document(where)))


def _read(where: Path, build: Callable[[], T]) -> T:
    try:
        return build()
    except ValueError as error:
        raise ConfigError(
            f"{where}: {error}", remedy="correct this entry; docs/reminders-texts.md has all keys"
        ) from error


def _document(file: Path) -> dict[str, Any]:
    try:
        return tomlfile.document(tomlfile.read_input(file))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"{file}: {why}", remedy=f"the texts are {' and '.join(FILES)} in one folder") from error
