"""Reads the files of rows that belong to the texts: the rate card, templates at Meta, approvals."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

from vetlla.domain import tomlfile
from vetlla.domain.approvals import Approval
from vetlla.domain.errors import UsageError
from vetlla.service.reminders.rates import Rate, rate_card
from vetlla.service.reminders.texts.columns import APPROVALS, RATES, TEMPLATES
from vetlla.tables.reader import Reader
from vetlla.tables.source import opened
from vetlla.tables.table import Table
from vetlla.tables.translation import Translation

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.columns import RowKind
    from vetlla.service.reminders.rates import RateCard
    from vetlla.service.reminders.texts.columns import RateRow

R = TypeVar("R")


def load_rates(file: Path) -> RateCard:
    """Return a rate card: columns ``from``, ``channel``, ``category``, ``eur``. Raises UsageError.

    A file that ends in ``.toml`` has them as keys of ``[[rate]]``, because TOML has room for notes about a price.
    """
    rows = _rates_of_toml(file) if file.suffix.lower() == ".toml" else _rows(file, RATES)
    return rate_card(Rate(row["from"], row["channel"], row["category"], row["eur"]) for row in rows)


_TOML: Final = "write [[rate]] with from, channel, category and eur; config/reminders/rates.toml shows it"


def _rates_of_toml(file: Path) -> list[RateRow]:
    try:
        found = tomlfile.document(tomlfile.read_input(file), parse_float=Decimal)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{file}: {why}", remedy=_TOML) from error
    rates = found.pop("rate", [])
    if found or not isinstance(rates, list) or not all(isinstance(one, dict) for one in rates):
        raise UsageError(f"{file}: has other keys than [[rate]]", remedy=_TOML)
    columns = [column.name for column in RATES.columns]
    unknown = {name for one in rates for name in one} - set(columns)
    if unknown:
        raise UsageError(f"{file}: unknown key {min(unknown)!r} of [[rate]]", remedy=_TOML)
    rows = ((number, [str(one.get(name, "")) for name in columns]) for number, one in enumerate(rates, 1))
    return _read(file, RATES, Table(columns, rows, lambda: 0.0))


def load_templates(file: Path) -> dict[tuple[str, str], str]:
    """Return the status of templates by name and language: columns ``name``, ``language``, ``status``.

    Raises UsageError.
    """
    return {(row["name"], row["language"]): row["status"] for row in _rows(file, TEMPLATES)}


def load_approvals(file: Path) -> list[Approval]:
    """Return approvals: columns ``title``, ``version``, ``digest``, ``party``, ``person``, ``at``.

    Raises UsageError.
    """
    return [Approval(**row) for row in _rows(file, APPROVALS)]


def _rows(file: Path, kind: RowKind[R]) -> list[R]:
    with opened(file) as table:
        return _read(file, kind, table)


def _read(file: Path, kind: RowKind[R], table: Table) -> list[R]:
    reader = Reader(kind, table, Translation())
    if reader.faults:
        raise UsageError(f"{file}: {reader.faults[0].reason}", remedy="docs/reminders-texts.md names the columns")
    rows: list[R] = []
    for number, found in reader.read(table.rows):
        if isinstance(found, list):
            first = found[0]
            what = f"{first.column} {first.value!r}" if first.column else repr(first.value)
            raise UsageError(f"{file}: row {number}: {what}: {first.reason}", remedy="correct this row")
        rows.append(found)
    return rows
