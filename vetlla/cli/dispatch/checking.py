"""``vetlla dispatch check``: whether an emergency is late or without a unit, for monitoring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.dispatch.escalating import escalate
from vetlla.cli.kit.duty_view import DutyFigures, DutyView
from vetlla.cli.kit.findings import print_check, read_or_unknown
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.service.dispatch.checking import check, contradictions, doubtful
from vetlla.store.registry.registry import must_exist
from vetlla.tasks.dispatch import figures, looking

if TYPE_CHECKING:
    from vetlla.domain.findings import Finding

Escalate = Annotated[
    bool, typer.Option("--escalate", help="Put alarms of emergencies without a unit before a supervisor.")
]


@with_option_groups
def check_emergencies(
    with_escalation: Escalate = False,
    *,
    view: DutyFigures,
) -> None:
    """Check the open emergencies, as a monitoring plug-in.

    With --escalate it also puts the alarm of an emergency that has had no unit for that long before a supervisor: once
    for each emergency, in the receiver's queue. The user needs the right to work alarms.

    Exit status: 0 all have a unit and time, 1 a limit is near (parameter umo.warn_minutes), an event of the last 31
    days contradicts another one of its emergency or is told of a unit that was not sent, an emergency began while
    another one of its home waited, or nothing was recorded of an open one for a day, 2 a limit has
    passed, or an emergency has had no unit for longer than umo.escalate_minutes, 3 unknown, because the registry cannot
    be read.

    Example: vetlla dispatch check
    """
    found, said = read_or_unknown(
        "dispatch",
        "the emergencies cannot be read",
        lambda: _findings(view, with_escalation=with_escalation),
    )
    print_check("DISPATCH", found, said, as_json=view.as_json)


def _findings(view: DutyView, *, with_escalation: bool) -> tuple[list[Finding], str]:
    must_exist(view.state_dir)
    with view.reading() as (connection, rules, now_us):
        lines = looking.lines(connection, rules, now_us)
        marks = figures.marks(rules, now_us)
        recent = looking.recent(connection, rules, now_us)
    found = check(lines, marks) + contradictions(recent, rules.calendar.shown)
    found += doubtful(recent, rules.calendar.shown)
    if with_escalation:
        found += escalate(rules, view.state_dir, lines, marks)
    waiting = [line.emergency for line in lines if line.emergency.waits and not line.has_no_news]
    without = sum(not one.unit for one in waiting)
    no_news = sum(line.has_no_news for line in lines)
    said = f"{len(waiting)} wait for a unit to get in, {without} of them have none"
    return found, f"{said}; nothing was recorded of {no_news} others for a day" if no_news else said
