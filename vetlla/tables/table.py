"""What every kind of file becomes when it is opened: a heading, and rows of cells with their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from vetlla.domain.errors import UsageError
from vetlla.tables.bounds import MAX_COLUMNS, MAX_ROWS
from vetlla.tables.cells import is_blank, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from vetlla.tables.cells import Broken

Row: TypeAlias = "Sequence[object] | Broken"
"""The cells of a row: texts, or values of other types from JSON and spreadsheets; None if an object lacks the name."""


class Table(NamedTuple):
    """An open file. A row is read only when the caller asks for it; blank rows are left out."""

    heading: list[str]
    rows: Iterator[tuple[int, Row]]
    """Each row with its number in the file, counted as a spreadsheet counts."""
    done: Callable[[], float]
    """How much has been read, 0 to 1."""
    seen_in: Mapping[str, int] = {}
    """For a file of objects: the first row that has each name."""
    note: str = ""
    """What the caller should be told of the file, such as the sheets that were not read."""

    @property
    def is_empty(self) -> bool:
        """Return True for a file of objects that holds none."""
        return not self.heading


def heading_of(cells: Sequence[object] | None) -> list[str]:
    """Return the heading in a row of cells, without blank cells at its end. Raises UsageError if there is none."""
    names = list(cells or ())
    while names and is_blank(names[-1]):
        names.pop()
    if not names:
        raise UsageError("is empty", remedy="put the names of the columns into its first row")
    check_width(len(names))
    return [shown(name).strip() if name is not None else "" for name in names]


def check_width(columns: int) -> None:
    """Raise UsageError for more columns than a file may have."""
    if columns > MAX_COLUMNS:
        raise UsageError(f"names more than {MAX_COLUMNS} columns", remedy="leave out those that Vetlla does not know")


def too_many_rows() -> UsageError:
    """Return the error for a file with more rows than are allowed."""
    return UsageError(f"has more than {MAX_ROWS} rows", remedy="import it in parts")
