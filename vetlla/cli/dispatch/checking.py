"""``vetlla dispatch check``: whether an emergency is late or without a unit, for monitoring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.dispatch.escalating import escalate
from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.findings import print_check, read_or_unknown
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.registry import CLOCK
from vetlla.service.dispatch.checking import check, contradictions
from vetlla.store.registry.registry import must_exist
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.dispatch import figures, looking

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.domain.findings import Finding

Escalate = Annotated[
    bool, typer.Option("--escalate", help="Put alarms of emergencies without a unit before a supervisor.")
]


@with_option_groups
def check_emergencies(
    with_escalation: Escalate = False,
    *,
    options: RuleOptions,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Check the open emergencies, as a monitoring plug-in.

    With --escalate it also puts the alarm of an emergency that has had no unit for that long before a supervisor: once
    for each emergency, in the receiver's queue. The user needs the right to work alarms.

    Exit status: 0 all have a unit and time, 1 a limit is near (parameter umo.warn_minutes), or an event of the last 31
    days contradicts another one of its emergency, 2 a limit has passed, or an
    emergency has had no unit for longer than umo.escalate_minutes, 3 unknown, because the registry cannot be read.

    Example: vetlla dispatch check
    """
    found, said = read_or_unknown(
        "dispatch",
        "the emergencies cannot be read",
        lambda: _findings(options, state_dir, with_escalation=with_escalation),
    )
    print_check("DISPATCH", found, said, as_json=as_json)


def _findings(options: RuleOptions, state_dir: Path, *, with_escalation: bool) -> tuple[list[Finding], str]:
    rules, now_us = options.rules(), CLOCK.now().utc_us
    must_exist(state_dir)
    with snapshot(state_dir, CLOCK) as connection:
        lines = looking.lines(connection, rules, now_us)
        marks = figures.marks(rules, now_us)
        recent = looking.recent(connection, rules, now_us)
    found = check(lines, marks) + contradictions(recent, rules.calendar.shown)
    if with_escalation:
        found += escalate(rules, state_dir, lines, marks)
    waiting = [line.emergency for line in lines if line.emergency.waits]
    without = sum(not one.unit for one in waiting)
    return found, f"{len(waiting)} wait for a unit to get in, {without} of them have none"
