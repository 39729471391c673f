"""Which call an operator gets next.

First the calls whose time ends today or has ended, then the others whose moment is today or has passed, by that moment.
A follow-up whose time has ended is no longer made: its verdict is decided, and the next one follows. A revaluation is
made even late.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.service.agenda.wanted import FOLLOW_UP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vetlla.service.agenda.call import AgendaCall


class Now(NamedTuple):
    """The present time, and the end of its day."""

    at_us: int
    end_of_day_us: int


def in_hand(calls: Iterable[AgendaCall], operator: str, now: Now) -> AgendaCall | None:
    """Return the call that an operator has in hand; None if there is none."""
    return next((one for one in calls if one.holder == operator and one.is_held(now.at_us) and not one.ended), None)


def in_order(calls: Iterable[AgendaCall], now: Now) -> Iterator[AgendaCall]:
    """Yield the calls that may be handed out now, the first one first."""
    return iter(sorted((one for one in calls if _may_be_made(one, now)), key=lambda one: _order(one, now)))


def comes_before_unseen(call: AgendaCall, cut: Iterable[Sequence[AgendaCall]], now: Now) -> bool:
    """Return True if a call comes before all calls that were not read.

    Each list of ``cut`` has the first calls of a kind of which more wait, so that those come after the last of them.
    """
    return all(some and _order(call, now) <= max(_order(one, now) for one in some) for some in cut)


def _may_be_made(call: AgendaCall, now: Now) -> bool:
    if call.ended or call.is_held(now.at_us) or now.at_us < call.first_us or call.next_us > now.end_of_day_us:
        return False
    if call.waits and call.next_us > now.at_us:
        return False
    return call.duty.kind != FOLLOW_UP or call.last_us is None or now.at_us <= call.last_us


def _order(call: AgendaCall, now: Now) -> tuple[bool, int, int]:
    ends_today = call.last_us is not None and call.last_us <= now.end_of_day_us
    return not ends_today, call.next_us, call.duty.id
