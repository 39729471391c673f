"""Writes signals as a CSV table: the fields of the JSON export, with nested ones in columns of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from vetlla.tables.delimited import Writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SPREAD = {
    "event": ("kind", "phase", "code", "system"),
    "position": ("latitude", "longitude", "altitude_m", "accuracy_m", "source", "at"),
}
"""Fields that hold fields. Each becomes columns such as ``event_kind``, even without a value."""


class CsvExport:
    """Writes rows, with a header before the first one."""

    def __init__(self, out: TextIO) -> None:
        self._writer = Writer(out)
        self._begun = False

    def write(self, fields: Mapping[str, Any]) -> None:
        """Add a signal."""
        columns, values = zip(*_spread(fields), strict=True)
        if not self._begun:
            self._writer.row(columns)
            self._begun = True
        self._writer.row(values)


def _spread(fields: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name, value in fields.items():
        if name in SPREAD:
            for part in SPREAD[name]:
                yield f"{name}_{part}", cell(value[part] if value else None)
        else:
            yield name, cell(value)


def cell(value: object) -> object:
    """Return a value as a CSV table shows it."""
    match value:
        case dict():
            return json.dumps(value, ensure_ascii=False) if value else ""
        case bool():
            return str(value).lower()
        case _:
            return value
