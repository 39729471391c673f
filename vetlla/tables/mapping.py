"""Reads mapping files (TOML), which translate another office's headings and words into ours."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from vetlla.domain import tomlfile
from vetlla.domain.errors import ConfigError
from vetlla.tables.translation import Translation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_REMEDY = "put texts in quotes; docs/inventory.md shows a mapping file"


def translation(path: Path | None) -> Translation:
    """Return a mapping file's translation of headings and words; an empty one if there is no file."""
    if path is None:
        return Translation()
    try:
        document = tomlfile.document(tomlfile.read_input(path))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", remedy="name a file that you may read") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}", remedy=_REMEDY) from error
    unknown = set(document) - {"columns", "values", "constants", "ignore"}
    if unknown:
        remedy = "a mapping file has the tables columns, values and constants, and the list ignore"
        raise ConfigError(f"{path}: unknown: {', '.join(sorted(unknown))}", remedy=remedy)
    tables = {name: document.get(name, {}) for name in ("columns", "values", "constants")}
    if not all(isinstance(table, dict) for table in tables.values()):
        raise ConfigError(f"{path}: columns, values and constants are tables", remedy=_REMEDY)
    ignore = document.get("ignore", [])
    if not (isinstance(ignore, list) and all(isinstance(name, str) for name in ignore)):
        raise ConfigError(f"{path}: ignore is a list of headings", remedy='ignore = ["Observacions"]')
    return Translation(
        columns=_texts(path, tables["columns"]),
        values={name: _texts(path, words) for name, words in tables["values"].items()},
        constants=_texts(path, tables["constants"]),
        ignore=frozenset(ignore),
    )


def _texts(path: Path, table: object) -> Mapping[str, str]:
    if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
        raise ConfigError(f"{path}: names and words are texts", remedy='write "their word" = "ours", in quotes')
    return table
