"""The common part of GSM terminals: a user carries one, and its protocol fixes every byte of its frames and answers.

Their positions are in the Gulf of Guinea, around one degree north and one degree east, where no one lives.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.imei import with_check_digit
from vetlla.domain.signals import AccountId
from vetlla.simulator.dialects.dialect import Answer, Meaning
from vetlla.simulator.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from vetlla.domain.accounts import Account
    from vetlla.domain.signals import Key
    from vetlla.simulator.weights import Mix

MIDDLE: Final = 1.0
"""Degrees north and east."""
SPREAD: Final = 0.05
STEP: Final = 0.0002
"""Degrees between two reports, about twenty metres."""
REMEMBERED: Final = 64
"""Number of expected answers that a terminal still recognises when they come late."""
LOW_CHARGE: Final = 9
FULL_CHARGE: Final = 100


class Occasion(Enum):
    """Why a terminal sends a message."""

    SOS = auto()
    FALL = auto()
    LOW_BATTERY = auto()
    POSITION = auto()
    HEARTBEAT = auto()


ALARMS: Final = (Occasion.SOS, Occasion.FALL)
ALARM_WEIGHTS: Final = (85, 15)


class Happening(NamedTuple):
    """An event of the user who carries the terminal."""

    occasion: Occasion
    at: datetime
    """UTC in whole seconds. No two events of a terminal have the same second."""
    is_stored: bool
    """Whether the terminal kept it back until it had a network."""
    latitude: float
    longitude: float
    charge: int
    number: int
    """Number of this message of the terminal; it counts up."""


class Word(NamedTuple):
    """A message as the bytes that are sent."""

    token: str
    sequence: str
    frame: bytes
    answer: bytes
    """The exact bytes of the acknowledgement, or b"" if the protocol has none."""


class Handheld(ABC):
    """One terminal. Each kind defines ``say``, which turns a happening into bytes."""

    greeting = b""

    def __init__(self, account: Account, mix: Mix, random: Random) -> None:
        self.id = AccountId("", "", account.account)
        self._random = random
        self._weights = mix.weights()
        self._latitude = MIDDLE + random.uniform(-SPREAD, SPREAD)
        self._longitude = MIDDLE + random.uniform(-SPREAD, SPREAD)
        self._number = random.randrange(1000)
        self._clock = datetime.fromtimestamp(0, UTC)
        self._expected: deque[bytes] = deque(maxlen=REMEMBERED)

    @abstractmethod
    def say(self, happening: Happening) -> Word:
        """Return a happening as a message of the protocol."""

    def shown(self, frame: bytes) -> bytes:
        """Return a frame in ASCII, for the ledger."""
        return frame

    def next(self, *, numbered: bool = False, age_s: float = 0.0) -> Message:  # noqa: ARG002 all are numbered, or none
        """Return the next message."""
        word = self.say(self._happen(age_s))
        self._expected.append(word.answer)
        return Message(
            home=self.id,
            token=word.token,
            sequence=word.sequence,
            data=self.shown(word.frame),
            frame=word.frame,
            answer=word.answer,
            is_answered=bool(word.answer),
        )

    def renew(self, message: Message) -> None:  # noqa: B027 - most dialects have nothing to renew
        """Leave the frame as it is, because a repeat has the same bytes."""

    def is_welcome(self, data: bytes) -> bool | None:  # noqa: ARG002 the contract's
        """Return None: the protocol has no login, or does not answer it."""
        return None

    def understand(self, data: bytes, unsettled: Sequence[Message]) -> Answer:
        """Return what an answer means. It counts only if it equals the expected bytes."""
        message = next((one for one in unsettled if one.answer and one.answer == data), None)
        if message is not None:
            return Answer(Meaning.ACKNOWLEDGED, message)
        return Answer(Meaning.STRAY if data and data in self._expected else Meaning.MALFORMED)

    def _happen(self, age_s: float) -> Happening:
        """Return the next event.

        No two events have the same second, because in most of these protocols only the time separates two events of
        one kind. If terminals must report more than once a second, their clocks run ahead.
        """
        kinds = (ALARMS, (Occasion.LOW_BATTERY,), (Occasion.POSITION,), (Occasion.HEARTBEAT,))
        (kind,) = self._random.choices(kinds, self._weights)
        (occasion,) = self._random.choices(kind, ALARM_WEIGHTS[: len(kind)])
        if occasion is not Occasion.HEARTBEAT:
            then = (datetime.now(UTC) - timedelta(seconds=age_s)).replace(microsecond=0)
            self._clock = max(then, self._clock + timedelta(seconds=1))
            self._latitude += self._random.uniform(-STEP, STEP)
            self._longitude += self._random.uniform(-STEP, STEP)
        self._number += 1
        charge = LOW_CHARGE if occasion is Occasion.LOW_BATTERY else self._random.randint(LOW_CHARGE + 10, FULL_CHARGE)
        return Happening(occasion, self._clock, age_s > 0, self._latitude, self._longitude, charge, self._number)


def maker_of(kind: type[Handheld]) -> Callable[[Account, Key | None, Mix, Random, float], Handheld]:
    """Return a function that makes terminals of a kind, which have no key, and no clock to be corrected."""

    def make(account: Account, _key: Key | None, mix: Mix, random: Random, _clock_error_s: float) -> Handheld:
        return kind(account, mix, random)

    return make


def cut_behind(end: bytes, pending: bytes) -> tuple[list[bytes], bytes]:
    """Return the answers, cut behind their end byte, and the rest."""
    *whole, rest = pending.split(end)
    return [answer + end for answer in whole], rest


def made_up_imei(number: int) -> str:
    """Return an IMEI with its check digit, from the range that 3GPP reserves for tests (reporting body 00)."""
    return with_check_digit(f"00101700{number:06d}")
