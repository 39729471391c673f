"""Findings about clocks that have run out or are about to, for monitoring. They have codes and no notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import SECOND_US, stretch
from vetlla.domain.duties import DutyVerdict
from vetlla.domain.findings import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.service.duties.standing import Standing

SHARE_LEFT: Final = 4
"""A clock in minutes or hours is about to run out when less than a quarter of its limit is left."""


class Margins(NamedTuple):
    """What counts as about to run out, and what counts as just run out, in microseconds."""

    ahead_us: int
    """For a clock in days, or a promised time."""
    behind_us: int
    """A clock that ran out longer ago is known, and only counted."""


def check(standings: Iterable[Standing], margins: Margins, now_us: int) -> tuple[list[Finding], int]:
    """Return a finding for each undecided duty whose clock is about to run out or has just run out.

    The second value is the number of those whose clock ran out longer ago, and which no event has ended.
    """
    found: list[tuple[Level, int, Standing]] = []
    old = 0
    for one in standings:
        if one.due_us is None or one.judging is not None or one.ended is not None:
            continue
        left_us = one.due_us - now_us
        if one.verdict is DutyVerdict.BREACHED:
            if left_us < -margins.behind_us:
                old += 1
            else:
                found.append((Level.CRITICAL, left_us, one))
        elif left_us <= _ahead(one, margins):
            found.append((Level.WARNING, left_us, one))
    found.sort(key=lambda entry: (-entry[0], entry[1], entry[2].duty.id))
    return [_finding(level, left_us, one) for level, left_us, one in found], old


def _ahead(one: Standing, margins: Margins) -> int:
    limit = one.terms.limit_us
    return margins.ahead_us if limit is None else min(margins.ahead_us, limit // SHARE_LEFT)


def _finding(level: Level, left_us: int, one: Standing) -> Finding:
    duty = one.duty
    time = stretch(abs(left_us) // SECOND_US)
    when = f"ran out {time} ago" if level is Level.CRITICAL else f"runs out in {time}"
    return Finding(
        check=duty.kind,
        level=level,
        text=f"{duty.kind} {duty.id} of {duty.subject}: the clock {when}",
        remedy=f"vetlla duties show {duty.id}",
        figures={"duty": duty.id, "left_s": left_us // SECOND_US},
    )
