"""Values that describe a file of rows: its columns, the content of their cells, and a fault in a cell."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Parse: TypeAlias = "Callable[[str], Any]"
"""Turns the text of a cell into its value. Raises ValueError with the reason."""


class Holds(Enum):
    """What the cells of a column hold. It decides how a number, date or truth value of a spreadsheet may be read."""

    TEXT = "a text"
    """Any text."""
    WORD = "a word"
    """A text of one fixed form; ``parse`` accepts no other."""
    CODE = "a code"
    """A text in which every digit counts, also leading zeros: account, serial, home."""
    NUMBER = "a number"
    TRUTH = "yes or no"
    DAY = "a date"
    LIST = "a list of texts"
    """Texts separated by semicolons; JSON may contain a list."""


class Column(NamedTuple):
    """One column that a file may have."""

    name: str
    parse: Parse
    required: bool = False
    """Whether a row without it is refused."""
    holds: Holds = Holds.WORD
    digits: int = 0
    """Number of digits of each code: a number with all of them has lost no zero. 0 allows any length."""
    secret: bool = False
    """Whether a refused value stays out of messages: someone may have written a key in place of its name."""


class Fault(NamedTuple):
    """What is wrong in one cell. ``row`` counts from 1; the heading is row 1 of a table."""

    row: int
    column: str
    value: str
    reason: str
