"""A home terminal: who it is, what it has to say, and its own idea of the time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.protocols import dc09_frame
from vetlla.signals import AccountId

if TYPE_CHECKING:
    from random import Random

    from vetlla.accounts import Account
    from vetlla.signals import Key
    from vetlla.simulator.scenario import Mix

NULL = "NULL"
LAST_SEQUENCE = 9999
"""After 9999 comes 0001 (fact sheet DC-09, section 1)."""
UNNUMBERED = "0000"
"""What a NULL carries."""
LAST_ZONE = 999
CLOCK_AGREES = timedelta(seconds=3)
"""A NAK's time has whole seconds and has travelled."""
UNUSED_LINE = "0"
"""A home whose account names no line sends L0, since the field is required."""


class Fate(StrEnum):
    """What became of a message, as its sender knows it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    LOST = "lost"


@dataclass(slots=True, kw_only=True, eq=False)
class Message:
    """One thing a home has to tell, and how far it got. The sender's working copy, hence not frozen."""

    home: AccountId
    token: str
    sequence: str
    data: bytes
    frame: bytes = b""
    due_ns: int = 0
    """Monotonic, as are the others; 0: not yet."""
    sent_ns: int = 0
    """When it was first handed to a line."""
    settled_ns: int = 0
    attempts: int = 0
    fate: Fate = Fate.OPEN


class Telling(NamedTuple):
    """One kind of report in both code systems: Contact ID code, SIA code, SIA code of its end ("": has none)."""

    weight: int
    cid: str
    dcs: str
    end: str
    zone: int
    text: str = ""


ALARMS = (
    Telling(80, "101", "QA", "", 1),
    # There is no SIA code for a fall: makers send MA or QA with a text (fact sheet DC-09, section 11).
    Telling(12, "103", "MA", "", 2, "FALL"),
    Telling(8, "111", "FA", "FR", 10),
)
TECHNICAL = (
    Telling(2, "301", "AT", "AR", 0),
    Telling(1, "302", "YT", "YR", 0),
    Telling(2, "384", "XT", "XR", 1),
)
TESTS = (Telling(1, "602", "RP", "", 0),)


class Home:
    """A terminal with a persistent sequence number, one dialect, and conditions that begin and end."""

    def __init__(
        self, account: Account, key: Key | None, *, mix: Mix, random: Random, clock_error_s: float = 0.0
    ) -> None:
        self.id = AccountId(account.receiver, account.line or UNUSED_LINE, account.account)
        self.key = key
        self._secret = None if key is None else key.secret
        self._random = random
        self._weights = mix.weights()
        self._clock_error = timedelta(seconds=clock_error_s)
        self._speaks_cid = random.random() < 0.5
        self._number = random.randrange(LAST_SEQUENCE)
        self._lap = 0
        self._going_on: set[Telling] = set()
        self._heartbeat = b""

    def next(self, *, numbered: bool = False) -> Message:
        """Return the next thing to tell, its frame built; ``numbered``: even if it is a heartbeat."""
        (said,) = self._random.choices((ALARMS, TECHNICAL, TESTS, None), self._weights)
        if said is None:
            return self._beat(self._next_sequence() if numbered else UNNUMBERED)
        (telling,) = self._random.choices(said, [telling.weight for telling in said])
        token, data = ("ADM-CID", self._cid(telling)) if self._speaks_cid else ("SIA-DCS", self._dcs(telling))
        message = Message(home=self.id, token=token, sequence=self._next_sequence(), data=data)
        self._toggle(telling)
        self.seal(message)
        return message

    def seal(self, message: Message) -> None:
        """Build the message's frame for this moment: a retry under a key has a new time and new padding."""
        message.frame = dc09_frame.build(
            message.token, message.sequence, self.id, message.data, timestamp=self.now(), key=self._secret
        )

    def now(self) -> datetime:
        """Return the time as this home's clock has it."""
        return datetime.now(UTC) + self._clock_error

    def set_clock(self, receiver: datetime) -> bool:
        """Take over the receiver's time, as a NAK asks; say whether that changed anything.

        Each of several frames with a wrong time gets its own NAK, and only the first one is news.
        """
        if abs(receiver - self.now()) < CLOCK_AGREES:
            return False
        self._clock_error = receiver - datetime.now(UTC)
        return True

    def _beat(self, sequence: str) -> Message:
        message = Message(home=self.id, token=NULL, sequence=sequence, data=b"")
        if self.key is not None or sequence != UNNUMBERED:
            self.seal(message)
        else:
            # A plain NULL needs no time, so a home always sends the same one.
            self._heartbeat = self._heartbeat or dc09_frame.build(NULL, sequence, self.id, b"")
            message.frame = self._heartbeat
        return message

    def _cid(self, telling: Telling) -> bytes:
        qualifier = 3 if telling in self._going_on else 1
        return b"#%s|%d%s 00 %03d" % (self.id.account.encode(), qualifier, telling.cid.encode(), self._zone(telling))

    def _dcs(self, telling: Telling) -> bytes:
        code = telling.end if telling in self._going_on else telling.dcs
        text = f"^{telling.text}^" if telling.text else ""
        return f"#{self.id.account}|Nri0/{code}{self._zone(telling)}{text}".encode()

    def _zone(self, telling: Telling) -> int:
        # When the sequence starts over, the zone moves on: under load a home laps within the receiver's 15 minutes
        # for duplicates, and the same number with the same data would rightly be taken for a retry.
        return (telling.zone + self._lap) % (LAST_ZONE + 1)

    def _toggle(self, telling: Telling) -> None:
        if telling.end:
            self._going_on ^= {telling}

    def _next_sequence(self) -> str:
        self._number += 1
        if self._number > LAST_SEQUENCE:
            self._number = 1
            self._lap += 1
        return f"{self._number:04d}"


def wall_us(monotonic_ns: int) -> int | None:
    """Return a message's stamp as microseconds since 1970, or None for a moment that never was."""
    return (time.time_ns() - time.monotonic_ns() + monotonic_ns) // 1000 if monotonic_ns else None
