"""Options and steps that the commands of the invoice share."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from vetlla.cli.kit.known import asked
from vetlla.cli.kit.moments import as_month
from vetlla.cli.kit.output import talk
from vetlla.cli.kit.registry import CLOCK, background_priority, working
from vetlla.domain.errors import UsageError
from vetlla.domain.money import cents
from vetlla.service.invoice.concepts import DEDUCTION, REDUCTION
from vetlla.service.invoice.lines import Deduction
from vetlla.tasks.invoice.counts import InvoiceCounts
from vetlla.tasks.sla.month import month_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.service.duties.terms import DutyRules
    from vetlla.service.invoice.lines import MonthInvoice

REASON_MAX: Final = 200
"""Most characters of a reason: it is one line of the invoice's remarks."""
Month = Annotated[
    date, typer.Option("--month", parser=as_month, metavar="YYYY-MM", help="Month on the clock of the service.")
]


class ReductionOptions(NamedTuple):
    """Amounts that the invoice is less by."""

    reduction: Annotated[
        str, typer.Option("--reduction", metavar="EUR", help="Reduction by the service levels, without VAT.")
    ] = ""
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Reason of the reduction.")] = ""
    deduction: Annotated[
        list[str] | None,
        typer.Option("--deduction", metavar="EUR:REASON", help="A deduction of section 20.2.d; may be repeated."),
    ] = None

    def deductions(self) -> list[Deduction]:
        """Return the amounts that the user gave. Raises UsageError."""
        found = []
        if self.reduction:
            if not self.reason.strip():
                raise UsageError("--reduction needs its reason", remedy='--reason "ANS 11, resolution of 4 December"')
            found.append(_deduction(REDUCTION, self.reduction, self.reason, "--reduction"))
        elif self.reason:
            raise UsageError("--reason is that of --reduction", remedy="--deduction EUR:REASON has its own")
        for text in self.deduction or ():
            amount, _, reason = text.partition(":")
            if not reason.strip():
                raise UsageError(f"--deduction: {text!r} has no reason", remedy="write it as 120.50:REASON")
            found.append(_deduction(DEDUCTION, amount, reason, "--deduction"))
        return found


@contextmanager
def counted(state_dir: Path, rules: DutyRules, month: date, known: str) -> Iterator[InvoiceCounts]:
    """Yield the counts of a month, as known at a time. Raises StoreError or UsageError."""
    background_priority()
    _, known_us = asked(known)
    with month_record(state_dir, CLOCK, rules, month, known_us) as record, working(f"counting {month:%Y-%m}"):
        yield InvoiceCounts(record)


def tell_notes(made: MonthInvoice) -> None:
    """Print for a person what was not counted and could be missed."""
    for one in made.lines:
        for note in one.notes:
            talk().print(f"{one.line.concept}: {SENTENCES[note.name].format(*note[1:])}", soft_wrap=True)


SENTENCES: Final = {
    "reduction_unknown": "the reduction by service levels is not known (PPT 13.4): give --reduction EUR --reason TEXT",
    "deducted": "{1}",
    "deducted_by_record": "recorded deduction {0}: {1}",
    "deduction_unknown": "recorded deduction {0} has no amount, so 0.00 is deducted: {1}",
    "levels_without_band": "not kept, and no parameter invoice.ans_reduction.N says their percentage: {1}",
    "reduced_below_zero": "the reductions are more than what they are taken of: with them it is {1} EUR",
    "levels_not_measured": "not measured, so the reduction leaves them out: {1}",
    "homes_without_people": "{0} homes in the service have no registered user who is active: not counted",
    "people_without_home": "{0} people have a home that is not registered: not counted",
    "programme_in_no_concept": "programme {1} is in no parameter invoice.programme: {0} active people are not counted",
    "calls_fortnightly_programme": "{0} follow-ups are not paid: a person of the home gets fortnightly calls",
    "calls_replaced_by_revaluation": "{0} follow-ups are not paid: a revaluation of the month replaces them",
}


def _deduction(concept: str, text: str, reason: str, option: str) -> Deduction:
    try:
        amount = Decimal(text.strip())
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0 or cents(amount) != amount:
        raise UsageError(f"{option}: {text!r} is no amount", remedy="write EUR with at most two decimals: 120.50")
    if len(reason) > REASON_MAX:
        raise UsageError(f"{option}: the reason has more than {REASON_MAX} characters")
    return Deduction(concept, cents(amount), reason.strip())
