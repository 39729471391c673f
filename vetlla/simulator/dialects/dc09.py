"""SIA DC-09 from the side of premises equipment: numbered reports in two code systems, with a key and a clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import AccountId
from vetlla.protocols.dc09 import frame as dc09_frame
from vetlla.simulator.dialects.dialect import Answer, Dialect, Meaning
from vetlla.simulator.faults import damage
from vetlla.simulator.message import Message

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from vetlla.domain.accounts import Account
    from vetlla.domain.signals import Key
    from vetlla.simulator.weights import Mix

ACK, NAK, DUH = "ACK", "NAK", "DUH"
CR: Final = b"\r"
SHORTEST_HEADER: Final = 7
"""Bytes of LF, CRC and length. A CR among them can only belong to a binary CRC (fact sheet DC-09, section 9.1)."""

NULL = "NULL"
LAST_SEQUENCE = 9999
"""After 9999 comes 0001 (fact sheet DC-09, section 1)."""
UNNUMBERED = "0000"
"""Sequence number of a NULL."""
LAST_ZONE = 999
CLOCK_AGREES = timedelta(seconds=3)
"""Allowed difference between two clocks, because a NAK's time has whole seconds and takes time to arrive."""
UNUSED_LINE = "0"
"""A home whose account names no line sends L0, because the field is required."""


MEANINGS: Final = {ACK: Meaning.ACKNOWLEDGED, DUH: Meaning.REFUSED}


class Telling(NamedTuple):
    """One kind of report: its Contact ID code, its SIA code and the SIA code of its end, or "" without an end."""

    weight: int
    cid: str
    dcs: str
    end: str
    zone: int
    text: str = ""


ALARMS = (
    Telling(80, "101", "QA", "", 1),
    # There is no SIA code for a fall, so makers send MA or QA with a text (fact sheet DC-09, section 11).
    Telling(12, "103", "MA", "", 2, "FALL"),
    Telling(8, "111", "FA", "FR", 10),
)
TECHNICAL = (
    Telling(2, "301", "AT", "AR", 0),
    Telling(1, "302", "YT", "YR", 0),
    Telling(2, "384", "XT", "XR", 1),
)
TESTS = (Telling(1, "602", "RP", "", 0),)


class Dc09Home:
    """A terminal with a persistent sequence number, one code system, and conditions that begin and end."""

    greeting = b""

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

    def next(self, *, numbered: bool = False, age_s: float = 0.0) -> Message:  # noqa: ARG002 the contract's
        """Return the next message with its frame. With ``numbered`` a heartbeat has a number too.

        The time in DC-09 is that of the frame, not of the event. A report that was kept back looks like any other.
        """
        (group,) = self._random.choices((ALARMS, TECHNICAL, TESTS, None), self._weights)
        if group is None:
            return self._beat(self._next_sequence() if numbered else UNNUMBERED)
        (telling,) = self._random.choices(group, [telling.weight for telling in group])
        token, data = ("ADM-CID", self._cid(telling)) if self._speaks_cid else ("SIA-DCS", self._dcs(telling))
        message = Message(home=self.id, token=token, sequence=self._next_sequence(), data=data)
        self._toggle(telling)
        self.seal(message)
        return message

    def seal(self, message: Message) -> None:
        """Build the message's frame for this moment. An encrypted retry has a new time and new padding."""
        message.frame = dc09_frame.build(
            message.token, message.sequence, self.id, message.data, timestamp=self.now(), key=self._secret
        )

    def renew(self, message: Message) -> None:
        """Build the frame again if it contains a time."""
        if self.key is not None:
            self.seal(message)

    def is_welcome(self, data: bytes) -> None:
        """Return None: the protocol has no greeting."""

    def understand(self, data: bytes, unsettled: Sequence[Message]) -> Answer:
        """Return what an answer means. A NAK with a new time corrects the clock."""
        reply = self._read(data)
        if reply is None:
            return Answer(Meaning.MALFORMED)
        if reply.token == NAK:
            is_news = reply.timestamp is not None and self.set_clock(reply.timestamp)
            return Answer(Meaning.WRONG_CLOCK if is_news else Meaning.NAK)
        message = next((one for one in unsettled if one.sequence == reply.sequence), None)
        if message is None or reply.token not in MEANINGS:
            return Answer(Meaning.STRAY)
        return Answer(MEANINGS[reply.token], message)

    def _read(self, data: bytes) -> dc09_frame.Frame | None:
        """Return the reply if its checksum, length, form, addressee and encryption are right."""
        reply = dc09_frame.parse(data, () if self.key is None else (self.key,))
        if not isinstance(reply, dc09_frame.Frame) or reply.quirks:
            return None
        if reply.token == NAK:  # it names no account: "A0", always in clear (5.5.2.2)
            return reply
        # An ACK is encrypted if and only if the message was; a DUH never is (fact sheet, section 2).
        sealed = self.key is not None and reply.token == ACK
        return reply if reply.id == self.id and reply.sealed is sealed else None

    def now(self) -> datetime:
        """Return the time on this home's clock."""
        return datetime.now(UTC) + self._clock_error

    def set_clock(self, receiver: datetime) -> bool:
        """Take over the receiver's time from a NAK. Return True if that changed the clock.

        Each of several frames with a wrong time gets its own NAK, but only the first one changes the clock.
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
        # The zone changes when the sequence starts again. Under load this happens within the receiver's 15 minutes
        # for duplicates, and the receiver would rightly take the same number with the same data for a retry.
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


def cut(pending: bytes) -> tuple[list[bytes], bytes]:
    """Return the replies, cut at their CR, and the bytes behind the last one."""
    replies = []
    while (cr := pending.find(CR, SHORTEST_HEADER)) >= 0:
        replies.append(pending[: cr + 1])
        pending = pending[cr + 1 :]
    return replies, pending


def _make(account: Account, key: Key | None, mix: Mix, random: Random, clock_error_s: float) -> Dc09Home:
    return Dc09Home(account, key, mix=mix, random=random, clock_error_s=clock_error_s)


DIALECT: Final = Dialect(
    name="dc09",
    make=_make,
    cut=cut,
    account=lambda number: f"D{number:05X}",  # hexadecimal, as the standard demands
    form=re.compile(r"[0-9A-Za-z]{1,16}"),
    form_said="up to 16 letters and digits",
    mishaps=frozenset({"torn", "batch", "damage", "retry", "duplicate", "clock", "storm"}),
    damage=damage,
    datagrams=True,
    encrypts=True,
)
