"""What operators work on: the alarm and the values that describe its handling."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vetlla.domain.signals import Kind, Priority

RECEIVER = "receiver"
"""The actor, in the audit and in events, of what the receiver does by itself."""


class State(StrEnum):
    """State of an alarm in the queue: waiting -> claimed -> answered -> closed."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    ANSWERED = "answered"
    CLOSED = "closed"


class Tally(NamedTuple):
    """How much an alarm has grown since its first signal."""

    signals: int
    last_signal: int
    joined_us: int
    """When the last non-routine signal came, on the monotonic clock. The chaining window starts here."""
    told_again: int = 0
    """Number of repetitions of its signals, sent because the terminal missed the acknowledgement."""
    told_again_us: int = 0
    """When the last of these repetitions came; 0 if there was no repetition."""


class AlarmOutcome(StrEnum):
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
    """Why an alarm was escalated to a supervisor."""

    UNANSWERED = "unanswered"
    """No operator answered it within the limit of *t3*."""
    CLAIM_LAPSED = "claim_lapsed"
    """The limit had passed, and the operator who then claimed it did not answer it."""
    HOLD_LAPSED = "hold_lapsed"
    """An operator answered it and then did nothing for the hold time."""
    ON_TEST = "on_test"
    """An emergency during a test, not closed by an operator before the test ended or ``test_unseen_s`` passed."""
    TOLD_AGAIN = "told_again"
    """Its caller repeated the call while its operator showed no activity."""
    ASKED = "asked"
    """An operator asked for a supervisor."""


class Alarm(NamedTuple):
    """One home's call for attention: the first signal and all that joined it. Stamps are in microseconds UTC.

    It is a named tuple, because after an outage each caller opens one and every step creates a new object.

    *t2* runs from the set-up of the communication to ready, *t3* from ready to answered. Both are measured on the
    monotonic clock and kept as durations, since a stepped wall clock must not change a contractual figure.
    """

    id: int
    home: str
    """Chain key: the home's code, or the account if no home is known."""
    account: str
    kind: Kind
    priority: Priority
    why: str
    """Reason for its priority, for people: "personal_emergency 101 from zone 3"."""
    first_signal: int
    """0 if a refusal opened it and not a signal; the evidence is among the rejects."""
    established_us: int
    """First byte of the first communication of the emergency. The contractual clock of the whole chain starts here."""
    opened_us: int
    ready_us: int | None = None
    ready_mono_us: int | None = None
    boot: int = 0
    """Number of the machine start to which the ``_mono_us`` stamps belong. Stamps of two starts cannot be compared."""
    t2_us: int | None = None
    chained_to: int | None = None
    """Earlier alarm of the home, open or closed, that this one continues. It inherits its ``established_us``."""
    unknown_account: bool = False
    on_test: bool = False
    runaway: bool = False
    escalated: int = 0
    """How often the receiver or an operator escalated it."""
    state: State = State.WAITING
    operator: str = ""
    lease_mono_us: int | None = None
    """End of its operator's lease on the monotonic clock of ``boot``. Each action of the operator renews it."""
    claimed_us: int | None = None
    answered_us: int | None = None
    t3_us: int | None = None
    """Time from ready until an operator answered it, or closed it without an answer."""
    closed_us: int | None = None
    outcome: AlarmOutcome | None = None
    warned_us: int | None = None
    """When it had waited for ``queue.t3_warn_s``. A more urgent signal that joins it resets this."""
    overdue_us: int | None = None
    """When it had waited for ``queue.t3_max_s`` and was escalated."""
    due_mono_us: int | None = None
    """When the receiver warns or escalates, unless an operator acts first; monotonic like the lease.

    None if it is on test, is closed, has no limit, or is already before a supervisor."""
    lapsed_us: int | None = None
    """When its hold time ended without activity of its operator. The next activity sets it to None again."""
    escalated_us: int | None = None
    """With ``escalated_by`` and ``escalated_why``: the last time an operator escalated it, or the receiver if no
    operator did."""
    escalated_by: str = ""
    escalated_why: str = ""
