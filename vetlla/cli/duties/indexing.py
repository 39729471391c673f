"""``vetlla duties reindex``: makes the index of duties again after a change of the kinds or of a limit."""

from __future__ import annotations

from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.kit.registry import CLOCK, without_collector
from vetlla.tasks.duties import index


@with_option_groups
def reindex(
    *,
    options: RuleOptions,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Make the index of duties again, after a change of the kinds or of a parameter of their clocks.

    Without it every answer is right, too, but computed from all events. Other writers wait meanwhile: half a minute for
    three million events.

    Example: vetlla duties reindex
    """
    rules = options.rules()
    without_collector()
    done = index.reindex(state_dir, CLOCK, rules, dry_run=dry_run)
    if as_json:
        print_json({"open": done.open, "loose": done.loose, "dry_run": dry_run})
        return
    dry = " (dry run: nothing was written)" if dry_run else ""
    console().print(f"{done.open} open duties, {done.loose} events that belong to no duty{dry}", soft_wrap=True)
