"""How ``vetlla visits`` shows a visit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vetlla.cli.kit.duty_rows import duty_fields, state_text
from vetlla.cli.kit.moments import to_the_second
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.domain.clock import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.service.duties.standing import Standing
    from vetlla.service.visits.visit import HomeVisit

COLUMNS = ("id", "from", "to", "base", "technician", "home", "purpose", "minutes", "state", "verdict", "for")


def visit_fields(visit: HomeVisit) -> dict[str, Any]:
    """Return a visit for a machine: the fields of its duty, and its own. Times are UTC."""
    return {
        **duty_fields(visit.standing),
        "home": visit.home,
        "base": visit.base,
        "technician": visit.technician,
        "purpose": visit.purpose.value,
        "minutes": visit.minutes,
        "from": iso(visit.begin_us),
        "to": iso(visit.end_us),
        "state": visit.state.value,
        "for": list(visit.duties),
    }


def visit_row(visit: HomeVisit) -> dict[str, Any]:
    """Return a visit for a table."""
    times = {"from": to_the_second(visit.begin_us), "to": to_the_second(visit.end_us)}
    return {
        "id": visit.id,
        **times,
        "base": visit.base,
        "technician": visit.technician,
        "home": visit.home,
        "purpose": visit.purpose.value,
        "minutes": visit.minutes,
        "state": visit.state.value,
        "verdict": visit.standing.verdict.value,
        "for": " ".join(map(str, visit.duties)),
    }


def print_visit(
    visit: HomeVisit, duties: Sequence[Standing], *, as_json: bool, warnings: Sequence[str] | None = None
) -> None:
    """Print a visit after a change, and the duties that changed with it; warnings are messages for a person."""
    if as_json:
        changed = {"duties": [duty_fields(one) for one in duties]}
        print_json(visit_fields(visit) | changed | ({} if warnings is None else {"warnings": list(warnings)}))
        return
    out = console()
    who = f"{visit.base} {visit.technician}".strip()
    when = f"{to_the_second(visit.begin_us)} to {to_the_second(visit.end_us)}"
    out.print(
        f"visit {visit.id} of {visit.home} ({visit.purpose}, {who}), {when}: {visit.state}, {visit.standing.verdict}",
        soft_wrap=True,
    )
    for one in duties:
        out.print(f"  {one.duty.kind} {one.duty.id} of {one.duty.subject}: {state_text(one)}", soft_wrap=True)
    for warning in warnings or ():
        talk().print(f"warning: {warning}", style="yellow", soft_wrap=True)
