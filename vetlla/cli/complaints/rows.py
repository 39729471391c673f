"""How a complaint is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.kit.duty_rows import duty_fields, duty_row, state_text
from vetlla.cli.kit.output import console, print_json
from vetlla.domain.clock import iso
from vetlla.domain.column_types import NUMBER_MAX

if TYPE_CHECKING:
    from vetlla.service.complaints.complaint import Complaint

COLUMNS = ("id", "kind", "subject", "opened", "due", "ended", "verdict", "city", "topic", "ref")

ComplaintNumber = Annotated[int, typer.Argument(metavar="ID", min=1, max=NUMBER_MAX, help="Number of the complaint.")]


def complaint_fields(one: Complaint) -> dict[str, Any]:
    """Return a complaint for a machine, without its events."""
    return duty_fields(one.standing) | {
        "topic": one.topic,
        "city": one.city_verdict or None,
        "judged": iso(one.judged.told.at_us) if one.judged else None,
    }


def complaint_row(one: Complaint) -> dict[str, Any]:
    """Return a complaint for a table."""
    return duty_row(one.standing) | {"topic": one.topic, "city": one.city_verdict}


def print_complaint(one: Complaint, *, as_json: bool) -> None:
    """Print a complaint after a change."""
    if as_json:
        print_json(complaint_fields(one))
        return
    duty = one.standing.duty
    city = f", {one.city_verdict.replace('_', ' ')}" if one.city_verdict else ""
    console().print(f"{duty.kind} {duty.id} of {duty.subject}: {state_text(one.standing)}{city}", soft_wrap=True)
