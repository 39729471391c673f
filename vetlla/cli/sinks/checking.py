"""``vetlla sinks check``: whether signals reach the other systems, for monitoring."""

from __future__ import annotations

from vetlla.checks.sinks import of_running
from vetlla.cli.kit.control import ask
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.findings import fields
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, print_json
from vetlla.domain.errors import AccessError, LinkError
from vetlla.domain.findings import Finding, Level, of_error, worst
from vetlla.receiver.control.messages.sinks import ListSinks


def check(
    *,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Check that each sink sends, as a monitoring plug-in.

    Exit status: 0 all sinks send in time, 1 a sink is paused or late, 2 a sink is blocked, or late because its peer is
    away, 3 unknown, because no receiver answers.

    Example: vetlla sinks check
    """
    try:
        sinks = ask(state_dir, ListSinks())["sinks"]
    except (LinkError, AccessError) as error:
        told = of_error("sinks", error)
        found = [Finding(check="sinks", level=Level.UNKNOWN, text=told.text, remedy=told.remedy)]
        head = "no receiver answers"
    else:
        found = [of_running(one) for one in sinks]
        head = f"{len(sinks)} sinks"
    level = worst(found)
    with verdict(level):
        if as_json:
            for one in found:
                print_json(fields(one))
            return
        out = console()
        out.print(f"SINKS {level.name}: {head}", soft_wrap=True)
        for one in found:
            remedy = f" -> {one.remedy}" if one.remedy else ""
            out.print(f"{one.level.name} {one.check}: {one.text}{remedy}", soft_wrap=True)
