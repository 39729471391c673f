"""Reads the files of rows that belong to the texts: the rate card, templates at Meta, approvals."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from vetlla.domain.approvals import Approval
from vetlla.domain.errors import UsageError
from vetlla.service.reminders.rates import Rate, rate_card
from vetlla.service.reminders.texts.columns import APPROVALS, RATES, TEMPLATES
from vetlla.tables.reader import Reader
from vetlla.tables.source import opened
from vetlla.tables.translation import Translation

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.columns import RowKind
    from vetlla.service.reminders.rates import RateCard

R = TypeVar("R")


def load_rates(file: Path) -> RateCard:
    """Return a rate card: columns ``from``, ``channel``, ``category``, ``eur``. Raises UsageError."""
    rows = _rows(file, RATES)
    return rate_card(Rate(row["from"], row["channel"], row["category"], row["eur"]) for row in rows)


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
