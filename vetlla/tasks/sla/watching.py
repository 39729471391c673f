"""Watches the running month: the figures up to now, and what will break a level if nothing is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import SECOND_US, stretch
from vetlla.domain.findings import Finding, Level
from vetlla.domain.service_levels import LISTED_AT_MOST, LevelFigure, LevelVerdict
from vetlla.service.sla.watching import Forecast, bearable, forecast
from vetlla.store.duties.index import OpenDuty  # noqa: TC001 - NamedTuple
from vetlla.tasks.duties import index
from vetlla.tasks.sla.from_duties import kinds_of
from vetlla.tasks.sla.sources import figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.tasks.sla.month import MonthRecord

_FORECAST: Final = frozenset({5, 6})
"""Levels of which a case comes every minute, so that the rest of the month follows from what has come."""


class LevelWatch(NamedTuple):
    """A level in the running month."""

    figure: LevelFigure
    open: int
    """Duties of its kinds whose clock runs out between now and the end of the month."""
    next_due_us: int | None
    """When the first of them runs out."""
    running_out: int
    """How many of them run out within the asked time."""
    soon: list[OpenDuty]
    """These, the first one first; at most ``LISTED_AT_MOST``."""
    bearable: int | None
    """How many more breaches it can bear; negative if it is broken, None if nothing is measured."""
    forecast: Forecast | None

    @property
    def is_broken(self) -> bool:
        """Return True if the month cannot be kept any more, or is not kept up to now."""
        return self.figure.verdict is LevelVerdict.NOT_KEPT


def watch(record: MonthRecord, within_us: int) -> Iterator[LevelWatch]:
    """Yield every level of the month of a record; ``within_us`` is how far ahead a clock runs out soon."""
    now_us, end_us = record.seen_us, record.end_us
    elapsed_us, whole_us = now_us - record.begin_us, end_us + 1 - record.begin_us
    for found in figures(record):
        kinds = kinds_of(record, found.ans)
        rows = index.due(record.connection, record.rules, end_us + 1, kinds) if kinds else ()
        soon: list[OpenDuty] = []
        count = running_out = 0
        next_due_us = None
        for row in rows:
            if row.due_us is None or row.due_us < now_us:
                continue  # it is a breach already, and in the figures of its month
            count += 1
            next_due_us = row.due_us if next_due_us is None else next_due_us
            if row.due_us <= now_us + within_us:
                running_out += 1
                if len(soon) < LISTED_AT_MOST:
                    soon.append(row)
        yield LevelWatch(
            figure=found,
            open=count,
            next_due_us=next_due_us,
            running_out=running_out,
            soon=soon,
            bearable=bearable(found),
            forecast=forecast(found, elapsed_us, whole_us) if found.ans in _FORECAST else None,
        )


def findings(levels: Iterable[LevelWatch], within_us: int) -> tuple[list[Finding], str]:
    """Return a finding for each level that is broken, and for each of which a clock runs out soon; and a sentence."""
    found: list[Finding] = []
    within_s = within_us // SECOND_US
    broken = running_out = 0
    for one in levels:
        figure, check = one.figure, f"ans_{one.figure.ans}"
        month = f"{figure.month:%Y-%m}"
        broken, running_out = broken + one.is_broken, running_out + one.running_out
        if one.is_broken:
            remedy = f"vetlla sla explain {figure.ans} --month {month} --breaches"
            text = f"ANS {figure.ans} is not kept in {month}: {figure.breach_count} breaches"
            counts = {"breaches": figure.breach_count}
            found.append(Finding(check=check, level=Level.CRITICAL, text=text, remedy=remedy, figures=counts))
        if one.running_out:
            text = f"ANS {figure.ans}: {one.running_out} clocks run out within {stretch(within_s)}"
            remedy, counts = f"vetlla sla watch --within {within_s}s", {"running_out": one.running_out}
            found.append(Finding(check=check, level=Level.WARNING, text=text, remedy=remedy, figures=counts))
    said = f"{broken} levels are broken, {running_out} clocks run out within {stretch(within_s)}"
    return found, said
