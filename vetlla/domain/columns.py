"""What a file of rows consists of: its columns, what their cells hold, and what is wrong in one of them."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Parse: TypeAlias = "Callable[[str], Any]"
"""Turns the text of a cell into its value; raises ValueError with the reason why it cannot."""


class Holds(Enum):
    """What the cells of a column hold. It decides what a number, a date or a truth of a spreadsheet may stand for."""

    TEXT = "a text"
    """Any text."""
    WORD = "a word"
    """A text of a form that nothing else has: ``parse`` takes no other."""
    CODE = "a code"
    """A text in which every digit counts, leading zeros too: account, serial, home."""
    NUMBER = "a number"
    TRUTH = "yes or no"
    DAY = "a date"
    LIST = "a list of texts"
    """Separated by semicolons; JSON may write a list."""


class Column(NamedTuple):
    """One column that a file may have."""

    name: str
    parse: Parse
    required: bool = False
    """A row without it is refused."""
    holds: Holds = Holds.WORD
    digits: int = 0
    """How many digits each code has: a number that has them all has lost none. 0: a code may have any length."""
    secret: bool = False
    """A refused value is not repeated: a key may have been written where its name belongs."""


class Fault(NamedTuple):
    """What is wrong in one cell. ``row`` counts from 1, the heading being row 1 of a table."""

    row: int
    column: str
    value: str
    reason: str
