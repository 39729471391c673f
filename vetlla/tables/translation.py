"""How a file's headings and words become ours: the content of a mapping file, and its check against our columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from vetlla.domain.errors import ConfigError
from vetlla.tables.headings import folded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vetlla.domain.columns import Column, RowKind

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """The content of a mapping file, which an operator writes."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Our column: the file's heading."""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Our column: {the file's word: ours}."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Our column: its value in every row, if the file does not have the column."""
    ignore: frozenset[str] = frozenset()
    """Headings of the file that are not imported."""


def check_mapping(columns: Sequence[Column], translation: Translation) -> None:
    """Raise ConfigError if a mapping names a column that does not exist, or one heading for two columns."""
    known = {column.name for column in columns}
    there = f"there are the columns {', '.join(column.name for column in columns)}"
    _refuse("mapping: unknown column", set(translation.columns) - known, there)
    _refuse("mapping: unknown constant", set(translation.constants) - known, there)
    _refuse("mapping: values of an unknown column", set(translation.values) - known, "name the values by our column")
    theirs = list(map(folded, translation.columns.values()))
    twice = {name for name in translation.columns.values() if theirs.count(folded(name)) > 1}
    _refuse("mapping: heading for two columns", twice, "use each heading for one column only")


def constants(kind: RowKind[R], translation: Translation) -> dict[str, str | None]:
    """Return the texts that a mapping gives to every row, by column. Raises ConfigError for one that is no value."""
    return {column: _constant(kind, column, text) for column, text in translation.constants.items()}


def _constant(kind: RowKind[R], column: str, text: str) -> str:
    try:
        kind.parse(column, text)
    except ValueError as error:
        raise ConfigError(f"mapping: constant {column} = {text!r}: {error}") from error
    return text.strip()


def _refuse(what: str, names: set[str], remedy: str) -> None:
    if names:
        raise ConfigError(f"{what}: {', '.join(sorted(names))}", remedy=remedy)
