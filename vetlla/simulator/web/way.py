"""What goes wrong between a client and a server, whichever server it is.

Faults are values that may change while the simulator runs. ``on`` limits the faults of the way to one method, and
``left`` to a number of calls.
"""

from __future__ import annotations

from http import HTTPMethod  # noqa: TC003 - pydantic reads it
from typing import Annotated, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field

LOOPBACK: Final = "127.0.0.1"
"""The address that only this machine reaches."""
MOST_S: Final = 3_600.0
"""Longest delay. A client gives up within minutes."""
Seconds = Annotated[float, Field(ge=0, le=MOST_S)]


class WayFaults(BaseModel):
    """How the way to a server behaves. Without changes it is well."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    WAY: ClassVar[tuple[str, ...]] = ("delay_s", "cut_before", "cut_after", "silent_after", "status", "not_json")
    """The fields that ``on`` and ``left`` concern."""

    delay_s: Seconds = 0.0
    """Seconds before the call is looked at: a slow VPN."""
    cut_before: bool = False
    """The connection breaks before the call is looked at."""
    cut_after: bool = False
    """The call is carried out, and the connection breaks before the answer."""
    silent_after: bool = False
    """The call is carried out, and no answer comes."""
    status: Annotated[int, Field(ge=0, le=599)] = 0
    """Every call has this status instead of an answer: 401, 500, 503; 0 for none."""
    not_json: bool = False
    """The answer is cut off in the middle."""

    on: HTTPMethod | None = None
    """The method that the faults of the way concern; None for all."""
    left: Annotated[int, Field(ge=0)] = 0
    """How many more calls they concern; 0 for no end."""

    def of_call(self, method: str) -> Self:
        """Return the faults of one call, which counts as one of ``left``; after the last one, the way is well again."""
        well = {name: type(self).model_fields[name].default for name in self.WAY}
        if self.on not in {None, method} or all(getattr(self, name) == value for name, value in well.items()):
            return self.model_copy(update=well)
        now = self.model_copy()
        if self.left == 1:
            for name, value in well.items():
                setattr(self, name, value)
        self.left = max(0, self.left - 1)
        return now
