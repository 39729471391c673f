"""What the parts of a month are made of: its record, and what several parts need of it, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from vetlla.tasks.invoice.counts import InvoiceCounts
from vetlla.tasks.sanctions.gathering import LedgerQuestion, gather
from vetlla.tasks.sanctions.levels import LastMonth
from vetlla.tasks.sla.sources import figures

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.tasks.sanctions.gathering import LedgerInput
    from vetlla.tasks.sla.month import MonthRecord


@dataclass(frozen=True)
class MonthSources:
    """The record of a month as it is known at a time. Each value is computed when a part first asks for it."""

    state_dir: Path
    clock: Clock
    record: MonthRecord

    @cached_property
    def figures(self) -> tuple[LevelFigure, ...]:
        """The figures of all levels, in the order of their numbers."""
        return tuple(figures(self.record))

    @cached_property
    def counts(self) -> InvoiceCounts:
        """The counted units of the invoice."""
        return InvoiceCounts(self.record)

    @cached_property
    def ledger(self) -> LedgerInput:
        """What the ledger of faults is made of, at the end of the month.

        Earlier months are those that were closed before; one that never was is computed from the record.
        """
        record = self.record
        computed = LastMonth(record.month, self.figures, record.ledger_days)
        asked = LedgerQuestion(record.month, record.seen_us, computed=computed)
        return gather(self.state_dir, self.clock, record.rules, asked)
