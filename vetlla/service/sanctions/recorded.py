"""Faults that people record: which records stand, and what must be true of a new one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from vetlla.domain.errors import UsageError
from vetlla.domain.sanctions import FaultCase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date

    from vetlla.domain.sanctions import RecordedFault


def standing(records: Iterable[RecordedFault]) -> list[RecordedFault]:
    """Return the records that were not taken back, without the withdrawals."""
    found = list(records)
    gone = {one.withdraws for one in found}
    return [one for one in found if not one.withdraws and one.id not in gone]


def cases(records: Iterable[RecordedFault], date_of: Callable[[int], date]) -> list[FaultCase]:
    """Return the records that stand as cases of the ledger; ``date_of`` gives the day on the clock of the service."""
    return [
        FaultCase(
            one.fault,
            date_of(one.at_us),
            "recorded",
            str(one.id),
            one.subject,
            one.reason,
            amount=None if one.cents is None else euros(one.cents),
        )
        for one in standing(records)
    ]


def euros(cents: int) -> Decimal:
    """Return an amount in euros, with two places."""
    return Decimal(cents).scaleb(-2)


def to_withdraw(records: Iterable[RecordedFault], number: int) -> RecordedFault:
    """Return the record that is taken back. Raises UsageError if there is none that stands."""
    found = {one.id: one for one in standing(records)}
    if number not in found:
        raise UsageError(
            f"no recorded fault that stands has the number {number}",
            remedy="vetlla sanctions recorded has all numbers",
        )
    return found[number]
