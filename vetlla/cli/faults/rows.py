"""How ``vetlla faults`` shows a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vetlla.cli.kit.duty_rows import duty_fields, duty_row
from vetlla.service.visits.visit import details_of
from vetlla.tasks.faults.book import device_of

if TYPE_CHECKING:
    from vetlla.service.duties.standing import Standing

COLUMNS = ("id", "home", "base", "device", "zone", "code", "opened", "due", "ended", "verdict", "alarm", "ref")


def fault_fields(one: Standing) -> dict[str, Any]:
    """Return a fault for a machine: the fields of its duty, and its own."""
    return duty_fields(one) | _own(one)


def fault_row(one: Standing) -> dict[str, Any]:
    """Return a fault for a table."""
    return duty_row(one) | _own(one)


def _own(one: Standing) -> dict[str, Any]:
    details = details_of(one.duty)
    return {
        "home": one.duty.subject,
        "base": details.get("base", ""),
        **device_of(one)._asdict(),
        "alarm": details.get("alarm", ""),
    }
