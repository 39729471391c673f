"""The contract of a dialect: it builds frames and reads answers, without sockets. Frames get the time at building."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    import re
    from random import Random

    from vetlla.domain.accounts import Account
    from vetlla.domain.signals import AccountId, Key
    from vetlla.simulator.message import Message
    from vetlla.simulator.weights import Mix

Cut: TypeAlias = Callable[[bytes], tuple[list[bytes], bytes]]
"""Takes the received bytes; returns the complete answers and the beginning of an incomplete one."""


class Meaning(Enum):
    """Meaning of an answer for the terminal."""

    ACKNOWLEDGED = auto()
    REFUSED = auto()
    WRONG_CLOCK = auto()
    """The receiver did not take the message. The clock has been corrected, so that a repeat will pass."""
    NAK = auto()
    """The receiver did not take the message, and the answer contains nothing new."""
    STRAY = auto()
    """A good acknowledgement that no message waits for, or no longer."""
    MALFORMED = auto()
    """The checksum, length, form or addressee is wrong."""


class Answer(NamedTuple):
    """The meaning of an answer, and the message that it settles."""

    meaning: Meaning
    message: Message | None = None


class Terminal(Protocol):
    """One simulated terminal: its account, its messages and the answers that it accepts."""

    id: AccountId
    greeting: bytes
    """The first bytes on every new line, or b"" if the protocol has no login."""

    def next(self, *, numbered: bool = False, age_s: float = 0.0) -> Message:
        """Return the next message with its frame.

        ``numbered`` means that it travels with others and must differ from them. ``age_s`` is the time for which it
        was kept back without a network; 0 means that it happens now.
        """
        ...

    def renew(self, message: Message) -> None:
        """Build the frame of a repeat, if it differs from the first frame."""
        ...

    def is_welcome(self, data: bytes) -> bool | None:
        """Return True if this is the right answer to the greeting, or None if the protocol answers no greeting."""
        ...

    def understand(self, data: bytes, unsettled: Sequence[Message]) -> Answer:
        """Return what an answer means for the unsettled messages."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One protocol of simulated homes, as the registry lists it."""

    name: str
    make: Callable[[Account, Key | None, Mix, Random, float], Terminal]
    """Makes a terminal from account, key, mix, random generator and clock error in seconds."""
    cut: Cut
    account: Callable[[int], str]
    """Returns the account of a made-up home from its number. A journal shows plainly that it is made up."""
    form: re.Pattern[str]
    """Pattern of a valid account."""
    form_said: str
    mishaps: frozenset[str]
    """Fields of ``Faults`` that the protocol can have."""
    damage: Callable[[bytes, Random], bytes] | None = None
    """Damages a frame so that a receiver notices it; None if the protocol has no checksum."""
    datagrams: bool = False
    """Whether the protocol also runs over UDP."""
    encrypts: bool = False
