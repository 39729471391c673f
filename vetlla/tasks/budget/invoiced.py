"""Reads invoiced amounts from files of ``vetlla invoice make --json``: one line of an invoice in each line."""

from __future__ import annotations

from collections import Counter, defaultdict
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from vetlla.domain import tomlfile
from vetlla.domain.errors import UsageError
from vetlla.service.budget.execution import InvoicedLine
from vetlla.service.invoice.concepts import REPEATED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_Amount: TypeAlias = Annotated[Decimal, Field(decimal_places=2, allow_inf_nan=False)]
_Percent: TypeAlias = Annotated[Decimal, Field(ge=0, le=100, allow_inf_nan=False)]


class _Line(BaseModel):
    """The fields that the budget needs; an invoice has more, and they may grow."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    month: Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    concept: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.]{1,64}$")]
    amount: _Amount
    vat: _Percent


_LINES: Final = TypeAdapter(list[_Line])


def invoiced_lines(files: Iterable[Path]) -> dict[date, list[InvoicedLine]]:
    """Return the lines of each month, by its first day.

    Raises UsageError for a file that cannot be read, a line that is none of an invoice, a month that is in two files,
    and a concept that is twice in a month.
    """
    found: defaultdict[date, list[InvoicedLine]] = defaultdict(list)
    file_of: dict[date, Path] = {}
    for file in files:
        for month, lines in _read(file).items():
            if month in file_of:
                raise UsageError(f"{month:%Y-%m} is in {file_of[month]} and in {file}", remedy="name one of them")
            file_of[month] = file
            found[month] = lines
    return dict(found)


def _read(file: Path) -> Mapping[date, list[InvoicedLine]]:
    try:
        text = tomlfile.read_input(file).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or "not UTF-8 text"
        raise UsageError(f"{file}: {told}", remedy="name a file of `vetlla invoice make --json`") from error
    found: defaultdict[date, list[InvoicedLine]] = defaultdict(list)
    for place, row in enumerate(text.splitlines(), start=1):
        if row.strip():
            line = _line(row, f"{file}: line {place}")
            found[date.fromisoformat(f"{line.month}-01")].append(_invoiced(line))
    for month, lines in found.items():
        twice = [one for one, times in Counter(line.concept for line in lines).items() if times > 1]
        if wrong := sorted(set(twice) - REPEATED):
            raise UsageError(f"{file}: {month:%Y-%m} has {wrong[0]} twice", remedy="keep one invoice of each month")
    return found


def kept_lines(content: bytes, where: str) -> list[InvoicedLine]:
    """Return the lines of an invoice that a closed month keeps as one list. Raises UsageError that says where."""
    with _said(where, "vetlla month verify compares it with the record"):
        return [_invoiced(line) for line in _LINES.validate_json(content)]


def _invoiced(line: _Line) -> InvoicedLine:
    return InvoicedLine(line.concept, line.amount, line.vat)


def _line(row: str, where: str) -> _Line:
    with _said(where, "give the lines that `vetlla invoice make --json` prints"):
        return _Line.model_validate_json(row)


@contextmanager
def _said(where: str, remedy: str) -> Iterator[None]:
    """Raise UsageError for what pydantic finds wrong."""
    try:
        yield
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)
        why = "; ".join(": ".join((*map(str, one["loc"]), one["msg"])) for one in wrong)
        raise UsageError(f"{where}: {why}", remedy=remedy) from error
