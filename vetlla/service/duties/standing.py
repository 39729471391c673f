"""How a duty stands: its clock, and the verdict that its events come to. Nothing of it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.duties import DutyVerdict
from vetlla.service.duties.clock import due_us, ended_by, stops_of, used, whole_limit
from vetlla.service.duties.kinds import ClockKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.domain.duties import Duty, DutyEvent
    from vetlla.service.duties.clock import ClockStop
    from vetlla.service.duties.terms import DutyRules, Terms


class Standing(NamedTuple):
    """A duty with its clock and its verdict at a moment."""

    duty: Duty
    terms: Terms
    verdict: DutyVerdict
    due_us: int | None
    """Last moment at which it is kept, its stops included; None while its clock stands, or if it has none."""
    judging: DutyEvent | None
    """The event that decided the verdict."""
    ended: DutyEvent | None
    """The event that ended it or called it off."""
    promise: DutyEvent | None
    """The promised time by which it is judged."""
    stops: Sequence[ClockStop]
    until_us: int
    """Up to when its clock is counted: the judging event, its end, or now."""
    used: int
    """How much of the limit is used, as ``clock.used`` counts it; 0 without a limit."""
    is_worse: bool
    """Whether the limit is exceeded by so much that it is more than a breach (``DutyKind.worse``)."""

    @property
    def stopped_us(self) -> int:
        """For how long its clock stood."""
        until = self.until_us
        return sum(max(0, min(until, until if end is None else end) - begin) for begin, end, _ in self.stops)

    @property
    def elapsed_us(self) -> int:
        """For how long its clock has run."""
        return max(0, self.until_us - self.duty.opened_us) - self.stopped_us

    @property
    def is_open(self) -> bool:
        """Return True while no event has ended it; its verdict may be decided before that."""
        return self.ended is None


def standing(duty: Duty, rules: DutyRules, now_us: int) -> Standing:
    """Return how a duty stands at a moment. Raises UsageError for an unknown kind."""
    terms = rules.terms(duty.kind, duty.opened_us)
    kind = terms.kind
    judging = ended = called_off = None
    for event in duty.events:
        name = event.told.event
        if name in kind.reopens:
            judging = ended = None
        if judging is None and name in terms.judged:
            judging = event
        if ended is None and name in kind.ends:
            ended = event
        if called_off is None and name in kind.cancels:
            called_off = event
    promise = _promise(duty, terms, judging) if kind.promises else None
    decided = judging or ended
    if called_off is not None and decided is not None and called_off.told.at_us < decided.told.at_us:
        decided = judging = None
    end = called_off if ended is None or (called_off and called_off.told.at_us < ended.told.at_us) else ended
    stops, last = stops_of(terms, duty.events), decided or end
    if last is not None:
        stops = ended_by(stops, last.told.at_us)
    due = _due(duty, rules, terms, stops, promise)
    until = last.told.at_us if last else max(now_us, duty.opened_us)
    spent = used(terms, rules.calendar, duty.opened_us, until, stops) if kind.clock is ClockKind.LIMIT else 0
    verdict = _decided(terms, decided, promise, due) if decided else _undecided(end, due, now_us)
    return Standing(
        duty,
        terms,
        verdict,
        due,
        decided,
        end,
        promise,
        stops,
        until,
        spent,
        verdict is DutyVerdict.BREACHED and _is_worse(rules, terms, duty.opened_us, spent),
    )


def _promise(duty: Duty, terms: Terms, judging: DutyEvent | None) -> DutyEvent | None:
    """Return the promise that counts: the last one that was made before the promise before it had ended.

    A promise that was made after the verdict was decided does not count.
    """
    found: DutyEvent | None = None
    for event in duty.events:
        if event is judging:
            break
        told = event.told
        if told.event not in terms.kind.promises or told.end_us is None:
            continue
        if found is None or told.at_us <= (found.told.end_us or 0):
            found = event
    return found


def _due(
    duty: Duty, rules: DutyRules, terms: Terms, stops: Sequence[ClockStop], promise: DutyEvent | None
) -> int | None:
    match terms.kind.clock:
        case ClockKind.LIMIT:
            return due_us(terms, rules.calendar, duty.opened_us, stops)
        case ClockKind.NONE:
            return None
    return promise.told.end_us if promise else None


def _undecided(end: DutyEvent | None, due: int | None, now_us: int) -> DutyVerdict:
    at = end.told.at_us if end else now_us
    if due is not None and at > due:
        return DutyVerdict.BREACHED  # calling a duty off does not undo that its clock had run out
    return DutyVerdict.CANCELLED if end else DutyVerdict.OPEN


def _decided(terms: Terms, decided: DutyEvent, promise: DutyEvent | None, due: int | None) -> DutyVerdict:
    at, clock = decided.told.at_us, terms.kind.clock
    is_kept = (
        clock is ClockKind.NONE
        or (clock is ClockKind.INTERVAL and _inside(terms, promise, at))
        or (clock in {ClockKind.LIMIT, ClockKind.DATE} and (due is None or at <= due))
    )
    return DutyVerdict.KEPT if is_kept and decided.told.event in terms.judged else DutyVerdict.BREACHED


def _inside(terms: Terms, promise: DutyEvent | None, at_us: int) -> bool:
    """Return True if a time is in the promised interval, and the interval is not wider than may be promised."""
    if promise is None or promise.told.begin_us is None or promise.told.end_us is None:
        return False
    begin, end = promise.told.begin_us, promise.told.end_us
    return begin <= at_us <= end and end - begin <= (terms.limit_us or 0)


def _is_worse(rules: DutyRules, terms: Terms, opened_us: int, spent: int) -> bool:
    worse = terms.kind.worse
    if worse is None:
        return False
    return spent * 100 > whole_limit(terms, rules.calendar, opened_us) * (100 + worse.over)
