"""What operators work: the alarm and the values that describe its handling."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vetlla.domain.signals import Kind, Priority


class State(StrEnum):
    """An alarm's way through the queue: waiting -> claimed -> answered -> closed."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    ANSWERED = "answered"
    CLOSED = "closed"


class Tally(NamedTuple):
    """How much an alarm has grown since its first signal."""

    signals: int
    last_signal: int
    joined_us: int
    """When the last signal that was not routine came, on the monotonic clock: the chaining window runs from here."""
    told_again: int = 0
    """How often its signals came once more, because an answer did not arrive."""
    told_again_us: int = 0
    """When the last of these repetitions came; 0: never."""


class Outcome(StrEnum):
    """How an alarm ended, in the words of a telecare service."""

    HELP_SENT = "help_sent"
    HANDLED_BY_VOICE = "handled_by_voice"
    CONTACT_WENT = "contact_went"
    FALSE_ALARM = "false_alarm"
    TEST = "test"
    TECHNICAL = "technical"
    NO_ANSWER = "no_answer"
    OTHER = "other"


class Cause(StrEnum):
    """Why an alarm was put before a supervisor."""

    UNANSWERED = "unanswered"
    """No operator answered it within the limit of *t3*."""
    CLAIM_LAPSED = "claim_lapsed"
    """The limit had passed, and the operator who then claimed it did not answer it."""
    HOLD_LAPSED = "hold_lapsed"
    """It was answered, and its operator did nothing for the hold time."""
    ON_TEST = "on_test"
    """An emergency that came on test, and that no person closed before the test ended or ``test_unseen_s`` passed."""
    TOLD_AGAIN = "told_again"
    """Its caller told the call again while its operator showed no activity."""
    ASKED = "asked"
    """An operator asked for a supervisor."""


class Alarm(NamedTuple):
    """One home's call for attention: the first signal and all that joined it. Stamps in microseconds UTC.

    A named tuple: after an outage each caller opens one, and each is made anew with every step.

    *t2* runs from the communication's establishment to ready, *t3* from ready to answered; both are measured on the
    monotonic clock and kept as durations, since a stepped wall clock must not change a contractual figure.
    """

    id: int
    home: str
    """Chain key: the home's code, or the account where no home is known."""
    account: str
    kind: Kind
    priority: Priority
    why: str
    """Why it stands where it stands, readable: "personal_emergency 101 from zone 3"."""
    first_signal: int
    """0: no signal but a refusal opened it; the evidence is among the rejects."""
    established_us: int
    """First byte of the first communication of the emergency: the contractual clock of the whole chain starts here."""
    opened_us: int
    ready_us: int | None = None
    ready_mono_us: int | None = None
    boot: int = 0
    """Number of the machine start whose monotonic clock the ``_mono_us`` stamps belong to; others do not compare."""
    t2_us: int | None = None
    chained_to: int | None = None
    """The home's earlier alarm, open or closed, that this one continues; its ``established_us`` is inherited."""
    unknown_account: bool = False
    on_test: bool = False
    runaway: bool = False
    escalated: int = 0
    """Times it was put before a supervisor, by the receiver or by an operator."""
    state: State = State.WAITING
    operator: str = ""
    lease_mono_us: int | None = None
    """End of the holder's lease on the monotonic clock of ``boot``; the holder's every action renews it."""
    claimed_us: int | None = None
    answered_us: int | None = None
    t3_us: int | None = None
    """From ready until an operator answered it, or closed it without an answer."""
    closed_us: int | None = None
    outcome: Outcome | None = None
    warned_us: int | None = None
    """When it had waited for ``queue.t3_warn_s``; a more urgent signal that joins it resets this."""
    overdue_us: int | None = None
    """When it had waited for ``queue.t3_max_s`` and was put before a supervisor."""
    due_mono_us: int | None = None
    """When the receiver warns, or puts it before a supervisor, unless an operator acts first; monotonic like the lease.

    None: it is on test, or is closed, or is not watched; or a supervisor has it before them already."""
    lapsed_us: int | None = None
    """When its hold time ended without activity of its operator; None again with the next activity."""
    escalated_us: int | None = None
    """With ``escalated_by`` and ``escalated_why``: the last time an operator put it before a supervisor, or the
    receiver where no operator has."""
    escalated_by: str = ""
    escalated_why: str = ""
