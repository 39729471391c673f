"""A file of rows: its columns with their pydantic types, the check of a row, and a fault in a cell."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import cached_property
from types import NoneType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Required, TypeVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import core_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema, ErrorDetails

R = TypeVar("R")
HIDDEN = "(not shown)"
"""What messages show in place of a refused value of a secret column."""
_QUOTED = re.compile(r"'([^']*)'")
"""A word of an enumeration, as pydantic lists them."""


class Holds(Enum):
    """What the cells of a column hold. It decides how a number, date or truth value of a spreadsheet may be read."""

    TEXT = "a text"
    """Any text."""
    WORD = "a word"
    """A text of one fixed form; the column's type accepts no other."""
    CODE = "a code"
    """A text in which every digit counts, also leading zeros: account, serial, home."""
    NUMBER = "a number"
    TRUTH = "yes or no"
    DAY = "a date"
    MOMENT = "a time"
    """A date with a time of day, or a date alone."""
    LIST = "a list of texts"
    """Texts separated by semicolons; JSON may contain a list."""


class Cell(NamedTuple):
    """Mark of a type that says what its cells hold: ``Imei = Annotated[str, ..., Cell(Holds.CODE, digits=15)]``."""

    holds: Holds = Holds.WORD
    digits: int = 0
    """Number of digits of each code: a number with all of them has lost no zero. 0 allows any length."""
    secret: bool = False
    """Whether messages must not show a refused value: a person may have written a key in place of its name."""


class Column(NamedTuple):
    """One column that a file may have."""

    name: str
    required: bool
    """Whether a row without it is refused."""
    holds: Holds
    digits: int
    secret: bool


class Fault(NamedTuple):
    """What is wrong in one cell. ``row`` counts from 1; the heading is row 1 of a table."""

    row: int
    column: str
    value: str
    reason: str


class Effect(StrEnum):
    """How a row of an import changed the registry."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Matches:
    """Mark of a type that accepts a text only if a pattern matches all of it, and else refuses it with a reason."""

    pattern: str
    """A regular expression for Rust's engine, which spares each text a call of a function of ours."""
    reason: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the check of the annotated type, and then this one."""
        matching = core_schema.str_schema(pattern=f"^(?:{self.pattern})$")
        return core_schema.chain_schema(
            [handler(source), core_schema.custom_error_schema(matching, "matches", custom_error_message=self.reason)]
        )


@dataclass(frozen=True, slots=True)
class ReadBy:
    """Mark of a type whose value a function makes of a text. The function raises ValueError with the reason."""

    function: Callable[[str], object]

    def __get_pydantic_core_schema__(self, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        """Return the call of the function alone: pydantic need not know the value's own type."""
        return core_schema.no_info_plain_validator_function(self.function)


def words(meanings: Mapping[str, object], reason: str) -> ReadBy:
    """Return the mark of a type that accepts only these words, in any case, and takes their meanings as its values.

    Any other text is refused with the reason.
    """

    def meaning(text: str) -> object:
        try:
            return meanings[text.lower()]
        except KeyError:
            raise ValueError(reason) from None

    return ReadBy(meaning)


class RowKind(Generic[R]):
    """One kind of row, declared as a TypedDict: its columns, and the check that makes values of a row's texts.

    In a row of a total TypedDict every column has a value: None if its type allows None and the cell is empty. A row of
    any other TypedDict has only the columns of the file, and an empty cell means what its type says of "".
    """

    def __init__(self, row: type[R]) -> None:
        self._row = row
        hints = get_type_hints(row, include_extras=True)
        self.is_whole = bool(vars(row)["__total__"])
        self._types = {name: get_args(hint)[0] if _is_required(hint) else hint for name, hint in hints.items()}
        self.columns = tuple(
            _column(name, of_cell, required=_is_required(hints[name]) or (self.is_whole and not _allows_none(of_cell)))
            for name, of_cell in self._types.items()
        )

    @cached_property
    def is_private(self) -> bool:
        """Whether all columns are secret: then also a text in the place of the heading may be a person's."""
        return all(column.secret for column in self.columns)

    @cached_property
    def check(self) -> Callable[[Mapping[str, str | None]], R]:
        """Function that returns the values of a row's texts. It raises ValidationError, which ``reasons`` explains."""
        # The validator is called directly, because the adapter's own method takes longer than the check of some rows.
        return TypeAdapter(self._row).validator.validate_python

    def parse(self, column: str, text: str) -> Any:  # noqa: ANN401 - each column has its type
        """Return the value of one text. Raises ValueError, which says what is wrong without the text itself."""
        try:
            return self._adapters[column].validate_python(text.strip())
        except ValidationError as error:
            # The cause is left out, because pydantic's message contains the text.
            raise ValueError(_reason(_details(error)[0])) from None

    @cached_property
    def _adapters(self) -> Mapping[str, TypeAdapter[Any]]:
        return {name: TypeAdapter(of_cell) for name, of_cell in self._types.items()}


def reasons(error: ValidationError) -> dict[str, str]:
    """Return what is wrong in each bad column of a row."""
    return {str(details["loc"][0]): _reason(details) for details in reversed(_details(error))}


def _details(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_input=False)


def _reason(details: ErrorDetails) -> str:
    context = details.get("ctx", {})
    match details["type"]:
        case "missing":
            return "is empty"
        case "value_error":
            return str(context["error"])
        case "enum":
            return f"not one of {', '.join(_QUOTED.findall(context['expected']))}"
        case "string_too_long":
            return f"longer than {context['max_length']} characters"
    return details["msg"]


def _column(name: str, of_cell: object, *, required: bool) -> Column:
    held = next(part for part in get_args(of_cell) if part is not NoneType) if _allows_none(of_cell) else of_cell
    marks = [mark for mark in getattr(held, "__metadata__", ()) if isinstance(mark, Cell)]
    cell = marks[-1] if marks else Cell()  # the outermost mark counts: it may make a known type secret
    return Column(name, required, *cell)


def _is_required(hint: object) -> bool:
    return get_origin(hint) is Required


def _allows_none(of_cell: object) -> bool:
    return NoneType in get_args(of_cell)
