"""Reads one TOML file, then ``conf.d/*.toml`` beside it in the order of names, as one tree of values.

Tables merge, a later value replaces an earlier one, lists of tables (``[[listen]]``, ``[[source]]``) append. Each value
remembers the file that it is from, so that an error can name it.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from vetlla.domain import tomlfile
from vetlla.domain.errors import ConfigError
from vetlla.settings.faults import Origin

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.settings.faults import Location

LARGEST = 1 << 20
"""Largest file in bytes: a hundred times the example. A wrong file, such as a log, must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The values of a configuration, and the file of each."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[Location, Origin] = field(default_factory=dict)


def read(path: Path, example: str) -> Tree:
    """Return the values of a configuration. ``example`` is the file that an operator can copy. Raises ConfigError."""
    tree = Tree()
    for file in files(path):
        _merge(tree.values, _parse(file, example), file, tree.origins)
    return tree


def files(path: Path) -> list[Path]:
    """Return the files of a configuration, in the order in which they are read."""
    folder = path.parent / "conf.d"
    try:
        return [path, *sorted(file for file in folder.iterdir() if file.suffix == ".toml")]
    except FileNotFoundError:
        return [path]
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror}", remedy="let the user that runs Vetlla read it") from error


def _parse(file: Path, example: str) -> dict[str, Any]:
    try:
        return tomlfile.document(tomlfile.read(file, at_most=LARGEST))
    except FileNotFoundError as error:
        raise ConfigError(
            f"{file}: no such file", remedy=f"copy {example} there and edit it, or set another with --config"
        ) from error
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise ConfigError(
                f"{file}: longer than {LARGEST} bytes", remedy=f"name a configuration file such as {example}"
            ) from error
        remedy = "let the user that runs Vetlla read this file"
        if isinstance(error, IsADirectoryError):
            remedy = f"name a file, such as {file / PurePath(example).name}"
        raise ConfigError(f"{file}: {error.strerror}", remedy=remedy) from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{file}: byte {error.start} is not UTF-8 text", remedy="save the file with UTF-8 encoding"
        ) from error
    except (ValueError, RecursionError) as error:  # a number with thousands of digits raises a plain ValueError
        raise ConfigError(f"{file}: not TOML: {error}", remedy="correct that line; put texts in quotes") from error


def _merge(
    into: dict[str, Any], table: dict[str, Any], file: Path, origins: dict[Location, Origin], at: Location = ()
) -> None:
    for key, value in table.items():
        here = (*at, key)
        present = into.get(key)
        if isinstance(value, dict):
            origins.setdefault(here, Origin(file))
            into[key] = present if isinstance(present, dict) else {}
            _merge(into[key], value, file, origins, here)
        elif value and isinstance(value, list) and isinstance(present, list | None) and isinstance(value[0], dict):
            into[key] = present or []
            for number, entry in enumerate(value, start=1):
                origins[(*here, len(into[key]))] = Origin(file, number)
                into[key].append(entry)
        else:
            into[key] = value
            origins[here] = Origin(file)
