"""The cases of a month that are not decided when it is closed: what they are, and when their clock runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.duties import DutyVerdict
from vetlla.service.sla.from_duties import counted_by, counts_at
from vetlla.tasks.duties import looking
from vetlla.tasks.duties.looking import Wanted

if TYPE_CHECKING:
    from vetlla.tasks.sla.month import MonthRecord


class Undecided(NamedTuple):
    """A duty whose clock still runs."""

    ans: int
    kind: str
    number: int
    subject: str
    due_us: int | None
    """When its clock runs out; None while it stands."""


def undecided(record: MonthRecord, levels: frozenset[int]) -> tuple[Undecided, ...]:
    """Return the undecided duties of some levels that count in the month, by level and due time."""
    kinds = record.rules.kinds
    found: list[Undecided] = []
    for name in kinds.names():
        ans = kinds.kind(name).ans
        if ans is None or ans not in levels:
            continue
        by = counted_by(record.reading(), ans)
        wanted = Wanted(kinds=[name], verdict=DutyVerdict.OPEN)
        for one in looking.found(record.connection, record.rules, wanted, record.seen_us):
            at = counts_at(one, by)
            if at is not None and record.begin_us <= at <= record.end_us:
                found.append(Undecided(ans, name, one.duty.id, one.duty.subject, one.due_us))
    return tuple(sorted(found, key=lambda one: (one.ans, one.due_us or 0, one.number)))
