"""``vetlla visits schedule``, ``move``, ``arrived``, ``done``, ``absent`` and ``cancel``."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from vetlla.cli.kit.duty_rows import Entry, promised
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.visits.rows import print_visit
from vetlla.domain.column_types import NUMBER_MAX
from vetlla.domain.errors import UsageError
from vetlla.service.visits.visit import KIND, VisitPurpose
from vetlla.tasks.visits import scheduling
from vetlla.tasks.visits.acts import COMPLETED, act
from vetlla.tasks.visits.scheduling import MINUTES_MAX, VisitOrder

VisitNumber = Annotated[int, typer.Argument(metavar="ID", min=1, max=NUMBER_MAX, help="Number of the visit.")]
Begin = Annotated[str, typer.Option("--from", metavar="TIME", help="Begin of the interval that is promised.")]
End = Annotated[str, typer.Option("--to", metavar="TIME", help="End of the interval that is promised.")]
Technician = Annotated[str, typer.Option("--technician", metavar="CODE", help="Code of the technician.")]
Wider = Annotated[bool, typer.Option("--wider", help="Record an interval that is wider than may be promised.")]


@with_option_groups
def schedule(
    home: Annotated[str, typer.Argument(metavar="HOME", help="The home's code.")],
    begin: Begin,
    end: End,
    base: Annotated[str, typer.Option("--base", help="The base that makes it. Default: the base of the home.")] = "",
    technician: Technician = "",
    purpose: Annotated[
        VisitPurpose | None,
        typer.Option("--purpose", help="What it is for. Default: what the duties are about, else other."),
    ] = None,
    duties: Annotated[
        list[int] | None,
        typer.Option(
            "--for",
            metavar="DUTY",
            min=1,
            max=NUMBER_MAX,
            help="Number of the duty that it is for; several times for several. Default: the only open one.",
        ),
    ] = None,
    minutes: Annotated[
        int,
        typer.Option(
            "--minutes", min=0, max=MINUTES_MAX, help="Time of the technician. Default: parameter visit.minutes."
        ),
    ] = 0,
    wider: Wider = False,
    *,
    entry: Entry,
) -> None:
    """Promise a home an interval for a visit, and record on the duty that it is for that a visit is scheduled.

    Example: vetlla visits schedule H000123 --from 2026-12-03T09:00 --to 2026-12-03T10:30 --purpose fault
    """
    desk = entry.desk("visits schedule")
    order = VisitOrder(
        promised(entry.told(KIND, home, "scheduled"), desk.rules, begin, end),
        base,
        technician,
        purpose,
        duties or (),
        minutes,
        wider,
    )
    done = scheduling.schedule(desk, order)
    print_visit(done.visit, done.duties, as_json=entry.as_json, warnings=done.warnings)


@with_option_groups
def move(
    number: VisitNumber,
    begin: Begin,
    end: End,
    technician: Technician = "",
    by_user: Annotated[bool, typer.Option("--by-user", help="The user asked for it.")] = False,
    wider: Wider = False,
    *,
    entry: Entry,
) -> None:
    """Promise another interval for a visit. It counts if the interval before it had not ended.

    Example: vetlla visits move 4711 --from 2026-12-04T16:00 --to 2026-12-04T17:30 --by-user
    """
    desk = entry.desk("visits move")
    told = promised(entry.told(KIND, "", "moved"), desk.rules, begin, end)
    done = scheduling.move(desk, number, told, technician=technician, by_user=by_user, wider=wider)
    print_visit(done.visit, done.duties, as_json=entry.as_json, warnings=done.warnings)


@with_option_groups
def arrived(number: VisitNumber, entry: Entry) -> None:
    """Record that the technician arrived, which decides whether the promised interval was kept.

    Example: vetlla visits arrived 4711 --at 2026-12-03T09:20
    """
    _act(number, "arrived", entry)


class VisitResult(NamedTuple):
    """Options that say that the work of a visit is done."""

    solved: Annotated[bool, typer.Option("--solved", help="The fault is solved.")] = False
    installed: Annotated[bool, typer.Option("--installed", help="The equipment is installed.")] = False
    recovered: Annotated[bool, typer.Option("--recovered", help="The equipment is recovered.")] = False
    completed: Annotated[bool, typer.Option("--completed", help="The work is done, whatever it was.")] = False

    def event(self) -> str:
        """Return the chosen result; "" without one. Raises UsageError for two."""
        chosen = [name for name, value in self._asdict().items() if value]
        if len(chosen) > 1:
            raise UsageError(f"--{chosen[0]} and --{chosen[1]} are two results", remedy="give one; or --completed")
        return COMPLETED if chosen == ["completed"] else "".join(chosen)


@with_option_groups
def done(number: VisitNumber, result: VisitResult, *, entry: Entry) -> None:
    """Record that a visit is over. With a result, it ends the duties that it was for, too.

    Example: vetlla visits done 4711 --solved --at 2026-12-03T10:05
    """
    _act(number, "done", entry, result.event())


@with_option_groups
def absent(number: VisitNumber, entry: Entry) -> None:
    """Record that the technician came and the user was not at home. It ends the visit, and not what it was for.

    Example: vetlla visits absent 4711 --at 2026-12-03T09:20
    """
    _act(number, "absent", entry)


@with_option_groups
def cancel(number: VisitNumber, entry: Entry) -> None:
    """Call a visit off; --reason is needed. What it was for stays open.

    Example: vetlla visits cancel 4711 --reason "the user is in hospital"
    """
    if not entry.note:
        raise UsageError("a visit is not called off without a reason", remedy="--reason TEXT, without personal data")
    _act(number, "cancelled", entry)


def _act(number: int, event: str, entry: Entry, result: str = "") -> None:
    desk = entry.desk(f"visits {'cancel' if event == 'cancelled' else event}")
    acted = act(desk, number, entry.told(KIND, "", event), result=result)
    print_visit(acted.visit, acted.duties, as_json=entry.as_json, warnings=acted.warnings)
