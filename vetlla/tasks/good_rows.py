"""Goes through the rows of a file that is imported, and keeps the faults apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from vetlla.tables.bounds import MAX_FAULTS, too_many_faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.domain.columns import Fault

R = TypeVar("R")


def good_rows(rows: Iterable[tuple[int, R | list[Fault]]], faults: list[Fault]) -> Iterator[tuple[int, R]]:
    """Yield the good rows with their numbers, and append the faults of the others to ``faults``.

    It ends when there are MAX_FAULTS faults, those included that the caller appends meanwhile.
    """
    for row, found in rows:
        if len(faults) >= MAX_FAULTS:
            faults.append(too_many_faults(row))
            return
        if isinstance(found, list):
            faults.extend(found)
        else:
            yield row, found
