"""Closes a month: reads the record as it is known now, and keeps it with what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vetlla.domain.clock import iso, last_of_month
from vetlla.domain.closing import KINDS, PARAMETERS, SERVICE_LEVELS, ClosedFile, Closing, FileRole
from vetlla.domain.errors import StoreError, UsageError
from vetlla.service.months.sealing import seal_of
from vetlla.store.months import closings as store
from vetlla.store.months.digests import last_rows, recorded_late
from vetlla.store.registry.transaction import snapshot, transaction
from vetlla.tasks.duties.rules import RuleFiles, rules_from
from vetlla.tasks.months.parts import PARTS, first_month, made
from vetlla.tasks.months.program import program
from vetlla.tasks.months.record import inputs
from vetlla.tasks.months.sources import MonthSources
from vetlla.tasks.months.undecided import Undecided, undecided
from vetlla.tasks.sla.month import month_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.service.duties.terms import DutyRules
    from vetlla.store.months.digests import LastRows
    from vetlla.tasks.months.parts import MonthPart

TOML: Final = "application/toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseOrder:
    """What a person asks for."""

    month: date
    by: str
    reason: str
    """Why the month is closed again; empty for the first time."""
    note: str
    documents: tuple[ClosedFile, ...]
    dry_run: bool
    without: frozenset[str] = frozenset()
    """Names of the parts that are left out, because they cannot be made."""


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """What a close made."""

    closing: Closing
    undecided: tuple[Undecided, ...]
    """Cases of the month that a later close may judge."""


def close_month(
    state_dir: Path,
    clock: Clock,
    files: RuleFiles,
    order: CloseOrder,
    settle: Callable[[], object],
    *,
    parts: Mapping[str, MonthPart] = PARTS,
) -> ClosedMonth:
    """Close a month, as everything is known now; a dry run keeps nothing.

    ``settle`` waits until the receiver has stored what it is doing now. Raises UsageError for a month that is not over
    or not of the contract, a second close without a reason, and documents that are too large; UsageError or ConfigError
    for a part that cannot be made and is not left out; StoreError if facts came in at the same time, and if the clock
    was set back.
    """
    _refuse_unknown(order.without, parts)
    rules = rules_from(files)
    known_us = clock.now().utc_us
    _refuse_early(rules, order.month, known_us)
    _refuse_outside(rules, order.month, known_us)
    with snapshot(state_dir, clock) as connection:
        _refuse_again(store.versions(connection, order.month), order)
        _refuse_past(store.last_known_us(connection), known_us)
    settle()
    with month_record(state_dir, clock, rules, order.month, known_us) as record:
        sources = MonthSources(state_dir, clock, record)
        last = last_rows(record.connection, known_us)
        results = [_result(name, part, sources) for name, part in parts.items() if name not in order.without]
        closing = Closing(
            month=order.month,
            version=1,
            known_us=known_us,
            by=order.by,
            reason=order.reason,
            note=order.note,
            program=program(),
            inputs=inputs(record, first_month(record, [file.name for file in results])),
            files=tuple(sorted((*_rule_files(files), *results, *order.documents))),
            before="",
        )
        waiting = undecided(record, [one.ans for one in sources.figures if one.undecided])
    return ClosedMonth(_keep(state_dir, clock, closing, last, order), waiting)


def _refuse_early(rules: DutyRules, month: date, now_us: int) -> None:
    following = last_of_month(month) + timedelta(days=1)
    if rules.calendar.date_of(now_us) < following:
        raise UsageError(
            f"{month:%Y-%m} is not over",
            remedy=f"close it on {following} or later",
        )


def _refuse_outside(rules: DutyRules, month: date, now_us: int) -> None:
    reading = rules.parameters.on(rules.calendar.date_of(now_us))
    begins, ends = reading.the_date("contract.start"), reading.the_date("contract.end")
    if last_of_month(month) < begins or month > ends:
        raise UsageError(
            f"{month:%Y-%m} has no day of the contract, which runs from {begins} to {ends}",
            remedy="name another month; if the contract was prolonged, correct contract.end in the parameters file",
        )


def _refuse_past(last_us: int, now_us: int) -> None:
    if now_us <= last_us:
        raise StoreError(
            f"a month was closed as known at {iso(last_us)}, and the clock has not reached that",
            remedy="set the clock of this machine right: timedatectl",
        )


def _refuse_again(versions: int, order: CloseOrder) -> None:
    label = f"{order.month:%Y-%m}"
    if versions and not order.reason:
        raise UsageError(
            f"{label} is closed already",
            remedy=f"to restate it, say why: vetlla month close {label} --reason TEXT",
        )
    if order.reason and not versions:
        raise UsageError(f"{label} was never closed, so nothing is restated", remedy="write the text as --note")


def _refuse_unknown(without: Iterable[str], parts: Mapping[str, MonthPart]) -> None:
    optional = [name for name in parts if name != SERVICE_LEVELS]
    for name in without:
        if name not in optional:
            raise UsageError(f"{name} is no part that can be left out", remedy=f"these can: {', '.join(optional)}")


def _result(name: str, part: MonthPart, sources: MonthSources) -> ClosedFile:
    content = made(name, part, sources, remedy=f"close the month without it: --without {name}")
    return ClosedFile.of(FileRole.RESULT, name, part.media, content)


def _rule_files(files: RuleFiles) -> Iterable[ClosedFile]:
    yield ClosedFile.of(FileRole.RULES, KINDS, TOML, files.kinds)
    yield ClosedFile.of(FileRole.RULES, PARAMETERS, TOML, files.parameters)


def _keep(state_dir: Path, clock: Clock, found: Closing, last: LastRows, order: CloseOrder) -> Closing:
    with transaction(state_dir, clock, dry_run=order.dry_run) as connection:
        # Another process may have closed the month meanwhile, or recorded a fact that it had begun to record before.
        versions = store.versions(connection, order.month)
        _refuse_again(versions, order)
        if late := recorded_late(connection, last, found.known_us):
            raise StoreError(
                f"facts were recorded while the month was closed: {', '.join(late)}", remedy="run the command again"
            )
        closing = replace(found, version=versions + 1, before=store.last_seal(connection))
        closing = replace(closing, seal=seal_of(closing))
        store.add(connection, closing)
    return closing
