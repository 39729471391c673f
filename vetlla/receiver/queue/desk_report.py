"""A signal or a refusal in the form that the desk uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import Kind, Phase

if TYPE_CHECKING:
    from vetlla.domain.accounts import Account
    from vetlla.domain.signals import AccountId, Event, Priority


UNKNOWN: Final = "unknown account: "
"""Start of the reason of an alarm whose caller is not registered."""


class DeskReport(NamedTuple):
    """One signal in the form that the desk uses."""

    number: int
    """Number of the signal; 0 for a refusal, which is kept among the rejects."""
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


def reason_of(report: DeskReport) -> str:
    """Return the reason of an alarm as readable text: kind, code, device and what else is known."""
    kind, phase, code, _ = report.event
    where = f" from {report.device}" if report.device else ""
    unknown = "" if report.known else UNKNOWN
    state = f" ({phase.value})" if phase is not Phase.NEW else ""
    repeated = " (reported before)" if report.repeated else ""
    note = f"; {report.note}" if report.note else ""
    what = kind.value if kind is not Kind.UNKNOWN else "unknown code"
    return f"{unknown}{what} {code}{where}{state}{repeated}{note}"
