"""What a signal says to the desk, and what it does to an alarm, as watchers are told."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import Kind, Phase

if TYPE_CHECKING:
    from vetlla.domain.accounts import Account
    from vetlla.domain.signals import AccountId, Event, Priority
    from vetlla.receiver.queue.card import Card


UNKNOWN: Final = "unknown account: "
"""Begins the reason of an alarm whose caller is not registered."""


class Report(NamedTuple):
    """One signal as the desk sees it."""

    number: int
    """0: a refusal, kept among the rejects."""
    who: AccountId
    home: str
    event: Event
    priority: Priority
    device: str = ""
    known: bool = True
    repeated: bool = False
    note: str = ""
    """What an operator must know besides the event: why it was refused, how old it is."""
    account: Account | None = None
    """The registered account that it came from, if there is one."""


class News(StrEnum):
    """What frames did to an alarm, as watchers are told."""

    OPENED = "alarm"
    LIFTED = "lifted"
    JOINED = "joined"
    REPEATED = "repeated"
    """A signal of it came once more, because the answer did not arrive."""
    ESCALATED = "escalated"


def news_of(before: Card, after: Card) -> News:
    """Return what a batch did to an alarm that was open before it."""
    if after.alarm.priority < before.alarm.priority:
        return News.LIFTED
    if after.alarm.escalated > before.alarm.escalated:
        return News.ESCALATED
    return News.JOINED if after.tally.signals > before.tally.signals else News.REPEATED


def reason_of(report: Report) -> str:
    """Return why an alarm stands where it stands, readable: what, which code, from where, what else is known."""
    kind, phase, code, _ = report.event
    where = f" from {report.device}" if report.device else ""
    unknown = "" if report.known else UNKNOWN
    state = f" ({phase.value})" if phase is not Phase.NEW else ""
    repeated = " (reported before)" if report.repeated else ""
    note = f"; {report.note}" if report.note else ""
    what = kind.value if kind is not Kind.UNKNOWN else "unknown code"
    return f"{unknown}{what} {code}{where}{state}{repeated}{note}"
