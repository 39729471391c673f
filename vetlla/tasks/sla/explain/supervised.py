"""Cases of ANS 13: the days of the terminals and UCR."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Final

from vetlla.domain.service_levels import CaseVerdict, LevelCase
from vetlla.service.supervision.report import Verdict
from vetlla.tasks.sla.explain.candidate import Candidate
from vetlla.tasks.sla.supervised import device_of, home_of
from vetlla.tasks.supervision.month import judged_days, ledger_month

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.service.sla.explaining import TellTime
    from vetlla.tasks.sla.month import MonthRecord
    from vetlla.tasks.supervision.month import JudgedDay

_VERDICTS: Final = {
    Verdict.CHECKED: CaseVerdict.KEPT,
    Verdict.BREACH: CaseVerdict.BREACHED,
    Verdict.NOT_SUPERVISED: CaseVerdict.LEFT_OUT,
}


def supervised_cases(record: MonthRecord, ans: int, time: TellTime) -> Iterator[Candidate]:
    """Yield every device and day of a month for ANS 13."""
    if record.archive is None:
        return
    month = ledger_month(record.archive, record.month, record.rules.calendar.zone, record.seen_us)
    if not month.recorded:
        return
    for one in judged_days(record.archive, month, lambda *_: None):
        begin_us = record.rules.calendar.begin_of(date.fromisoformat(one.day).toordinal())
        home, verdict = home_of(one, record), _VERDICTS[one.found.verdict]
        yield Candidate(
            verdict,
            home,
            begin_us,
            partial(_told, f"16.{ans}", one, home, f"{one.day}, which began at {time(begin_us)}"),
        )


def _told(clause: str, one: JudgedDay, home: str, day: str) -> LevelCase:
    of, device = one.of, device_of(one)
    expected = f"a sign of life every {of.interval_s} s, and at most {of.allowed_misses} may be missed in a row"
    said = f"{of.received} signs of life; the longest silence was {of.longest_s} s. The device has to give {expected}."
    if one.found.verdict is Verdict.NOT_SUPERVISED:
        said = f"It was not supervised on that day ({one.found.why.replace('_', ' ')})."
    elif one.found.unsupervised_s:
        said += f" For {one.found.unsupervised_s} s it was not supervised ({one.found.why.replace('_', ' ')})."
    account = one.name.account if one.name else ""
    return LevelCase(
        what=one.kind,
        number="",
        home=home,
        subject=device,
        verdict=_VERDICTS[one.found.verdict],
        counts=f"It counts in the month of its day, {day}.",
        why=f"{said} Source: tender 20220428, {clause}.",
        show=f"vetlla supervision show {account}" if account else "vetlla supervision list",
    )
