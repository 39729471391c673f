"""Decides how urgent a signal is, and whether it opens an alarm or joins one."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from vetlla.domain.alarms import State
from vetlla.domain.clock import SECOND_US, stretch, to_us
from vetlla.domain.signals import AccountId, Kind, Phase, Priority
from vetlla.service.queue.emergencies import EMERGENCY
from vetlla.service.queue.order import holder_active

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
"""Default priority of every kind (a test checks that none is missing)."""


OLD_S: Final = 120
"""A report older than this when it came, by its device's clock, is shown with its age. Slow networks and inexact
clocks explain a smaller difference."""
_OLD: Final = " before it came, by its clock"
_KEPT: Final = "kept back by the device for an unknown time"


def weigh(
    signal: Signal, account: Account | None, table: Mapping[Kind, Priority], *, is_known: bool = True
) -> tuple[Event, Priority]:
    """Return what a signal means and how urgent it is, by the common table and the home's own remaps.

    ``is_known``: the home has an emergency, open or just closed. Then a report that the device marks as repeated is
    ROUTINE. In any other home the first report may have gone to another receiver or been lost, so a repeated emergency
    is an alarm.

    "Still present" (STATUS) is as urgent as "new", because the report of its beginning may have been lost. Any report
    of a stranger is at least TECHNICAL, so that an operator looks at it.
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
    """Return what an operator must know about a report's age; "" for a current one.

    The age comes from the device's clock, so it is only shown and decides nothing: an old alarm is still an alarm.
    """
    if signal.occurred_at is None:
        return _KEPT if signal.buffered else ""
    behind_s = (received_us - to_us(signal.occurred_at)) // SECOND_US
    if behind_s > OLD_S:
        return f"happened {stretch(behind_s)}{_OLD}"
    return f"its clock is {stretch(-behind_s)} fast" if behind_s < -OLD_S else ""


def is_old(text: str) -> bool:
    """Return True if a text ends with what ``age`` says of a past event."""
    return text.endswith((_OLD, _KEPT))


def home_of(account: Account | None, who: AccountId) -> str:
    """Return the key under which a caller's alarms are chained: its home, or else the caller's own name."""
    if account is not None and account.home:
        return account.home
    receiver, line, number = who
    # DC-09: L0 means that the line number is not used, so it distinguishes no callers.
    return f"{receiver}/{line}/{number}" if receiver or line.strip("0") else number


def caller_of(home: str, account: str) -> AccountId | None:
    """Return the caller from which ``home_of`` made this key; None if the key is a home's code."""
    if home == account:
        return AccountId("", "0", account)
    receiver, _, rest = home.partition("/")
    line, _, number = rest.partition("/")
    return AccountId(receiver, line, account) if number == account else None


def line_of(kind: Kind, priority: Priority, account: str) -> str:
    """Return the separate line of a report in its home's queue; "" for reports that chain with each other.

    An unreadable report may be a call for help, and must not look like an alarm that an operator already knows. An
    unknown code must not hide in another alarm or hide the next one, so each account has a line for such codes.
    """
    if kind is Kind.UNREADABLE and priority is not Priority.ROUTINE:
        return kind.value
    return f"{kind.value} {account}" if kind is Kind.UNKNOWN and priority is Priority.TECHNICAL else ""


def joins(alarm: Alarm, priority: Priority, now: Instant) -> bool:
    """Return True if a signal joins this open alarm of its home; otherwise it needs a new alarm chained to this one.

    Before the answer, all signals of the home within the chaining window join. After it, a signal joins only while the
    operator is active. A more urgent one never joins, because an operator could miss it in an answered alarm.
    """
    return alarm.state is not State.ANSWERED or (priority >= alarm.priority and holder_active(alarm, now))
