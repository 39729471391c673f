"""``vetlla dispatch check``: whether an emergency is late or without a unit, for monitoring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.cli.dispatch.rows import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.findings import fields
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.kit.registry import CLOCK
from vetlla.domain.errors import AccessError, ConfigError, StoreError, UsageError
from vetlla.domain.findings import Finding, Level, of_error, worst
from vetlla.service.dispatch.checking import check
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.dispatch import figures, looking

if TYPE_CHECKING:
    from pathlib import Path


@with_option_groups
def check_emergencies(
    options: RuleOptions,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Check the open emergencies, as a monitoring plug-in.

    Exit status: 0 all have a unit and time, 1 a limit is near (parameter umo.warn_minutes), 2 a limit has passed, or an
    emergency has had no unit for longer than umo.escalate_minutes, 3 unknown, because the registry cannot be read.

    Example: vetlla dispatch check
    """
    found, said = _findings(options, state_dir)
    level = worst(found)
    with verdict(level):
        if as_json:
            for one in found:
                print_json(fields(one))
            return
        console().print(f"DISPATCH {level.name}: {said}", soft_wrap=True)
        for one in found:
            console().print(f"{one.level.name} {one.text} -> {one.remedy}", soft_wrap=True)


def _findings(options: RuleOptions, state_dir: Path) -> tuple[list[Finding], str]:
    try:
        rules, now_us = options.rules(), CLOCK.now().utc_us
        with snapshot(state_dir, CLOCK) as connection:
            lines = looking.lines(connection, rules, now_us)
            found = check(lines, figures.marks(rules, now_us))
    except (StoreError, ConfigError, AccessError, UsageError, PermissionError) as error:
        unread = of_error("dispatch", error)
        unknown = Finding(check=unread.check, level=Level.UNKNOWN, text=unread.text, remedy=unread.remedy)
        return [unknown], "the emergencies cannot be read"
    waiting = [line.emergency for line in lines if line.emergency.waits]
    without = sum(not one.unit for one in waiting)
    return found, f"{len(waiting)} wait for a unit to get in, {without} of them have none"
