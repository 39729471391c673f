"""Invoices of the record: a closed month keeps its own, from the time of its close on."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.rigs.homes_on_record import register_homes
from vetlla.domain.clock import ManualClock
from vetlla.domain.closing import INVOICE, ClosedFile, Closing, FileRole
from vetlla.domain.errors import StoreError, UsageError
from vetlla.store.months import closings
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.budget.recorded import recorded_invoices
from vetlla.tasks.duties.rules import load_rules

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.tasks.budget.recorded import RecordedInvoices

RULES = load_rules()
NOW = datetime(2026, 1, 10, tzinfo=UTC)
CLOCK = ManualClock(NOW)
NOW_US = CLOCK.now().utc_us
OCTOBER, NOVEMBER = date(2025, 10, 1), date(2025, 11, 1)
MONTHS = [OCTOBER, NOVEMBER, date(2025, 12, 1), date(2026, 1, 1)]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Make a registry with homes and a person."""
    return register_homes(tmp_path)


def close(state: Path, content: bytes, version: int = 1, *, days_ago: int = 1, digest: str = "") -> None:
    """Close October 2025 with an invoice."""
    file = ClosedFile.of(FileRole.RESULT, INVOICE, "application/json", content)
    kept = file._replace(digest=digest) if digest else file
    one = Closing(
        month=OCTOBER,
        version=version,
        known_us=NOW_US - days_ago * 86_400_000_000,
        by="a test",
        reason="" if version == 1 else "again",
        note="",
        program="0",
        inputs=(),
        files=(kept,),
        before="",
    )
    with transaction(state, CLOCK) as connection:
        closings.add(connection, one)


def lines(*amounts: str) -> bytes:
    """Return the lines of an invoice as a closed month keeps them."""
    made = [
        {"month": "2025-10", "concept": "umo", "amount": amount, "vat": "4", "unit": "emergency"} for amount in amounts
    ]
    return json.dumps(made).encode()


def found(state: Path, known_us: int | None = None) -> RecordedInvoices:
    """Return the invoices of the months that are over."""
    return recorded_invoices(state, CLOCK, RULES, MONTHS, known_us=known_us)


def test_a_month_of_which_nothing_is_paid_has_no_invoice_unless_it_is_closed(state: Path) -> None:
    assert found(state).lines == {}
    close(state, lines("0.00"))
    assert list(found(state).lines) == [OCTOBER]


def test_the_last_close_that_was_known_decides(state: Path) -> None:
    close(state, lines("99.00"), days_ago=5)
    close(state, lines("198.00"), 2, days_ago=2)
    assert [one.amount for one in found(state).lines[OCTOBER]] == [Decimal("198.00")]
    assert found(state).closed == {OCTOBER}
    before = found(state, NOW_US - 3 * 86_400_000_000)
    assert [one.amount for one in before.lines[OCTOBER]] == [Decimal("99.00")]
    assert found(state, NOW_US - 9 * 86_400_000_000).closed == frozenset()


def test_an_invoice_that_was_damaged_or_is_none_is_refused(state: Path) -> None:
    close(state, b'[{"month": "2025-10"}]', days_ago=5)
    with pytest.raises(UsageError, match="closed month 2025-10: 0: concept: Field required"):
        found(state)
    close(state, lines("99.00"), 2, digest="0" * 64)
    with pytest.raises(StoreError, match="the invoice that 2025-10 keeps is damaged"):
        found(state)
