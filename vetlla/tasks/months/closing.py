"""Closes a month: reads the record as it is known now, and keeps it with what it comes to."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vetlla import __version__
from vetlla.domain.clock import last_of_month
from vetlla.domain.closing import ClosedFile, Closing, FileRole
from vetlla.domain.errors import StoreError, UsageError
from vetlla.service.months.sealing import seal_of
from vetlla.store.months import closings as store
from vetlla.store.months.digests import last_rows, recorded_late
from vetlla.store.registry.transaction import snapshot, transaction
from vetlla.tasks.duties.rules import RuleFiles, rules_from
from vetlla.tasks.months.parts import PARTS, SERVICE_LEVELS
from vetlla.tasks.months.record import inputs
from vetlla.tasks.months.undecided import Undecided, undecided
from vetlla.tasks.sla.month import month_record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.months.parts import MonthPart

KINDS: Final = "duties.toml"
PARAMETERS: Final = "parameters.toml"
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

    ``settle`` waits until the receiver has stored what it is doing now. Raises UsageError for a month that is not over,
    a second close without a reason, and documents that are too large; StoreError if facts came in at the same time.
    """
    rules = rules_from(files)
    known_us = clock.now().utc_us
    _refuse_early(rules, order.month, known_us)
    store.refuse_large(order.documents)
    with snapshot(state_dir, clock) as connection:
        _refuse_again(store.versions(connection, order.month), order)
    settle()
    with month_record(state_dir, clock, rules, order.month, known_us) as record:
        last = last_rows(record.connection)
        made = [ClosedFile.of(FileRole.RESULT, name, part.media, part.make(record)) for name, part in parts.items()]
        closing = Closing(
            month=order.month,
            version=1,
            known_us=known_us,
            by=order.by,
            reason=order.reason,
            note=order.note,
            program=__version__,
            inputs=inputs(record),
            files=tuple(sorted((*_rule_files(files), *made, *order.documents))),
            before="",
        )
        waiting = undecided(record, _levels_with_undecided(made))
    return ClosedMonth(_keep(state_dir, clock, closing, last, order), waiting)


def _refuse_early(rules: DutyRules, month: date, now_us: int) -> None:
    following = last_of_month(month) + timedelta(days=1)
    if rules.calendar.date_of(now_us) < following:
        raise UsageError(
            f"{month:%Y-%m} is not over",
            remedy=f"close it on {following} or later",
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


def _levels_with_undecided(made: Iterable[ClosedFile]) -> frozenset[int]:
    levels = next(json.loads(one.content) for one in made if one.name == SERVICE_LEVELS)
    return frozenset(level["ans"] for level in levels if level["undecided"])


def _rule_files(files: RuleFiles) -> Iterable[ClosedFile]:
    yield ClosedFile.of(FileRole.RULES, KINDS, TOML, files.kinds)
    yield ClosedFile.of(FileRole.RULES, PARAMETERS, TOML, files.parameters)


def _keep(state_dir: Path, clock: Clock, made: Closing, last: dict[str, int], order: CloseOrder) -> Closing:
    with transaction(state_dir, clock, dry_run=order.dry_run) as connection:
        # Another process may have closed the month meanwhile, or recorded a fact that it had begun to record before.
        versions = store.versions(connection, order.month)
        _refuse_again(versions, order)
        if late := recorded_late(connection, last, made.known_us):
            raise StoreError(
                f"facts were recorded while the month was closed: {', '.join(late)}", remedy="run the command again"
            )
        closing = replace(made, version=versions + 1, before=store.last_seal(connection))
        closing = replace(closing, seal=seal_of(closing))
        store.add(connection, closing)
    return closing
