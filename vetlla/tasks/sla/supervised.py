"""The figures of ANS 13: every terminal and UCR is checked automatically at its period."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from vetlla.domain.clock import SECOND_US
from vetlla.domain.service_levels import LISTED_AT_MOST, BreachReason, LevelBreach, LevelGroup
from vetlla.service.sla.comparing import HUNDRED, figure, share
from vetlla.service.sla.from_duties import required_share
from vetlla.service.supervision.report import Sums, Verdict
from vetlla.store.inventory import queries as inventory
from vetlla.tasks.supervision.month import judged_days, ledger_month

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.service_levels import LevelFigure
    from vetlla.tasks.sla.month import MonthRecord
    from vetlla.tasks.supervision.month import JudgedDay


def of_supervision(record: MonthRecord, ans: int) -> LevelFigure:
    """Return the figures from the ledger of supervision: device-days that were checked, and days that have a ledger.

    It is not measured if the ledger has no day of the month.
    """
    if record.archive is None:
        return figure(ans, record.month, [])
    calendar = record.rules.calendar
    month = ledger_month(record.archive, record.month, calendar.zone, record.seen_us, record.ledger_days)
    if not month.recorded:
        return figure(ans, record.month, [])
    sums: dict[tuple[str, str], Sums] = {}
    breached: list[JudgedDay] = []
    for one in judged_days(record.archive, month, lambda *_: None):
        sums.setdefault((one.day, one.kind), Sums()).add(one.of, one.found)
        if one.found.verdict is Verdict.BREACH and len(breached) < LISTED_AT_MOST:
            breached.append(one)
    reading = record.reading()
    threshold = required_share(reading, ans)
    checked, supervised = (sum(getattr(one, name) for one in sums.values()) for name in ("checked", "supervised"))
    days, over = len(month.recorded), len(month.recorded) + len(month.missing)
    homes = _homes(record) if breached else {}
    return figure(
        ans,
        record.month,
        [share("checked", checked, supervised, threshold), share("days_recorded", days, over, HUNDRED)],
        [_breach(one, homes, record) for one in breached],
        breach_count=supervised - checked,
        assumed=tuple(sorted(entry.name for entry in reading.not_agreed())),
        groups=_groups(sums),
        notes=("period_as_configured",),
    )


def _homes(record: MonthRecord) -> dict[str, str]:
    """Return the home of each terminal at the end of the month, by its account in upper case."""
    devices = inventory.fleet(record.connection, record.last)
    return {one.device.account.upper(): one.standing.home for one in devices if one.device.account}


def _breach(one: JudgedDay, homes: Mapping[str, str], record: MonthRecord) -> LevelBreach:
    name, day = one.name, date.fromisoformat(one.day)
    return LevelBreach(
        what=one.kind,
        number="",
        home=homes.get(name.account.upper(), "") if name else "",
        subject=f"{name.account} {name.device}".strip() if name else str(one.of.unit),
        reason=BreachReason.NOT_CHECKED,
        begun_us=record.rules.calendar.begin_of(day.toordinal()),
        limit_us=one.of.interval_s * one.of.allowed_misses * SECOND_US,
        measured_us=one.of.longest_s * SECOND_US,
    )


def _groups(sums: dict[tuple[str, str], Sums]) -> tuple[LevelGroup, ...]:
    found: dict[tuple[str, str], list[int]] = {}
    for (day, kind), one in sums.items():
        for key in (("day", day), ("kind", kind)):
            counts = found.setdefault(key, [0, 0])
            counts[0] += one.checked
            counts[1] += one.supervised
    return tuple(LevelGroup(*key, *counts) for key, counts in sorted(found.items()))
