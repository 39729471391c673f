"""Settings of ``[[source]]``: the systems that keep appointments. docs/reminders-qmatic.md explains each value."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from vetlla.settings.reminders.fields import LIST_MAX
from vetlla.settings.section import AbsolutePath, Secret, Section, Url, Wait, Word, Zone

MAX_FILE_MIB = 1_024
"""Largest file of appointments in mebibytes that an operator may allow."""

Name: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
"""Name of a source. Appointments are remembered by it, so it never changes."""
Path: TypeAlias = Annotated[str, Field(pattern=r"^(/[^\s?#]{0,254})?$")]
"""Path below a url, without a slash at its end; "" for none."""
Names: TypeAlias = Annotated[dict[str, Word], Field(max_length=LIST_MAX)]


class BasicAccess(Section):
    """HTTP Basic with a user of Orchestra; with ``session`` once, and then the cookie that Orchestra answers with."""

    kind: Literal["basic", "session"]
    user: Word
    password_file: Secret


class TokenAccess(Section):
    """The header ``auth-token`` of Qmatic's API Gateway."""

    kind: Literal["auth-token"]
    token_file: Secret


class KeyAccess(Section):
    """The header ``X-Api-Key`` of another maker's gateway."""

    kind: Literal["api-key"]
    key_file: Secret


Access: TypeAlias = Annotated[BasicAccess | TokenAccess | KeyAccess, Field(discriminator="kind")]


class HttpSource(Section):
    """What each source over HTTP has."""

    name: Name
    url: Url
    access: Access | None = None
    referer: Annotated[str, Field(max_length=2_048)] | None = None
    """The header ``Referer``; None for the url's own scheme and host, "" for no header."""
    ca_file: AbsolutePath | None = None
    connect_s: Wait = 10
    answer_s: Wait = 30
    whole_s: Wait = 90
    zone: Zone = "Europe/Madrid"


class CalendarSource(HttpSource):
    """Orchestra's calendar."""

    kind: Literal["orchestra-calendar"]
    root: Path = "/calendar-backend"
    reads: Literal["internal", "public"] = "internal"
    public_ids: Names = Field(default_factory=dict)


class QueueSource(HttpSource):
    """Orchestra's queue side."""

    kind: Literal["orchestra-queue"]
    root: Path = "/rest/appointment"
    calendar_root: Path = "/rest/calendar-backend"
    zones: Annotated[dict[str, Zone], Field(max_length=LIST_MAX)] = Field(default_factory=dict)


class CloudSource(HttpSource):
    """Qmatic Experience Cloud; ``access`` is ``basic`` with the client's id and secret."""

    kind: Literal["qmatic-cloud"]
    account: Word
    search: Annotated[str, Field(max_length=10_000)] = ""
    scopes: Annotated[tuple[Word, ...], Field(min_length=1, max_length=100)] = (
        "com.qmatic.saas.appointments/external.appointment.cancel",
    )


class FilesSource(Section):
    """A file of appointments, or a folder of them."""

    kind: Literal["files"]
    name: Name
    path: AbsolutePath
    zone: Zone = "Europe/Madrid"
    max_file_mib: Annotated[int, Field(ge=1, le=MAX_FILE_MIB)] = 64


Source: TypeAlias = Annotated[CalendarSource | QueueSource | CloudSource | FilesSource, Field(discriminator="kind")]
