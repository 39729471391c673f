"""Messages about the receiver itself: its status, and its configuration."""

from typing import Annotated, Literal, NotRequired

from typing_extensions import TypedDict

from vetlla.domain.signals import Priority
from vetlla.receiver.commit.store_state import StoreState
from vetlla.receiver.control.messages.base import OneOf, Request, answer_form
from vetlla.receiver.control.messages.sinks import SinkSheet
from vetlla.receiver.control.messages.supervision import FleetHealth


@answer_form
class ListeningAddress(TypedDict):
    """A socket on which the receiver listens, a broker to which it connects, or a directory that it watches.

    The host of a directory is its path, and its port is 0.
    """

    name: str
    protocol: str
    transport: str
    host: str
    port: int
    connected: NotRequired[bool]
    """Present only for a broker, and for a directory that can be used."""


@answer_form
class LinePortFacts(TypedDict):
    """A port of a line receiver."""

    name: str
    protocol: str
    way: str
    """serial, connect or accept"""
    place: str
    """The device, or HOST:PORT."""
    open: bool
    why: str
    """Why it is not open; empty if it is."""
    openings: int
    heard: str | None
    """When the last whole frame came; None if none came since the start."""
    frames: int
    damaged: int
    """Times that bytes came which could not be read."""
    parity: str
    """Parity that the receiver seems to send while the port has none: even or odd; empty as a rule."""


@answer_form
class HttpAddress(TypedDict):
    """The address of the metrics page."""

    host: str
    port: int


@answer_form
class JournalFile(TypedDict):
    """The file that the receiver writes, even if another file has its name now."""

    device: int
    inode: int


@answer_form
class ProcessFacts(TypedDict):
    """Facts about the receiver's process that ``vetlla doctor``, another process, checks."""

    pid: int
    user: str
    python: str
    sqlite: str
    descriptors: int | None
    connections: int
    config: str
    """The configuration file; empty if there is none."""
    state_dir: str
    keys_file: str
    journal: JournalFile


@answer_form
class CertificateInUse(TypedDict):
    """A certificate in a TLS file that new connections use."""

    name: str
    use: str
    file: str
    not_before: str
    not_after: str


@answer_form
class ReloadState(TypedDict):
    """Why the last configuration was refused (empty if it was taken), and which settings wait for a restart."""

    refused: str
    waiting: list[str]


@answer_form
class StatusCounts(TypedDict):
    """What the receiver has counted since its start, and how many alarms are open."""

    signals: int
    duplicates: int
    refused: int
    rejects: int
    heartbeats: int
    connections: int
    accounts: int
    alarms_open: dict[Annotated[str, OneOf(*Priority.__members__)], int]
    waiting: int
    unattended: int


@answer_form
class StoreFacts(TypedDict):
    """State of the store."""

    state: Annotated[str, OneOf(*StoreState)]
    free_bytes: int
    commit_ms_last: float


@answer_form
class Status(TypedDict):
    """What ``vetlla status`` prints.

    A receiver that was not restarted after an upgrade may leave out what is ``NotRequired``.
    """

    ready: bool
    why: str
    version: str
    since: str
    uptime_s: float
    listening: list[ListeningAddress]
    lines: NotRequired[list[LinePortFacts]]
    http: HttpAddress | None
    process: NotRequired[ProcessFacts]
    certificates: NotRequired[list[CertificateInUse]]
    reload: ReloadState
    counts: StatusCounts
    supervision: NotRequired[FleetHealth]
    sinks: NotRequired[list[SinkSheet]]
    store: StoreFacts


@answer_form
class Outlook(TypedDict):
    """What a reload would do with the configuration on the disk."""

    refused: str
    remedy: str
    unread: list[str]
    """Settings that a reload would apply."""
    waiting: list[str]
    """Settings that only a restart applies."""


@answer_form
class RegistryRead(TypedDict):
    """What the receiver uses after it read accounts and keys again."""

    accounts: int
    keys_file: str


class ShowStatus(Request[Status]):
    """Return the status."""

    do: Literal["status"] = "status"


class ShowOutlook(Request[Outlook]):
    """Return what a reload would do, without accounts and keys."""

    do: Literal["outlook"] = "outlook"


class ReloadAll(Request[RegistryRead]):
    """Read configuration, TLS files, accounts and keys again."""

    do: Literal["reload"] = "reload"


class ReloadRegistry(Request[RegistryRead]):
    """Read accounts and keys again."""

    do: Literal["registry"] = "registry"
