"""A document that is owed, as the events of its duty make it: its period, its proof, and how often it was rejected."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - NamedTuple
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.service.duties.standing import Standing  # noqa: TC001 - NamedTuple

if TYPE_CHECKING:
    from vetlla.domain.duties import DutyEvent

PROOF: Final = ("file", "bytes", "sha256", "receipt")
"""Details of a delivery: name, size and SHA-256 of the file, and the number of the register's receipt."""


class Delivery(NamedTuple):
    """A document for one period."""

    standing: Standing
    period: str
    is_planned: bool
    """Whether the calendar opened it."""
    proof: Mapping[str, str]
    """Details of the last delivery; empty if there was none, or if it was rejected."""
    rejected: int
    """How often it was rejected (tender 20220428, section 17: delivered with errors)."""

    @property
    def code(self) -> str:
        """Code of the document."""
        return self.standing.duty.subject


def delivery(one: Standing) -> Delivery:
    """Return what a duty of the kind ``document`` is about."""
    opening = _details(one.duty.events[0])
    proof: Mapping[str, str] = {}
    rejected = 0
    for event in one.duty.events:
        if event.told.event == "delivered":
            proof = _details(event)
        elif event.told.event == "rejected":
            proof, rejected = {}, rejected + 1
    return Delivery(one, opening.get("period", one.duty.ref), opening.get("planned") == "yes", proof, rejected)


def _details(event: DutyEvent) -> Mapping[str, str]:
    return event.told.detail
