"""Reads the lexicon of replies: the one that comes with the program, or an office's own."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vetlla.domain import tomlfile
from vetlla.domain.errors import ConfigError
from vetlla.service.reminders.lexicon import lexicon_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vetlla.service.reminders.lexicon import Lexicon

FILES: Final = ("any.toml", "ca.toml", "es.toml")


def load_lexicon(folder: Path | None = None, *, more: Iterable[Mapping[str, Any]] = ()) -> Lexicon:
    """Return the lexicon of a folder, or the one that comes with the program. Raises ConfigError.

    ``more`` are documents of the same form, for a lexicon as it would be with them.
    """
    where = folder or Path(str(files("vetlla.service.reminders"))) / "lexicons"
    try:
        return lexicon_of([*(_document(where / name) for name in FILES), *more])
    except ValueError as error:
        raise ConfigError(f"{where}: {error}", remedy="correct this list; the shipped files show the form") from error


def _document(file: Path) -> dict[str, Any]:
    try:
        return tomlfile.document(tomlfile.read(file))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"{file}: {why}", remedy=f"a lexicon consists of {', '.join(FILES)}") from error
