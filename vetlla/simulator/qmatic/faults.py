"""What goes wrong at a Qmatic Orchestra: each fault was seen in public clients, recordings or gateways."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from vetlla.simulator.web.way import Seconds, WayFaults


class TimeForm(StrEnum):
    """How the calendar writes start and end."""

    PLAIN = "+0000"
    """``2026-11-24T09:30:00.000+0000``, as recorded in 2016."""
    COLON = "+00:00"
    """As recorded in 2023."""
    LOCAL = "local"
    """The wall clock of the branch, without an offset."""
    EPOCH = "epoch"
    """Milliseconds since 1970, as ``created`` and ``updated`` are."""


class Gone(StrEnum):
    """How the calendar answers for an appointment that does not exist."""

    PLAIN = "404"
    HEADER = "500+E142"
    """Status 500 and the header ``error_code: E142``."""


class Custom(StrEnum):
    """What the field ``custom`` of an appointment holds."""

    WHOLE = "whole"
    BROKEN = "broken"
    """JSON that a quotation mark breaks, as the booking app makes it."""
    NULL = "null"
    EMPTY = "empty"


class OrchestraFaults(WayFaults):
    """How this Orchestra behaves. Without changes it is as recorded, and well."""

    WAY: ClassVar[tuple[str, ...]] = (*WayFaults.WAY, "login_page", "redirect")

    time_form: TimeForm = TimeForm.PLAIN
    gone: Gone = Gone.PLAIN
    custom: Custom = Custom.WHOLE
    booked_status: Literal[200, 201, 202] = 202
    """Status of the answer to a booking; 202 was recorded."""
    taken: Literal["500+E440", "404"] = "500+E440"
    """How it says that a slot was taken; 404 in older versions."""
    cancelled_stay: bool = False
    """A cancelled appointment stays in lists with the status 53, instead of being absent."""
    needs_referer: bool = False
    """Changes without the header ``Referer`` are refused (403)."""
    names_branch: bool = True
    """Rows of the internal API have ``branch.id`` besides ``branch.publicId``."""

    empty_list: bool = False
    """Lists are empty, as after a failure behind the gateway."""
    hidden: Annotated[int, Field(ge=0)] = 0
    """How many appointments are missing at the end of a list, while ``totalResults`` counts them."""
    bad_rows: Annotated[int, Field(ge=0)] = 0
    """How many rows at the start of a list have a time that cannot be read."""
    stale_s: Seconds = 0.0
    """For so long the gateway gives the first answer to a path again."""
    stale_ignores_query: bool = False
    """The gateway's cache does not look at the query: the default of qmatic/api-gateway."""

    error_code: str = ""
    """With ``status``: the header ``error_code``."""
    login_page: bool = False
    """A page of HTML with the status 200."""
    redirect: bool = False
    """A redirect to a login page."""
