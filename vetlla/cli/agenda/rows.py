"""How the commands of the agenda show a call, and the load of days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vetlla.cli.kit.moments import to_the_second
from vetlla.cli.kit.output import console
from vetlla.domain.clock import iso

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from vetlla.service.agenda.call import AgendaCall
    from vetlla.tasks.agenda.desk import NextCall

COLUMNS: Final = ("id", "planned", "kind", "home", "person", "level", "by", "attempts", "state", "holder")
BAR: Final = 50
"""Characters of the longest bar."""


def call_fields(call: AgendaCall, now_us: int) -> dict[str, Any]:
    """Return a call for a machine. Times are UTC."""
    duty = call.duty
    return {
        "id": duty.id,
        "kind": duty.kind,
        "ref": duty.ref,
        "home": call.home,
        "person": "" if duty.subject == call.home else duty.subject,
        "level": call.level or None,
        "planned": iso(call.planned_us),
        "next": iso(call.next_us),
        "from": iso(call.first_us),
        "to": iso(call.last_us),
        "attempts": call.attempts,
        "state": call.ended.told.event if call.ended else "open",
        "holder": call.holder if call.is_held(now_us) else "",
        "held_until": iso(call.held_until_us) if call.is_held(now_us) else None,
    }


def call_row(call: AgendaCall, now_us: int) -> dict[str, Any]:
    """Return a call for a table."""
    times = {"planned": call.planned_us, "by": call.last_us}
    return call_fields(call, now_us) | {name: "" if at is None else to_the_second(at) for name, at in times.items()}


def next_fields(found: NextCall, now_us: int) -> dict[str, Any]:
    """Return the call that an operator makes now, for a machine."""
    home = found.home
    return call_fields(found.call, now_us) | {"language": home.language, "phones": list(home.phones)}


def print_bars(load: Mapping[date, int], width: int) -> None:
    """Print a bar for each day, as long as its number; ``width`` is the number of the longest bar."""
    for day, number in load.items():
        bar = "#" * round(BAR * number / max(width, 1))
        console().print(f"{day:%a %d/%m} {number:>7,} {bar}".rstrip(), soft_wrap=True, highlight=False)
