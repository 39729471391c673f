"""``vetlla sanctions record``, ``withdraw`` and ``faults``."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, NamedTuple

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.duty_rows import At, ByWhom, duty_rules
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import Utc, moment, shown_iso, to_the_second
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.parameters import ParametersFile
from vetlla.cli.kit.registry import CLOCK, as_note
from vetlla.cli.sanctions.ledger import class_words
from vetlla.domain.clock import iso
from vetlla.domain.column_types import NUMBER_MAX
from vetlla.domain.errors import UsageError
from vetlla.domain.sanctions import RecordedFault
from vetlla.service.sanctions import recorded as rules
from vetlla.service.sanctions.catalogue import FAULTS
from vetlla.service.sanctions.terms import terms
from vetlla.store.registry.transaction import snapshot, transaction
from vetlla.store.sanctions.faults import all_records
from vetlla.tasks.sanctions import recording

RECORDED: Final = ("number", "fault", "at", "about", "reason", "ref", "amount", "by", "withdraws", "withdrawn")
AMOUNT_MOST = Decimal(40_000_000)
"""Euros. A larger deduction than the whole budget of the contract is a typing error."""


def as_cents(text: str) -> int:
    """Return the cents of an amount that an option gives; typer reports a wrong one."""
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise typer.BadParameter("write an amount in euros as 350.00") from error
    if not amount.is_finite() or not 0 < amount <= AMOUNT_MOST or amount != round(amount, 2):
        raise typer.BadParameter("write an amount in euros as 350.00")
    return int(amount * 100)


Reason = Annotated[
    str, typer.Option("--reason", "--note", parser=as_note, metavar="TEXT", help="What happened; no personal data.")
]
Evidence = Annotated[
    str, typer.Option("--ref", parser=as_note, metavar="TEXT", help="Where the evidence is, such as a register number.")
]


class LedgerEntry(NamedTuple):
    """Options of every command that writes into the ledger."""

    at: At = ""
    by: ByWhom = ""
    dry_run: DryRun = False
    parameters_file: ParametersFile = None
    utc: Utc = False
    as_json: AsJson = False
    state_dir: StateDir = DEFAULT_STATE_DIR


@with_option_groups
def record(
    fault: Annotated[str, typer.Argument(metavar="FAULT", help="Number of the fault, such as S07.")],
    reason: Reason,
    subject: Annotated[
        str, typer.Option("--about", parser=as_note, metavar="CODE", help="Code of a home, a person, a device.")
    ] = "",
    ref: Evidence = "",
    amount: Annotated[
        int | None, typer.Option("--amount", parser=as_cents, metavar="EUR", help="Euros of a deduction (20.2.d).")
    ] = None,
    *,
    entry: LedgerEntry,
) -> None:
    """Record a fault that nothing computes, such as a missing uniform, or a deduction after a control (20.2.d).

    Record S10 for each missed obligation under no service level: the ledger counts them. A wrong record is taken back
    with `vetlla sanctions withdraw`.

    Example: vetlla sanctions record S07 --at 2026-11-21T10:00 --reason "officer without uniform"
    """
    told = _told(entry, fault=fault, subject=subject.strip(), reason=reason.strip(), ref=ref.strip(), cents=amount)
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        done = recording.record(connection, told, "vetlla sanctions record")
    _print(done, as_json=entry.as_json)


@with_option_groups
def withdraw(
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, max=NUMBER_MAX, help="Number of the record.")],
    reason: Reason,
    *,
    entry: LedgerEntry,
) -> None:
    """Take a recorded fault back, because it was recorded in error. Both stay in the registry.

    Example: vetlla sanctions withdraw 12 --reason "the uniform was in the laundry report"
    """
    if entry.at:
        raise UsageError("a withdrawal holds from now on", remedy="leave out --at")
    told = _told(entry, reason=reason.strip(), withdraws=number)
    with transaction(entry.state_dir, CLOCK, dry_run=entry.dry_run) as connection:
        gone = recording.withdraw(connection, told, "vetlla sanctions withdraw")
    _print(gone, as_json=entry.as_json, is_withdrawn=True)


def faults(parameters_file: ParametersFile = None, as_json: AsJson = False) -> None:
    """List the faults of the contract: number, class, clause, ceiling in euros, and how each is reached.

    "counted": from other months or faults. "found": in the record, or by hand. "recorded": by hand alone.

    Example: vetlla sanctions faults
    """
    rules = duty_rules(None, parameters_file)
    ceilings = terms(rules.parameters.on(rules.calendar.date_of(CLOCK.now().utc_us))).ceilings
    rows = (
        {
            "fault": one.fault,
            "class": one.fault_class.value if as_json else class_words(one.fault_class.value),
            "clause": one.clause,
            "ceiling": str(ceilings[one.fault_class]) if one.fault_class in ceilings else None,
            "reached": one.reached.value,
            "words": one.words,
            "counted": one.is_counted,
        }
        for one in FAULTS.values()
    )
    print_rows(rows, ("fault", "class", "clause", "ceiling", "reached", "words"), as_json=as_json)


def recorded(
    known: Known = "",
    parameters_file: ParametersFile = None,
    _utc: Utc = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """List the faults that were recorded by hand, withdrawn ones and the withdrawals too, with their numbers.

    Example: vetlla sanctions recorded
    """
    duty_rules(None, parameters_file)
    with snapshot(state_dir, CLOCK, asked(known).known_us) as connection:
        records = all_records(connection)
    stands = {one.id for one in rules.standing(records)}
    rows = (_fields(one, is_withdrawn=not one.withdraws and one.id not in stands) for one in records)
    shown = rows if as_json else (row | {"at": shown_iso(row["at"])} for row in rows)
    print_rows(shown, RECORDED, as_json=as_json)


def at_us(entry: LedgerEntry) -> int:
    """Return when it happened. Times without a zone are on the clock of the service. Raises UsageError."""
    duty_rules(None, entry.parameters_file)
    now_us = CLOCK.now().utc_us
    return moment(entry.at, now_us) if entry.at else now_us


def _told(
    entry: LedgerEntry,
    *,
    fault: str = "",
    subject: str = "",
    reason: str = "",
    ref: str = "",
    cents: int | None = None,
    withdraws: int = 0,
) -> RecordedFault:
    by = entry.by.strip() or actor()
    at, now_us = at_us(entry), CLOCK.now().utc_us
    return RecordedFault(0, fault, at, subject, reason, ref, cents, by, withdraws, now_us)


def _print(one: RecordedFault, *, as_json: bool, is_withdrawn: bool = False) -> None:
    if as_json:
        print_json(_fields(one, is_withdrawn=is_withdrawn))
        return
    word = "withdrawn: " if is_withdrawn else ""
    console().print(
        f"{word}{one.id} {one.fault} of {to_the_second(one.at_us)}: {FAULTS[one.fault].words}", soft_wrap=True
    )


def _fields(one: RecordedFault, *, is_withdrawn: bool) -> dict[str, Any]:
    return {
        "number": one.id,
        "fault": one.fault,
        "class": FAULTS[one.fault].fault_class.value,
        "at": iso(one.at_us),
        "about": one.subject,
        "reason": one.reason,
        "ref": one.ref,
        "amount": None if one.cents is None else f"{rules.euros(one.cents)}",
        "by": one.by,
        "withdraws": one.withdraws or None,
        "withdrawn": is_withdrawn,
    }
