"""Columns of the files that the checks and the preview read: rates, templates at Meta, approvals."""

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final

from typing_extensions import TypedDict

from vetlla.domain.columns import Cell, Holds, Matches, ReadBy, RowKind, words
from vetlla.domain.messages import Channel

_LONGEST: Final = 512
"""Most characters of a template's name, at Meta; titles and names of people are shorter."""


def _day(cell: str) -> date:
    try:
        return date.fromisoformat(cell)
    except ValueError:
        raise ValueError("no date: write 2026-10-01") from None


def _moment(cell: str) -> datetime:
    try:
        found = datetime.fromisoformat(cell)
    except ValueError:
        raise ValueError("no time: write 2026-11-21T10:30:00Z") from None
    if found.tzinfo is None:
        raise ValueError("has no zone: write 2026-11-21T10:30:00Z")
    return found.astimezone(UTC)


def _price(cell: str) -> Decimal:
    """Return an amount. A comma is accepted, because Catalan and Spanish spreadsheets write it."""
    try:
        found = Decimal(cell.replace(",", "."))
    except InvalidOperation:
        raise ValueError("no amount: write 0.0456") from None
    if not found.is_finite() or found < 0:
        raise ValueError("should be at least 0")
    return found


def _version(cell: str) -> int:
    if not cell.isascii() or not cell.isdigit():
        raise ValueError("no version: write a whole number")
    return int(cell)


def _printable(cell: str) -> str:
    if not cell.isprintable() or len(cell) > _LONGEST:
        raise ValueError(f"should be at most {_LONGEST} printable characters")
    return cell


_Text = Annotated[str, ReadBy(_printable)]
_Word = Annotated[_Text, Cell(Holds.TEXT)]
_Digest = Annotated[str, Matches("[0-9a-f]{64}", "should be the digest that the preview shows"), Cell(Holds.CODE)]

RateRow = TypedDict(
    "RateRow",
    {
        "from": Annotated[date, ReadBy(_day), Cell(Holds.DAY)],
        "channel": Annotated[
            Channel, words({one.value: one for one in Channel}, "a channel is whatsapp or sms"), Cell(Holds.WORD)
        ],
        "category": _Word,
        "eur": Annotated[Decimal, ReadBy(_price), Cell(Holds.NUMBER)],
    },
)
"""A price that is in force from a day."""


class TemplateRow(TypedDict):
    """A template as Meta lists it."""

    name: _Word
    language: _Word
    status: _Word


class ApprovalRow(TypedDict):
    """One party's consent to a text."""

    title: _Word
    version: Annotated[int, ReadBy(_version), Cell(Holds.NUMBER)]
    digest: _Digest
    party: _Word
    person: _Word
    at: Annotated[datetime, ReadBy(_moment), Cell(Holds.TEXT)]


RATES: Final = RowKind(RateRow)
TEMPLATES: Final = RowKind(TemplateRow)
APPROVALS: Final = RowKind(ApprovalRow)
