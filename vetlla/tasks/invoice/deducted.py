"""The deductions of a month that a control led to, as they were recorded (tender 20220428, 20.2.d)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from vetlla.domain.sanctions import FaultClass
from vetlla.service.invoice.concepts import DEDUCTION
from vetlla.service.invoice.lines import Deduction
from vetlla.service.sanctions.catalogue import FAULTS
from vetlla.service.sanctions.recorded import cases
from vetlla.store.sanctions import faults as stored_faults

if TYPE_CHECKING:
    from vetlla.tasks.sla.month import MonthRecord


def recorded_deductions(record: MonthRecord) -> list[Deduction]:
    """Return the deductions of the month that stand, by day, as the record knows them; a withdrawn one is none.

    One that was recorded without an amount is 0.00 and not known.
    """
    every = cases(stored_faults.all_records(record.connection), record.rules.calendar.date_of)
    found = [
        Deduction(DEDUCTION, one.amount or Decimal(0), one.note, int(one.number), one.day, one.amount is not None)
        for one in every
        if FAULTS[one.fault].fault_class is FaultClass.DEDUCTION and record.month <= one.day <= record.last
    ]
    return sorted(found, key=lambda one: (one.day, one.record))
