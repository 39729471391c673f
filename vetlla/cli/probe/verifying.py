"""``vetlla probe verify``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.moments import to_the_second
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import print_json, print_rows
from vetlla.cli.kit.registry import CLOCK, background_priority, working
from vetlla.cli.probe.looking import Month, first_of
from vetlla.cli.sla.reporting import begun
from vetlla.domain.clock import iso
from vetlla.store.journal.archive import Archive
from vetlla.tasks.probes.times import Within
from vetlla.tasks.probes.verifying import verified
from vetlla.tasks.sla.month import month_record

if TYPE_CHECKING:
    from vetlla.service.probes.matching import Matching

COLUMNS: Final = ("account", "acknowledged", "in_journal", "placed", "missing")
MISSING: Final = ("account", "started", "machine", "component")
NOT_FOUND: Final = 1


@with_option_groups
def verify(
    *,
    month: Month = "",
    options: RuleOptions,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Compare the signals that machines outside saw acknowledged with the journal of this receiver.

    Each must be in the journal. `placed` counts those that the receiver has also told the desks. The clocks of the
    machines may differ by 5 seconds. Older signals are missing if the journal was pruned.

    Exit status: 0 the journal has all of them, 1 one is missing.

    Example: vetlla probe verify --month 2026-11
    """
    background_priority()
    rules = options.rules()
    first = begun(first_of(month, rules), rules, CLOCK.now().utc_us)
    with (
        working(f"comparing the probes of {first:%Y-%m}"),
        month_record(state_dir, CLOCK, rules, first) as record,
        Archive(state_dir) as archive,
    ):
        within = Within(record.begin_us, record.end_us + 1)
        found = list(verified(record.connection, archive, within))
    with verdict(NOT_FOUND if any(one.missing_count for _, one in found) else 0):
        if as_json:
            for account, one in found:
                print_json(_fields(account, one))
            return
        print_rows((_row(*one) for one in found), COLUMNS, as_json=False)
        missing = ((account, probe) for account, one in found for probe in one.missing)
        rows = (
            {
                "account": account,
                "started": to_the_second(probe.started_us),
                "machine": probe.machine,
                "component": probe.component,
            }
            for account, probe in missing
        )
        print_rows(rows, MISSING, as_json=False, title="not in the journal")


def _row(account: str, one: Matching) -> dict[str, Any]:
    return {
        "account": account,
        "acknowledged": one.acknowledged,
        "in_journal": one.in_journal,
        "placed": one.placed,
        "missing": one.missing_count,
    }


def _fields(account: str, one: Matching) -> dict[str, Any]:
    listed = [
        {"started": iso(probe.started_us), "machine": probe.machine, "component": probe.component}
        for probe in one.missing
    ]
    return _row(account, one) | {"listed": listed}
