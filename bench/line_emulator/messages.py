"""What the parts of the emulator give each other: messages, homes, and what a dialect has to offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from random import Random

    from bench.line_emulator.found import Found


class Home(NamedTuple):
    """A home that calls: the digits of its account."""

    account: str


class Content(NamedTuple):
    """The text of one frame without its marks of start and end, and what is to be found in it."""

    kind: str
    text: str
    found: tuple[Found, ...]
    caller: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the receiver's queue, with a number of its own."""

    serial: int
    content: Content
    second_of: int | None = None
    """Number of the message whose bytes a true second call has again."""
    caller: str = ""
    """Telephone number that the receiver gave in a caller ID frame of the same call."""
    not_before: float = 0.0
    """Time (monotonic, seconds) before which the receiver does not have the message."""


class Dialect(Protocol):
    """How a receiver writes."""

    name: str
    mix: dict[str, float]
    """Kinds of events that the dialect has, with their usual weights."""

    def event(self, kind: str, home: Home, line: int, rng: Random) -> Content:
        """Return an event of a kind with random content."""

    def caller_id(self, home: Home, line: int, telephone: str) -> Content | None:
        """Return the frame that tells the number of the call, if the dialect has one."""

    def two_way(self, line: int) -> Content | None:
        """Return the frame that says which line is in speech, if the dialect has one."""

    def heartbeat(self) -> str:
        """Return the text of a heartbeat."""

    def frame(self, text: str) -> bytes:
        """Return the bytes of a frame: the text with its marks of start and end."""

    def bare(self, text: str) -> bytes:
        """Return the bytes of a frame without its end mark."""
