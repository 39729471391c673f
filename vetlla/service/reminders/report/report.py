"""The report of a period, all its tables, and what it cannot know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.domain.messages import Channel
from vetlla.domain.reminder_counts import ARRIVED, Fate, Presence
from vetlla.service.reminders.report import attendance, costs, messages, replies
from vetlla.service.reminders.report.intervals import share

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from vetlla.domain.figures import CellValue
    from vetlla.domain.reminder_counts import PeriodCounts, ReportPeriod
    from vetlla.service.reminders.rates import RateCard

KEY_FIGURES: Final = "key"
"""Name of the table that has the most important figures, each computed from the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodReport:
    """The figures of a period."""

    period: ReportPeriod
    made_at: datetime
    compared_with: ReportPeriod | None
    """The earlier period; None if there is none."""
    unmarked_is_no_show: bool
    """True: an appointment that is still booked after its end counts as a no-show."""
    tables: tuple[FigureTable, ...]

    def table(self, name: str) -> FigureTable:
        """Return a table by its name."""
        return next(one for one in self.tables if one.name == name)


def make_report(
    counts: PeriodCounts,
    rates: RateCard,
    made_at: datetime,
    *,
    before: PeriodCounts | None = None,
    unmarked: bool = False,
) -> PeriodReport:
    """Return the report of a period; ``before`` has the appointments of the period that it is compared with."""
    some, about = counts.messages, counts.appointments
    tables = [
        messages.by_channel(some),
        messages.by_text(some),
        messages.by_day(some, counts.period),
        messages.as_meta_counts(some),
        messages.failures(some),
        messages.fallbacks(counts.fallbacks),
        messages.not_sent(some),
        attendance.ends(about),
        attendance.answers(about),
        attendance.freed(counts.freed),
        attendance.by_group(about, unmarked=unmarked),
        attendance.by_office(about, unmarked=unmarked),
        replies.replies(counts.replies),
        replies.cancellations(counts.cancellations),
        costs.costs(some, rates),
    ]
    if before is not None:
        periods = (before.period, counts.period)
        tables.append(attendance.compared(before.appointments, about, periods, unmarked=unmarked))
    tables.append(_not_known(counts, tables[-2] if before else tables[-1], unmarked=unmarked))
    return PeriodReport(
        period=counts.period,
        made_at=made_at,
        compared_with=None if before is None else before.period,
        unmarked_is_no_show=unmarked,
        tables=(_key_figures(counts, tables, unmarked=unmarked), *tables),
    )


def _key_figures(counts: PeriodCounts, tables: list[FigureTable], *, unmarked: bool) -> FigureTable:
    """Return the most important figures, each with what it is a part of."""
    columns = (
        FigureColumn("figure", Form.WORD),
        FigureColumn("number"),
        FigureColumn("whole"),
        FigureColumn("share", Form.SHARE),
        FigureColumn("low", Form.SHARE),
        FigureColumn("high", Form.SHARE),
        FigureColumn("eur", Form.EUR),
    )
    by_name = {one.name: one for one in tables}
    answers = {row["answer"]: row for row in by_name["answers"].records()}
    freed = by_name["freed"].records()[-1]
    used = messages.used(counts.messages)
    arrived = sum(one.messages for one in counts.messages if one.fate in ARRIVED)
    absent = attendance.no_show(counts.appointments, unmarked=unmarked)
    reminded, confirmed = answers["total"]["appointments"], answers["confirmed"]["appointments"]
    assert isinstance(reminded, int)
    assert isinstance(confirmed, int)
    amount = (by_name["costs"].column("eur") or [None])[-1]
    rows: list[tuple[CellValue, ...]] = [
        ("appointments", attendance.count(counts.appointments), None, None, None, None, None),
        ("reminded", reminded, *_part(reminded, attendance.count(counts.appointments))),
        ("messages_used", used, None, None, None, None, None),
        ("conversations", messages.conversations(counts.messages), None, None, None, None, None),
        ("delivered", arrived, *_part(arrived, used)),
        ("confirmed", confirmed, *_part(confirmed, reminded)),
        ("freed", freed["freed"], None, None, None, None, None),
        ("no_show", absent.part, absent.whole, absent.value, absent.low, absent.high, None),
        ("cost", None, None, None, None, None, amount),
    ]
    return FigureTable(name=KEY_FIGURES, columns=columns, rows=tuple(rows))


def _part(part: int, whole: int) -> tuple[int, Decimal | None, None, None, None]:
    """Return the rest of a row for a share that needs no interval: it was counted, not sampled."""
    return whole, share(part, whole).value, None, None, None


def _not_known(counts: PeriodCounts, cost: FigureTable, *, unmarked: bool) -> FigureTable:
    """Return what the figures leave out, because the service was not told."""
    some = counts.messages
    presences = [Presence.RESET, Presence.OTHER, *(() if unmarked else (Presence.UNMARKED,))]
    by_whatsapp = [one for one in some if one.channel == Channel.WHATSAPP and one.fate in ARRIVED]
    rows = (
        ("attendance", sum(attendance.count(counts.appointments, one) for one in presences)),
        ("to_come", attendance.count(counts.appointments, Presence.TO_COME)),
        ("outcome", sum(one.messages for one in some if one.fate is Fate.UNKNOWN)),
        ("conversation", sum(one.opened for one in some if one.fate is Fate.UNKNOWN)),
        ("delivery", sum(one.messages for one in some if one.fate in {Fate.NO_REPORT, Fate.PENDING})),
        ("billing", sum(one.messages for one in by_whatsapp if one.is_billable is None)),
        ("price", next((row["unpriced"] for row in cost.records() if row["channel"] == "total"), 0)),
        ("sense", next(row["replies"] for row in replies.replies(counts.replies).records()
                       if row["sense"] == replies.ReplySense.NOT_UNDERSTOOD)),
    )  # fmt: skip
    columns = (FigureColumn("not_known", Form.WORD), FigureColumn("number"))
    return FigureTable(name="not_known", columns=columns, rows=rows)
