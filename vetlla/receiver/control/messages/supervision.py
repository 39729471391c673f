"""Messages about supervision: devices, incidents and pauses."""

from typing import Annotated, Literal, TypeAlias, final

from pydantic import Field
from typing_extensions import TypedDict

from vetlla.receiver.control.messages.arguments import Limit, Listed, Stripped, Text, Words
from vetlla.receiver.control.messages.base import PAGE_MAX, OneOf, Request, Spelled, answer_form
from vetlla.service.supervision.rules import Health, Pause

PAUSE_MAX_S = 92 * 24 * 3600
"""The length of a summer. A longer pause must be ordered without an end, so that a person has to lift it."""
REASON_MAX = 500
"""Most characters of a pause's reason."""

HEALTH = {state.word: state for state in Health}
HealthWord: TypeAlias = Annotated[str, OneOf(*HEALTH)]


# --- answers ----------------------------------------------------------------------------------------------------------


@answer_form
class DeviceFields(TypedDict):
    """A terminal or a UCR as a list shows it. Stamps are in ISO 8601."""

    unit: int
    """Number of the device, after which the next page begins."""
    account: str
    receiver: str
    line: str
    home: str
    device: str
    """Id of a UCR; empty for a terminal."""
    kind: Literal["terminal", "ucr"]
    state: HealthWord
    since: str | None
    why: str
    not_supervised: list[Annotated[str, OneOf(*(pause.words[0] for pause in Pause if pause))]]
    last_heard: str | None
    interval_s: int
    allowed_misses: int
    missed: int
    next_deadline: str | None
    incident: int | None
    alarm: int | None


@answer_form
class OrderedPause(TypedDict):
    """A pause that a person ordered; without ``until`` it lasts until a person lifts it."""

    operator: str
    reason: str
    since: str
    until: str | None


@answer_form
class DeviceSheet(DeviceFields):
    """Everything that is known of a device."""

    lost_at: str | None
    labels: list[str]
    received_today: int
    pause: OrderedPause | None


@final
@answer_form
class DevicePage(TypedDict):
    """One page of devices."""

    devices: list[DeviceFields]
    next: int | None
    """The number after which the next page begins; null on the last page."""


@final
@answer_form
class DeviceCount(TypedDict):
    """The number of devices that a list would have."""

    count: int


@answer_form
class IncidentFields(TypedDict):
    """An open incident without its members."""

    incident: int
    label: str
    opened: str
    closed: str | None
    lost: int
    members: int
    alarm: int | None
    age_s: float


@answer_form
class IncidentPage(IncidentFields):
    """An open incident with one page of its members."""

    devices: list[DeviceFields]
    next: int | None


@answer_form
class FleetHealth(TypedDict):
    """The fleet in numbers, and the greatest open incidents."""

    devices: int
    states: dict[HealthWord, int]
    incidents_open: int
    incidents: list[IncidentFields]


@final
@answer_form
class Resumed(TypedDict):
    """Devices whose pause was lifted."""

    operator: str
    devices: list[DeviceFields]
    durable: bool | None
    """Null after a dry run. False if the store has failed, so that the step is not on the disk yet."""


@final
@answer_form
class Paused(TypedDict):
    """Devices that were paused; without ``until`` the pause lasts until a person lifts it."""

    operator: str
    reason: str
    until: str | None
    devices: list[DeviceFields]
    durable: bool | None


# --- requests ---------------------------------------------------------------------------------------------------------


class ShowFleet(Request[FleetHealth]):
    """Return the fleet in numbers."""

    do: Literal["supervision.counts"] = "supervision.counts"


class ListDevices(Request[DevicePage | DeviceCount]):
    """List devices page by page. Without states, list the devices that need attention."""

    do: Literal["supervision.list"] = "supervision.list"
    states: Listed[Annotated[Health, Spelled(HEALTH)]] = ()
    account: Words = ""
    home: Words = ""
    limit: Limit = PAGE_MAX
    after: int = -1
    """The value of ``next`` in the page before."""
    count: bool = False
    """Answer only the number of devices."""


class ShowDevices(Request[list[DeviceSheet]]):
    """Show the terminal of an account and its UCRs."""

    do: Literal["supervision.show"] = "supervision.show"
    account: Text
    receiver: Words | None = None
    line: Words | None = None


class ListIncidents(Request[list[IncidentFields]]):
    """List the open incidents, the one with the most lost devices first."""

    do: Literal["supervision.incidents"] = "supervision.incidents"


class ListMembers(Request[IncidentPage]):
    """List the members of an open incident page by page."""

    do: Literal["supervision.members"] = "supervision.members"
    incident: int
    limit: Limit = PAGE_MAX
    after: int = -1


class PauseDevices(Request[Paused]):
    """Pause supervision of an account, or of one of its UCRs."""

    do: Literal["supervision.pause"] = "supervision.pause"
    account: Text
    receiver: Words | None = None
    line: Words | None = None
    device: Words = ""
    reason: Annotated[str, Field(min_length=1, max_length=REASON_MAX), Stripped]
    seconds: Annotated[
        int | None,
        Field(
            ge=1,
            le=PAUSE_MAX_S,
            description=f"a pause lasts 1 to {PAUSE_MAX_S} s; without --for it lasts until vetlla supervision resume",
        ),
    ] = None
    dry_run: bool = False


class ResumeDevices(Request[Resumed]):
    """Lift a pause that a person ordered."""

    do: Literal["supervision.resume"] = "supervision.resume"
    account: Text
    receiver: Words | None = None
    line: Words | None = None
    device: Words = ""
    dry_run: bool = False
