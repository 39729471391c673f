"""How urgent a signal is, and whether it opens an alarm or joins one. Plain functions of values."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from vetlla.domain.alarms import State
from vetlla.domain.clock import SECOND_US, stretch, to_us
from vetlla.domain.signals import AccountId, Kind, Phase, Priority
from vetlla.service.queue.emergencies import EMERGENCY
from vetlla.service.queue.steps import holder_active

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vetlla.domain.accounts import Account
    from vetlla.domain.alarms import Alarm
    from vetlla.domain.clock import Instant
    from vetlla.domain.signals import Event, Signal


def _default_table() -> dict[Kind, Priority]:
    text = (files("vetlla.service.queue") / "priorities.toml").read_text(encoding="utf-8")
    return {Kind(kind): Priority[name] for name, row in tomllib.loads(text).items() for kind in row["kinds"]}


PRIORITIES: Mapping[Kind, Priority] = _default_table()
"""Every kind has its line (a test holds it)."""


OLD_S: Final = 120
"""A report that happened so long before it came, by its device's clock, is told with its age: networks and clocks that
nobody sets to the second take up to this."""
_OLD: Final = " before it came, by its clock"
_KEPT: Final = "kept back by the device, nobody knows how long"


def weigh(
    signal: Signal, account: Account | None, table: Mapping[Kind, Priority], *, is_known: bool = True
) -> tuple[Event, Priority]:
    """Return what a signal means and how urgent it is, by the common table and the home's own remaps.

    ``is_known``: the home has an emergency, open or just closed. What a device calls reported before is ROUTINE then.
    In any other home it may have been reported to another receiver, or in vain, so that an emergency is an alarm.

    "Still present" (STATUS) weighs as much as "new": the report of its beginning may be the one that was lost. A caller
    that nobody registered is at least TECHNICAL, whatever it says, so that a person looks at it.
    """
    event = signal.event
    priority = table[event.kind]
    if account is not None and account.remaps and (remap := account.remaps.get(event.code)):
        event = event._replace(kind=remap.kind or event.kind)
        priority = table[event.kind] if remap.priority is None else remap.priority
    if event.phase is Phase.RESTORE or (signal.repeated and (is_known or priority not in EMERGENCY)):
        priority = Priority.ROUTINE
    if account is None:
        priority = min(priority, Priority.TECHNICAL)
    return event, priority


def age(signal: Signal, received_us: int) -> str:
    """Return what an operator must know of a report's age; "" for what happens now.

    The device's own clock says it, so that it is told and never judged by: an old alarm is no less of one.
    """
    if signal.occurred_at is None:
        return _KEPT if signal.buffered else ""
    behind_s = (received_us - to_us(signal.occurred_at)) // SECOND_US
    if behind_s > OLD_S:
        return f"happened {stretch(behind_s)}{_OLD}"
    return f"its clock is {stretch(-behind_s)} fast" if behind_s < -OLD_S else ""


def is_old(said: str) -> bool:
    """Say whether ``age`` said this, or ended it, about something of the past."""
    return said.endswith((_OLD, _KEPT))


def home_of(account: Account | None, who: AccountId) -> str:
    """Return what a caller's alarms are chained under: its home, or the caller as it names itself."""
    if account is not None and account.home:
        return account.home
    receiver, line, number = who
    # DC-09: L0 is a line that is not used; it tells nothing apart.
    return f"{receiver}/{line}/{number}" if receiver or line.strip("0") else number


def caller_of(home: str, account: str) -> AccountId | None:
    """Return the caller that ``home_of`` made this of; None if it is a home's code."""
    if home == account:
        return AccountId("", "0", account)
    receiver, _, rest = home.partition("/")
    line, _, number = rest.partition("/")
    return AccountId(receiver, line, account) if number == account else None


def line_of(kind: Kind, priority: Priority, account: str) -> str:
    """Return the line of its own that a report has in its home's queue; "" for all that chains.

    What could not be read may be a call for help, and must not look like one that an operator knows already. An unknown
    code must neither hide in an alarm nor hide the next one: each account has a line for them.
    """
    if kind is Kind.UNREADABLE and priority is not Priority.ROUTINE:
        return kind.value
    return f"{kind.value} {account}" if kind is Kind.UNKNOWN and priority is Priority.TECHNICAL else ""


def joins(alarm: Alarm, priority: Priority, now: Instant) -> bool:
    """Say whether a signal joins this open alarm of its home, or needs a new one that is chained to it.

    Until it is answered an alarm is joined by all its home says within the chaining window. Once answered, more of the
    same joins only under the eyes of an active holder, and a more urgent signal never: nobody may miss it because the
    alarm looks handled.
    """
    return alarm.state is not State.ANSWERED or (priority >= alarm.priority and holder_active(alarm, now))
