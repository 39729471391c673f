"""``vetlla visits from-plan``."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.moments import as_day
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.registry import CLOCK, background_priority, today, working
from vetlla.domain.errors import UsageError
from vetlla.service.visits.visit import VisitPurpose
from vetlla.tasks.duties.desk import DutyDesk
from vetlla.tasks.visits.from_plan import PURPOSES
from vetlla.tasks.visits.from_plan import from_plan as make


@with_option_groups
def from_plan(
    purposes: Annotated[
        list[VisitPurpose] | None,
        typer.Option("--purpose", help="Only these duties: renewal, maintenance, removal, follow_up_visit."),
    ] = None,
    until: Annotated[
        date | None,
        typer.Option(
            "--to", parser=as_day, metavar="YYYY-MM-DD", help="Last day. Default: that of the plan, else in a year."
        ),
    ] = None,
    dry_run: DryRun = False,
    *,
    options: RuleOptions,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Open the duties that follow from the plan of renewals, from upkeep, and from homes that left or stay.

    Running it again opens nothing twice; run it each night, and after vetlla renewals plan.

    Example: vetlla visits from-plan --to 2027-03-31 --dry-run
    """
    chosen = tuple(purposes or PURPOSES)
    if wrong := [purpose for purpose in chosen if purpose not in PURPOSES]:
        raise UsageError(f"no {wrong[0]} follows from a plan", remedy=f"one of {', '.join(PURPOSES)}")
    background_priority()
    desk = DutyDesk(state_dir, CLOCK, options.rules(), "vetlla visits from-plan", dry_run)
    with working("making duties"):
        made = make(desk, today(), by=actor(), purposes=chosen, until=until)
    rows = [
        {"kind": one.value, "opened": made.opened[one], "known": made.known[one], "ended": made.ended[one]}
        for one in chosen
    ]
    if as_json:
        for row in rows:
            print_json(row | {"to": str(made.until), "dry_run": dry_run})
        return
    print_rows(rows, ("kind", "opened", "known", "ended"), as_json=False)
    dry = " (dry run: nothing was written)" if dry_run else ""
    console().print(f"duties up to {made.until}{dry}", soft_wrap=True)
