"""Whether a call counts as a follow-up call of the agenda."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.calls import CallOutcome, Direction

if TYPE_CHECKING:
    from collections.abc import Collection

    from vetlla.domain.calls import PhoneCall
    from vetlla.service.parameters import Reading

BOTH: Final = frozenset(Direction)


def least_seconds(reading: Reading) -> int:
    """Return the least seconds of talk of a follow-up."""
    return reading.integer("agenda.call_min_seconds")


def refusal(call: PhoneCall, home: str, least_s: int, directions: Collection[Direction] = BOTH) -> str:
    """Return why a call is no answered follow-up of a home; "" if it is one.

    ``least_s`` is what ``least_seconds`` returns. Tender 20220428, section 5: calls
    of the agenda may be made when the user calls in, so both directions count.
    """
    if call.tie.home != home:
        return f"the call is tied to home {call.tie.home}" if call.tie.home else "the call is tied to no home"
    if call.record.direction not in directions:
        return "the direction of the call does not count"
    if call.record.outcome is not CallOutcome.ANSWERED:
        return "the call was not answered"
    talk = call.talk_s
    if talk is None:
        return "it is unknown how long the call lasted"
    return "" if talk >= least_s else f"{talk} s of talk, and a follow-up needs {least_s} s"
