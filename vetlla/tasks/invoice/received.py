"""Reads a received invoice: Facturae, or a file of lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.documents.facturae.checking import faults_of
from vetlla.documents.facturae.reading import read
from vetlla.domain.clock import last_of_month
from vetlla.domain.errors import UsageError
from vetlla.domain.invoices import ReceivedLine
from vetlla.domain.plainfile import open_file
from vetlla.service.invoice.columns import LINES
from vetlla.tables.headings import folded
from vetlla.tables.reader import Reader
from vetlla.tables.source import opened
from vetlla.tables.translation import Translation
from vetlla.tasks.good_rows import good_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from pathlib import Path

    from vetlla.domain.columns import Fault
    from vetlla.domain.invoices import ReceivedInvoice

LARGEST: Final = 16 << 20
"""Most bytes of an electronic invoice. One of 20 lines with its signature and certificates has 20 kB."""


class Received(NamedTuple):
    """A received invoice."""

    lines: Sequence[ReceivedLine]
    whole: ReceivedInvoice | None
    """With header and sums, if the file has them."""
    faults: Sequence[str]
    """What is wrong with the form of the file, its sums or its signature."""


def received(path: Path, month: date) -> Received:
    """Return the invoice of a file: Facturae if its name ends in .xml or .xsig, else a file of lines.

    Raises UsageError if it cannot be read, or is of another month.
    """
    if path.suffix.lower() in {".xml", ".xsig"}:
        return _facturae(path, month)
    lines, faults = _lines(path, month)
    if faults:
        first = faults[0]
        raise UsageError(
            f"{path}: row {first.row}: {first.column} {first.reason}",
            remedy="columns: month, concept, units, price, amount, vat, as `vetlla invoice make --json` writes them",
        )
    return Received(lines, None, ())


def _facturae(path: Path, month: date) -> Received:
    try:
        with open_file(path) as file:
            xml = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", remedy="name the file of the invoice") from error
    if len(xml) > LARGEST:
        raise UsageError(f"{path}: has more than {LARGEST >> 20} MiB", remedy="name the file of one invoice")
    whole = read(xml)
    if whole.period is not None and whole.period[0].replace(day=1) != month:
        raise UsageError(
            f"{path}: is the invoice of {whole.period[0]:%Y-%m}", remedy=f"--month {whole.period[0]:%Y-%m}"
        )
    return Received(whole.lines, whole, [*faults_of(xml), *_wrong_days(whole, month)])


def _wrong_days(whole: ReceivedInvoice, month: date) -> Iterator[str]:
    """Yield which days of the invoice do not go with its month."""
    last = last_of_month(month)
    if whole.issued < last:
        yield f"the invoice is dated {whole.issued}, before the end of {month:%Y-%m}"
    if whole.period is not None and whole.period[1] > last:
        yield f"the invoice is for days up to {whole.period[1]}, after the end of {month:%Y-%m}"


def _lines(path: Path, month: date) -> tuple[list[ReceivedLine], list[Fault]]:
    faults: list[Fault] = []
    found = []
    ours = {column.name for column in LINES.columns}
    with opened(path, what="lines") as table:
        others = [name for name in table.heading if folded(name) not in ours]
        reader = Reader(LINES, table, Translation(ignore=frozenset(others)))
        if reader.faults:
            return [], list(reader.faults)
        for number, row in good_rows(reader.read(table.rows), faults):
            if row["month"] and row["month"] != f"{month:%Y-%m}":
                raise UsageError(f"{path}: row {number} is of {row['month']}", remedy=f"--month {row['month']}")
            line = ReceivedLine(
                row["concept"], row["concept"], row["units"], row["price"], row["amount"], (row["vat"],)
            )
            found.append(line)
    return found, faults
