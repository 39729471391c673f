"""Looks up closed months."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from vetlla.domain.closing import FileRole
from vetlla.domain.errors import UsageError
from vetlla.service.months.differences import FieldDifference, differences
from vetlla.store.months import closings as store
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.months.parts import JSON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.closing import ClosedInput, Closing


def closings(state_dir: Path, clock: Clock, month: date | None = None) -> list[Closing]:
    """Return the closings of a month, or of all months, in the order in which they were made; without their files."""
    with snapshot(state_dir, clock) as connection:
        return store.closings(connection, month)


def closing(state_dir: Path, clock: Clock, month: date, version: int | None = None) -> Closing:
    """Return a version of a closed month with its files, by default the last one. Raises UsageError without one."""
    with snapshot(state_dir, clock) as connection:
        found = store.closings(connection, month)
        if not found:
            label = f"{month:%Y-%m}"
            raise UsageError(f"{label} is not closed", remedy=f"vetlla month close {label}")
        if version is None:
            version = found[-1].version
        one = next((one for one in found if one.version == version), None)
        if one is None:
            raise UsageError(
                f"{found[0].label} has no version {version}", remedy=f"its last one is {found[-1].version}"
            )
        return replace(one, files=store.files(connection, one))


def changed_inputs(before: Closing, after: Closing) -> Iterator[tuple[str, ClosedInput | None, ClosedInput | None]]:
    """Yield the parts of the record that differ between two closings, by name."""
    one, other = ({found.name: found for found in closing.inputs} for closing in (before, after))
    for name in sorted(one.keys() | other.keys()):
        if one.get(name) != other.get(name):
            yield name, one.get(name), other.get(name)


def changed_results(before: Closing, after: Closing) -> Iterator[tuple[str, FieldDifference]]:
    """Yield the fields of the results that differ between two closings, with the name of the result.

    A result that is no JSON is one field.
    """
    one, other = before.of_role(FileRole.RESULT), after.of_role(FileRole.RESULT)
    for name in sorted(one.keys() | other.keys()):
        old, new = one.get(name), other.get(name)
        if old is not None and new is not None and {old.media, new.media} == {JSON}:
            yield from ((name, found) for found in differences(json.loads(old.content), json.loads(new.content)))
        elif old is None or new is None or old.digest != new.digest:
            yield name, FieldDifference("", old.digest if old else None, new.digest if new else None)
