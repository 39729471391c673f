"""The figures of ANS 13: every terminal and UCR is checked automatically at its period."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from vetlla.domain.clock import SECOND_US
from vetlla.domain.service_levels import (
    LISTED_AT_MOST,
    BreachReason,
    GroupedBy,
    LevelBreach,
    LevelGroup,
    LevelNote,
    PartName,
)
from vetlla.service.sla.comparing import HUNDRED, figure, share
from vetlla.service.sla.from_duties import required_share
from vetlla.tasks.supervision.month import checks, ledger_month

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.service_levels import LevelFigure
    from vetlla.tasks.sla.month import MonthRecord
    from vetlla.tasks.supervision.month import Checks, JudgedDay


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
    breached: list[JudgedDay] = []

    def hear(one: JudgedDay) -> None:
        if len(breached) < LISTED_AT_MOST:
            breached.append(one)

    sums = checks(record.archive, month, hear)
    reading = record.reading()
    threshold = required_share(reading, ans)
    checked, supervised = (sum(getattr(one, name) for one in sums.values()) for name in ("checked", "supervised"))
    days, over = len(month.recorded), len(month.recorded) + len(month.missing)
    return figure(
        ans,
        record.month,
        [share(PartName.CHECKED, checked, supervised, threshold), share(PartName.DAYS_RECORDED, days, over, HUNDRED)],
        [_breach(one, record) for one in breached],
        breach_count=supervised - checked,
        assumed=reading.assumed(),
        groups=_groups(sums),
        notes=(LevelNote.PERIOD_AS_CONFIGURED,),
    )


def _breach(one: JudgedDay, record: MonthRecord) -> LevelBreach:
    day = date.fromisoformat(one.day)
    return LevelBreach(
        what=one.kind,
        number="",
        home=home_of(one, record),
        subject=device_of(one),
        reason=BreachReason.NOT_CHECKED,
        begun_us=record.rules.calendar.begin_of(day.toordinal()),
        limit_us=one.of.interval_s * one.of.allowed_misses * SECOND_US,
        measured_us=one.of.longest_s * SECOND_US,
    )


def home_of(one: JudgedDay, record: MonthRecord) -> str:
    """Return the home of a device; empty if it is unknown."""
    return record.homes_of_devices.get(one.name.account.upper(), "") if one.name else ""


def device_of(one: JudgedDay) -> str:
    """Return what people call a device: its account and its own name, else its number in the ledger."""
    return f"{one.name.account} {one.name.device}".strip() if one.name else str(one.of.unit)


def _groups(sums: Mapping[tuple[str, str], Checks]) -> tuple[LevelGroup, ...]:
    found: dict[tuple[GroupedBy, str], list[int]] = {}
    for (day, kind), one in sums.items():
        for key in ((GroupedBy.DAY, day), (GroupedBy.KIND, kind)):
            counts = found.setdefault(key, [0, 0])
            counts[0] += one.checked
            counts[1] += one.supervised
    return tuple(LevelGroup(*key, *counts) for key, counts in sorted(found.items()))
