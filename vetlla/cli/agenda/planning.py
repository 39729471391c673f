"""``vetlla agenda plan``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.agenda.rows import print_bars
from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.moments import Utc, as_month, moment
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows, talk
from vetlla.cli.kit.registry import CLOCK, without_collector
from vetlla.tasks.agenda.planning import plan

if TYPE_CHECKING:
    from datetime import date

    from vetlla.tasks.agenda.planning import PlannedMonth

SHOWN = 20
"""Most calls without a day that a person is shown; --json shows every one."""
Month = Annotated[Any, typer.Option("--month", parser=as_month, metavar="YYYY-MM", help="The month.")]


@with_option_groups
def plan_month(
    month: Month,
    at: Annotated[
        str,
        typer.Option("--at", metavar="TIME", help="Plan as of this earlier time, for a past that is typed in later."),
    ] = "",
    *,
    options: RuleOptions,
    dry_run: DryRun = False,
    _utc: Utc = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Plan the follow-up and revaluation calls of a month, evenly over its working days and hours.

    Planning again changes nothing, except that homes that are new get their calls, and those that have left or are
    suspended have theirs called off. Let cron plan the present month every morning, and the next one before it begins.

    Exit status: 0 planned, 1 planned, but for some calls no working day is left.

    Example: vetlla agenda plan --month 2026-12
    """
    rules = options.rules()
    without_collector()
    now_us = CLOCK.now().utc_us
    done = plan(state_dir, CLOCK, rules, month, by=actor(), at_us=moment(at, now_us) if at else None, dry_run=dry_run)
    if as_json:
        print_json(_fields(month, done) | {"dry_run": dry_run})
    else:
        _tell(done, dry_run=dry_run)
    if done.late:
        talk().print(
            f"for {len(done.late)} calls no working day is left in their time: they were not planned;"
            " plan a month before it begins",
            soft_wrap=True,
        )
        raise typer.Exit(1)


def _fields(month: date, done: PlannedMonth) -> dict[str, Any]:
    return {
        "month": f"{month:%Y-%m}",
        "new": sum(done.new.values()),
        "by_level": [
            {"kind": kind, "level": level, "new": number} for (kind, level), number in sorted(done.new.items())
        ],
        "replaced": done.replaced,
        "moved": done.moved,
        "called_off": dict(sorted(done.off.items())),
        "kept": done.kept,
        "joined": done.joined,
        "late": [{"kind": one.kind, "subject": one.subject, "to": str(one.last)} for one in done.late],
        "load": {str(day): number for day, number in done.load.items()},
    }


def _tell(done: PlannedMonth, *, dry_run: bool) -> None:
    out = console()
    dry = " (dry run: nothing was written)" if dry_run else ""
    off = "".join(f", {number} called off ({cause})" for cause, number in sorted(done.off.items()))
    moved = f", {done.moved} moved" if done.moved else ""
    joined = f", {done.joined} duties towards people who joined" if done.joined else ""
    out.print(
        f"{done.month.name}: {sum(done.new.values())} calls planned, {done.replaced} follow-ups replaced,"
        f" {done.kept} unchanged{moved}{off}{joined}{dry}",
        soft_wrap=True,
    )
    rows = ({"kind": kind, "level": level, "calls": number} for (kind, level), number in sorted(done.new.items()))
    print_rows(rows, ("kind", "level", "calls"), as_json=False)
    if done.new or done.moved:
        print_bars(done.load, max(done.load.values()))
    for one in done.late[:SHOWN]:
        out.print(f"no working day is left: {one.kind} of {one.subject}, by {one.last}", soft_wrap=True)
    if len(done.late) > SHOWN:
        out.print(f"{len(done.late) - SHOWN} more: --json shows all")
