"""The contract of a dialect: frames out, answers in. No socket, no waiting; the clock is read when a frame is built."""

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
"""What came in -> the whole answers in it, and the beginning of one that is not whole yet."""


class Meaning(Enum):
    """What an answer says."""

    ACKNOWLEDGED = auto()
    REFUSED = auto()
    WRONG_CLOCK = auto()
    """Not taken; the clock has been put right, and a repeat will pass."""
    NAK = auto()
    """Not taken, and nothing new in it."""
    STRAY = auto()
    """A good acknowledgement of something that nobody waits for (any more)."""
    MALFORMED = auto()
    """Anything wrong with it: checksum, length, form, addressee."""


class Answer(NamedTuple):
    """An answer as its addressee understands it."""

    meaning: Meaning
    message: Message | None = None
    """What it settles."""


class Terminal(Protocol):
    """One device: who it is, what it has to say, which answers it believes."""

    id: AccountId
    greeting: bytes
    """First on every new line; b"": the protocol has no login."""

    def next(self, *, numbered: bool = False, age_s: float = 0.0) -> Message:
        """Return the next thing to tell, its frame built.

        ``numbered``: it travels with others and must be told apart from them. ``age_s``: it happened so long ago and
        was kept back for want of a network; 0: it happens now.
        """
        ...

    def renew(self, message: Message) -> None:
        """Build the frame of a repeat, where that differs from the first."""
        ...

    def is_welcome(self, data: bytes) -> bool | None:
        """Say whether this answers the greeting as it should; None: the protocol answers no greeting."""
        ...

    def understand(self, data: bytes, unsettled: Sequence[Message]) -> Answer:
        """Return what an answer means for what is unsettled."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One line of the registry."""

    name: str
    make: Callable[[Account, Key | None, Mix, Random, float], Terminal]
    """Account, key, mix, chance, seconds by which the clock is wrong."""
    cut: Cut
    account: Callable[[int], str]
    """Number of a made-up home -> its account, recognisable in a journal."""
    form: re.Pattern[str]
    """What an account looks like."""
    form_said: str
    mishaps: frozenset[str]
    """Fields of ``Faults`` that make sense."""
    damage: Callable[[bytes, Random], bytes] | None = None
    """Spoil a frame so that a receiver can tell; None: the protocol has no checksum."""
    datagrams: bool = False
    """Whether it is spoken over UDP as well."""
    encrypts: bool = False
