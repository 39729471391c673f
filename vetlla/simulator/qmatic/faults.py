"""What goes wrong at a Qmatic Orchestra: each fault was seen in public clients, recordings or gateways.

Faults are values that may change while the simulator runs. ``on`` limits the faults of the way (those from ``delay_s``
on) to one method, and ``left`` to a number of calls.
"""

from __future__ import annotations

from enum import StrEnum
from http import HTTPMethod  # noqa: TC003 - pydantic reads it
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_S: Final = 3_600.0
"""Longest delay. A client gives up within minutes."""


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


class OrchestraFaults(BaseModel):
    """How this Orchestra behaves. Without changes it is as recorded, and well."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

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
    stale_s: Annotated[float, Field(ge=0, le=MOST_S)] = 0.0
    """For so long the gateway gives the first answer to a path again."""
    stale_ignores_query: bool = False
    """The gateway's cache does not look at the query: the default of qmatic/api-gateway."""

    delay_s: Annotated[float, Field(ge=0, le=MOST_S)] = 0.0
    """Seconds before the call is looked at: a slow VPN."""
    cut_before: bool = False
    """The connection breaks before the call is looked at."""
    cut_after: bool = False
    """The call is carried out, and the connection breaks before the answer."""
    silent_after: bool = False
    """The call is carried out, and no answer comes."""
    status: Annotated[int, Field(ge=0, le=599)] = 0
    """Every call has this status instead of an answer: 401, 500, 503; 0 for none."""
    error_code: str = ""
    """With ``status``: the header ``error_code``."""
    login_page: bool = False
    """A page of HTML with the status 200."""
    redirect: bool = False
    """A redirect to a login page."""
    not_json: bool = False
    """The answer is cut off in the middle."""

    on: HTTPMethod | None = None
    """The method that the faults from ``delay_s`` on concern; None for all."""
    left: Annotated[int, Field(ge=0)] = 0
    """How many more calls they concern; 0 for no end."""

    def of_call(self, method: str) -> OrchestraFaults:
        """Return the faults of one call, which counts as one of ``left``; after the last one, the way is well again."""
        if self.on not in {None, method} or not self._is_on_the_way():
            return self.model_copy(update=_NONE)
        now = self.model_copy()
        if self.left == 1:
            for name, value in _NONE.items():
                setattr(self, name, value)
        self.left = max(0, self.left - 1)
        return now

    def _is_on_the_way(self) -> bool:
        return any(getattr(self, name) != value for name, value in _NONE.items())


_NONE: Final = {
    name: OrchestraFaults.model_fields[name].default
    for name in ("delay_s", "cut_before", "cut_after", "silent_after", "status", "login_page", "redirect", "not_json")
}
"""The faults of the way, as they are without a fault."""
