"""Messages about sinks."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from vetlla.domain.onward import SinkState
from vetlla.receiver.control.messages.arguments import Text
from vetlla.receiver.control.messages.base import OneOf, Request, answer_form

Number = Annotated[int, Field(ge=1, le=2**62)]
"""Number of a signal."""
MomentUs = Annotated[int, Field(ge=-(2**62), le=2**62)]
"""Microseconds UTC since 1970."""


@answer_form
class SinkPauseFields(TypedDict):
    """The pause of a sink."""

    since: str
    operator: str
    reason: str


@answer_form
class ReplayFields(TypedDict):
    """Signals that are still to be sent again: those above ``after`` up to ``upto``."""

    after: int
    upto: int


@answer_form
class SinkSheet(TypedDict):
    """A configured sink."""

    name: str
    kind: str
    address: str
    state: Annotated[str, OneOf(*SinkState)]
    why: str
    """Why its peer took nothing at the last attempt; empty if it took something."""
    remedy: str
    blocked_on: int | None
    """Number of the signal that the peer refuses."""
    position: int
    """Number up to which every signal was sent or left out by the filter."""
    waiting: int
    """Signals above the position."""
    lag_s: float
    """Age of the first of them."""
    lag_max_s: float
    delivered: int
    failures: int
    pause: SinkPauseFields | None
    replay: ReplayFields | None


@answer_form
class FormerSink(TypedDict):
    """A sink that is no longer configured."""

    name: str
    position: int
    moved: str
    """When its position was written last."""


@answer_form
class SinkList(TypedDict):
    """All sinks."""

    sinks: list[SinkSheet]
    others: list[FormerSink]
    """Sinks that are no longer configured; one that is configured again goes on at its position."""
    durable: int
    """Number of the last stored signal."""


@answer_form
class SinkChanged(TypedDict):
    """A sink after an order of an engineer."""

    operator: str
    sink: SinkSheet
    durable: bool


@answer_form
class ReplayOrdered(TypedDict):
    """What is sent again."""

    operator: str
    sink: SinkSheet
    first: int
    last: int
    signals: int
    """Stored signals from ``first`` to ``last``; the sink's filter may leave some out."""
    durable: bool | None
    """None for a dry run."""


@answer_form
class SinkTested(TypedDict):
    """How a peer answered to an invented signal."""

    sink: str
    address: str
    ok: bool
    why: str
    remedy: str
    took_ms: float


class ListSinks(Request[SinkList]):
    """Return all sinks."""

    do: Literal["sinks.list"] = "sinks.list"


class PauseSink(Request[SinkChanged]):
    """Send nothing until the sink is resumed; what is stored meanwhile waits in the journal."""

    do: Literal["sinks.pause"] = "sinks.pause"
    sink: Text
    reason: Text


class ResumeSink(Request[SinkChanged]):
    """End a pause, and try again at once."""

    do: Literal["sinks.resume"] = "sinks.resume"
    sink: Text


class ReplaySink(Request[ReplayOrdered]):
    """Send stored signals again, marked as replayed; only those up to the sink's position."""

    do: Literal["sinks.replay"] = "sinks.replay"
    sink: Text
    reason: Text
    from_signal: Number | None = None
    to_signal: Number | None = None
    since_us: MomentUs | None = None
    until_us: MomentUs | None = None
    dry_run: bool = False


class StopReplay(Request[SinkChanged]):
    """End a replay."""

    do: Literal["sinks.unreplay"] = "sinks.unreplay"
    sink: Text


class SkipSignal(Request[SinkChanged]):
    """Leave out the signal that the peer refuses; the request names it, so that no other is left out."""

    do: Literal["sinks.skip"] = "sinks.skip"
    sink: Text
    signal: Number
    reason: Text


class ProbeSink(Request[SinkTested]):
    """Send an invented signal, and tell how the peer answered."""

    do: Literal["sinks.test"] = "sinks.test"
    sink: Text
