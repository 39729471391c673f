"""Messages of a watch: the events that clients receive as they happen."""

from typing import Annotated, Literal, TypeAlias, final

from typing_extensions import TypedDict

from vetlla.domain.signals import Kind, Phase
from vetlla.receiver.control.messages.base import OneOf, Stream, answer_form
from vetlla.receiver.control.messages.queue import AlarmFields
from vetlla.receiver.control.messages.supervision import HealthWord


@answer_form
class Happening(TypedDict):
    """The fields of every event: what happened and when, the actor, the audit's word for the action and its detail."""

    event: str
    at: str
    actor: str
    action: str
    detail: dict[str, object]


@final
@answer_form
class AlarmEvent(Happening):
    """An alarm that is open when a watch begins, or that changed."""

    alarm: AlarmFields


@answer_form
class SignalFields(TypedDict):
    """A stored signal."""

    id: int
    received: str
    protocol: str
    account: str
    home: str
    kind: Annotated[str, OneOf(*Kind)]
    phase: Annotated[str, OneOf(*Phase)]
    code: str
    system: str
    device: str
    area: str
    text: str
    alarm: int | None


@final
@answer_form
class SignalEvent(Happening):
    """A signal that became durable."""

    signal: SignalFields


@final
@answer_form
class OnTestEvent(Happening):
    """A test of an account that began or ended."""

    account: str
    receiver: str
    line: str


@final
@answer_form
class TurnEvent(Happening):
    """A device whose state changed."""

    unit: int
    state: HealthWord


@final
@answer_form
class ListedEvent(Happening):
    """The end of the open alarms with which a watch begins."""

    count: int


@final
@answer_form
class MissedEvents(TypedDict):
    """How many events a watcher lost because it was too slow."""

    event: Literal["missed"]
    count: int


WatchEvent: TypeAlias = AlarmEvent | SignalEvent | OnTestEvent | TurnEvent | ListedEvent | MissedEvents


class WatchQueue(Stream[WatchEvent]):
    """Send the open alarms, then each change; with ``listed`` an event marks the end of the open alarms."""

    do: Literal["watch"] = "watch"
    listed: bool = False
