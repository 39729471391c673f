"""Telephone calls of the service: what a PBX says of each, and what of that makes a call of a home.

Tender 20220428, section 16: ANS 6 counts every communication that comes in, ANS 7 every one in or out. The times of a
call are microseconds UTC since 1970. Its *t3* is ``answered`` - ``ready``: the caller entered the queue, until an
operator took the call.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from vetlla.domain.clock import SECOND_US
from vetlla.domain.telephones import is_withheld

ERASED: Final = "(erased)"
"""Number or recording that was erased with its home: it says that there was one, and no longer which.

As the reason of a call's tie it says that the call was erased, so that it gets no number and no recording again.
"""


class Direction(StrEnum):
    """Which side dialled."""

    IN = "in"
    OUT = "out"


class CallOutcome(StrEnum):
    """How a call ended. The order is that of the evidence: what several lines say is the first of these."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    """The caller hung up before an operator answered."""
    NO_ANSWER = "no_answer"
    """No person answered: of a call in, the queue gave it up; of a call out, the dialled person."""
    BUSY = "busy"
    FAILED = "failed"
    QUEUED = "queued"
    """It went to a queue, and the queue's log, which says how it ended, was not imported yet."""


class Party(StrEnum):
    """The other side of a call, in the words of ANS 7 (tender 20220428, section 16.7)."""

    USER = "user"
    CONTACT = "contact"
    APPLICANT = "applicant"
    SERVICE = "service"
    """A service of the community: health, police, social services."""
    OTHER = "other"


class Origin(StrEnum):
    """Which kind of file says something of a call."""

    CDR = "asterisk-cdr"
    QUEUE_LOG = "asterisk-queue-log"
    ROWS = "rows"


class CallKey(NamedTuple):
    """What makes a call the same one in every file."""

    source: str
    """The PBX; "" if the service has only one."""
    external: str
    """The PBX's own id of the call: Asterisk's uniqueid, which its queue log names callid."""


class CallRecord(NamedTuple):
    """What one kind of file says of a call. None and "" mean that it says nothing."""

    direction: Direction | None = None
    started: int | None = None
    """It came in, or was dialled."""
    ready: int | None = None
    """It could be attended: it entered the queue."""
    answered: int | None = None
    ended: int | None = None
    agent: str = ""
    caller: str = ""
    """The dialling number: E.164 if it can be one, else as received."""
    called: str = ""
    queue: str = ""
    outcome: CallOutcome | None = None
    recording: str = ""
    """Path of the recording below the folder of recordings."""
    digest: bytes = b""
    """SHA-256 of the recording's bytes."""
    party: Party | None = None
    home: str = ""
    """The home, where the file itself names it."""
    alarm: int | None = None
    """The alarm, where the file itself names it."""


class TieMethod(StrEnum):
    """How a call got its home, or why it has none."""

    BY_HAND = "by_hand"
    FILE = "file"
    """The imported file names the home."""
    PHONE = "phone"
    """One home has the number among its telephones."""
    ACCOUNT = "account"
    """One home's terminal reports under the number."""
    SEVERAL = "several"
    """Several homes have the number: a person has to choose."""
    UNKNOWN = "unknown"
    """No home has the number."""
    NO_NUMBER = "no_number"
    """The call has no number: it was withheld, or is an extension."""


class AlarmMethod(StrEnum):
    """How a call got its alarm, or why it has none."""

    FILE = "file"
    NOTE = "note"
    """A note at the alarm has the call's id."""
    AGENT = "agent"
    """The operator who claimed or answered the home's alarm around the call is its agent."""
    SEVERAL = "several"
    NONE = "none"


class Tie(NamedTuple):
    """To which home and alarm a call belongs, and how that was found out."""

    method: TieMethod
    home: str = ""
    homes: tuple[str, ...] = ()
    """The homes to choose from, if there are several."""
    alarm_method: AlarmMethod = AlarmMethod.NONE
    alarm: int | None = None
    alarms: tuple[int, ...] = ()
    reason: str = ""
    """What the person wrote who tied it by hand."""
    by: str = ""


class PhoneCall(NamedTuple):
    """One call as far as all files together tell it."""

    id: int
    key: CallKey
    record: CallRecord
    """What the files say together (``vetlla.service.calls.joining``)."""
    origins: tuple[Origin, ...] = ()
    tie: Tie = Tie(TieMethod.NO_NUMBER)

    @property
    def t3(self) -> int | None:
        """Microseconds from ready to answered; None if one is unknown, or they contradict each other."""
        ready, answered = self.record.ready, self.record.answered
        return None if ready is None or answered is None or answered < ready else answered - ready

    @property
    def talk_s(self) -> int | None:
        """Whole seconds from answered to the end; None if one is unknown."""
        answered, ended = self.record.answered, self.record.ended
        return None if answered is None or ended is None else max(0, ended - answered) // SECOND_US

    @property
    def is_recorded(self) -> bool:
        """Return True if the recording and the hash of its bytes are known (ANS 7)."""
        return bool(self.record.recording and self.record.digest)

    @property
    def is_filed(self) -> bool:
        """Return True if it is in the file of a home, or of a party that has none (ANS 7)."""
        return bool(self.tie.home) or self.record.party in {Party.CONTACT, Party.APPLICANT, Party.SERVICE}


class AlarmFacts(NamedTuple):
    """What ties of calls need to know of an alarm. Times are microseconds UTC."""

    id: int
    home: str
    operator: str
    claimed: int | None
    answered: int | None
    notes: str = ""
    """The texts of its notes, one a line."""


def number_of(record: CallRecord) -> str:
    """Return the number of the other side: who called in, or was called out; "" if it is unknown or withheld."""
    number = record.called if record.direction is Direction.OUT else record.caller
    return "" if is_withheld(number) else number  # older imports kept the word
