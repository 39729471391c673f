"""Records faults that nothing computes, and takes them back. Each function works within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.errors import UsageError
from vetlla.domain.sanctions import FaultClass
from vetlla.service.sanctions import recorded
from vetlla.service.sanctions.catalogue import recordable
from vetlla.store.sanctions import faults as store

if TYPE_CHECKING:
    import sqlite3

    from vetlla.domain.sanctions import RecordedFault


def record(connection: sqlite3.Connection, told: RecordedFault, source: str) -> RecordedFault:
    """Append a fault; return it with its number.

    Raises UsageError for a fault that is unknown or that only the ledger counts, for a time to come, without a reason,
    and for an amount of a fault that is no deduction.
    """
    kind = recordable(told.fault)
    refuse_future(told.at_us, told.recorded_us)
    if not told.reason:
        raise UsageError("a recorded fault needs a reason", remedy="say what happened with --reason, without names")
    if told.cents is not None and kind.fault_class is not FaultClass.DEDUCTION:
        raise UsageError(f"{kind.fault} has a ceiling and no amount", remedy="only 20.2.d takes --amount")
    return store.add(connection, told._replace(fault=kind.fault), source)


def withdraw(connection: sqlite3.Connection, told: RecordedFault, source: str) -> RecordedFault:
    """Take a recorded fault back; return that fault. Raises UsageError if none with that number stands."""
    if not told.reason:
        raise UsageError("a withdrawal needs a reason", remedy="say why with --reason")
    one = recorded.to_withdraw(store.all_records(connection), told.withdraws)
    store.add(connection, told._replace(fault=one.fault, at_us=told.recorded_us, subject=one.subject), source)
    return one


def refuse_future(at_us: int, now_us: int) -> None:
    """Raise UsageError for a time that is to come."""
    if at_us > now_us:
        raise UsageError("that lies in the future", remedy="record what has happened; correct --at")
