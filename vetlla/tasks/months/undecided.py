"""The cases of a month that are not decided when it is closed: what they are, and when their clock runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.duties import DutyVerdict
from vetlla.tasks.sla.from_duties import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.tasks.sla.month import MonthRecord


class Undecided(NamedTuple):
    """A duty whose clock still runs."""

    ans: int
    kind: str
    number: int
    subject: str
    due_us: int | None
    """When its clock runs out; None while it stands."""


def undecided(record: MonthRecord, levels: Iterable[int]) -> tuple[Undecided, ...]:
    """Return the undecided duties of some levels that count in the month, by level and due time."""
    found = [
        Undecided(ans, one.duty.kind, one.duty.id, one.duty.subject, one.due_us)
        for ans in levels
        for _, one in counted(record, ans)
        if one.verdict is DutyVerdict.OPEN
    ]
    return tuple(sorted(found, key=lambda one: (one.ans, one.due_us or 0, one.number)))
