"""``vetlla duties check``: whether a clock has run out or is about to, for monitoring."""

from __future__ import annotations

from typing import Annotated

import typer

from vetlla.cli.kit.duty_rows import event_fields, print_events
from vetlla.cli.kit.duty_view import DutyView
from vetlla.cli.kit.findings import print_check, read_or_unknown
from vetlla.cli.kit.moments import duration
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.output import print_json
from vetlla.cli.kit.registry import without_collector
from vetlla.domain.clock import SECOND_US
from vetlla.domain.findings import Finding, Level
from vetlla.service.duties.checking import Margins, check
from vetlla.store.registry.registry import must_exist
from vetlla.tasks.duties import looking
from vetlla.tasks.duties.index import needs_reindex

DAY_S = 86_400.0


@with_option_groups
def check_clocks(
    kind: Annotated[list[str] | None, typer.Option("--kind", help="Only this kind; several times for several.")] = None,
    ahead: Annotated[
        float, duration("--within", help="A clock is about to run out if it does so within this. Default: 1d.", unit="")
    ] = DAY_S,
    behind: Annotated[
        float, duration("--for", help="How long a clock that ran out is CRITICAL. Default: 1d.", unit="")
    ] = DAY_S,
    loose: Annotated[bool, typer.Option("--loose", help="List the events that belong to no duty, and stop.")] = False,
    *,
    view: DutyView,
) -> None:
    """Check the clocks of the open duties, as a monitoring plug-in.

    A clock in minutes or hours is about to run out when less than a quarter of it is left. Duties whose clock ran out
    longer ago are counted, and vetlla duties list --open --verdict breached has them.

    Exit status: 0 all clocks have time, 1 one is about to run out, an event belongs to no duty, or vetlla duties
    reindex is needed, 2 one has run out, 3 unknown, because the registry or the rules cannot be read.

    Example: vetlla duties check --kind fault --within 4h
    """
    if loose:
        _list_loose(view)
        return
    without_collector()
    margins = Margins(round(ahead * SECOND_US), round(behind * SECOND_US))
    found, said = read_or_unknown("duties", "the duties cannot be read", lambda: _findings(view, kind or [], margins))
    print_check("DUTIES", found, said, as_json=view.as_json)


def _findings(view: DutyView, kinds: list[str], margins: Margins) -> tuple[list[Finding], str]:
    must_exist(view.state_dir)
    with view.reading() as (connection, rules, now_us):
        standings = looking.due(connection, rules, kinds, now_us + margins.ahead_us, now_us)
        found, old = check(standings, margins, now_us)
        loose = 0 if kinds else len(looking.loose(connection, rules))
        is_stale = needs_reindex(connection, rules)
    if loose:
        text = f"{loose} events belong to no duty"
        found.append(Finding(check="loose", level=Level.WARNING, text=text, remedy="vetlla duties check --loose"))
    if is_stale:
        text = "the index is of other kinds or parameters, so that every look at the duties computes all of them"
        found.append(Finding(check="index", level=Level.WARNING, text=text, remedy="vetlla duties reindex"))
    run_out = sum(one.level is Level.CRITICAL for one in found)
    return found, f"{run_out} have run out, {len(found) - run_out} warnings, {old} ran out longer ago"


def _list_loose(view: DutyView) -> None:
    with view.reading() as (connection, rules, _):
        events = looking.loose(connection, rules)
    rows = [event_fields(event) | {"kind": event.told.kind, "subject": event.told.subject} for event in events]
    if view.as_json:
        for row in rows:
            print_json(row)
    elif rows:
        print_events(row | {"ref": f"{row['kind']} {row['subject']} {row['ref']}".strip()} for row in rows)
