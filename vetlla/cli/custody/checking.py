"""``vetlla custody check`` and ``left``: keys that must be looked at, and keys of homes that left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.duty_rows import RuleOptions, duty_fields, state_text
from vetlla.cli.kit.duty_view import DutyView
from vetlla.cli.kit.findings import print_check, read_or_unknown
from vetlla.cli.kit.moments import Utc, duration
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.kit.registry import CLOCK, Day, past, without_collector
from vetlla.domain.clock import HOUR_US, SECOND_US
from vetlla.service.custody.checking import CustodyCheck, CustodyLimits, check
from vetlla.store.homes import queries as stored_homes
from vetlla.store.registry.registry import must_exist
from vetlla.store.registry.transaction import transaction
from vetlla.tasks.custody import leaving, register
from vetlla.tasks.duties.book import Recording

if TYPE_CHECKING:
    from vetlla.domain.findings import Finding

RECENT_S = 30 * 86_400.0
"""How long a very grave fault is CRITICAL by default: until the month's meeting with the city has seen it."""


class _Found(NamedTuple):
    checked: CustodyCheck
    alone_without: int
    """Homes of people who live alone that have no key in custody."""


@with_option_groups
def check_keys(
    recent: Annotated[
        float, duration("--for", help="How long a very grave fault is CRITICAL. Default: 30d.", unit="")
    ] = RECENT_S,
    *,
    view: DutyView,
) -> None:
    """Check the keys in custody, as a monitoring plug-in.

    It reports keys that are out for longer than custody.out_max, keys that were lost, used without an emergency or used
    for an alarm that does not exist or is of another home. It also reports keys of homes that left, places with two
    keys, and events that were not possible. Attended homes of people who live alone without a key in custody are only
    counted.

    Exit status: 0 all well, 1 warnings, 2 critical, 3 unknown, because the registry or the rules cannot be read.

    Example: vetlla custody check --for 7d
    """
    without_collector()
    findings, said = read_or_unknown(
        "custody", "the keys cannot be read", lambda: _findings(view, round(recent * SECOND_US))
    )
    print_check("CUSTODY", findings, said, as_json=view.as_json)


def _findings(view: DutyView, recent_us: int) -> tuple[list[Finding], str]:
    found = _found(view, recent_us)
    checked = found.checked
    said = (
        f"{checked.keys} keys in custody, {checked.out} out, {checked.lost} lost, {checked.older} older faults,"
        f" {checked.unchecked} uses for an alarm that was not looked up;"
        f" {found.alone_without} homes of people alone without a key"
    )
    return checked.findings, said


def _found(view: DutyView, recent_us: int) -> _Found:
    must_exist(view.state_dir)
    with view.reading() as (connection, rules, now_us):
        day = rules.calendar.date_of(now_us)
        limits = CustodyLimits(rules.parameters.on(day).integer("custody.out_max", least=1) * HOUR_US, recent_us)
        every = list(register.keys(connection, rules))
        homes = stored_homes.homes(connection)
        left = leaving.unopened(connection, rules, leaving.owed(homes, every, day))
        returns = leaving.open_returns(connection, rules, now_us)
    with_key = {key.home for key in every if key.in_custody}
    alone = sum(home.alone and home.code not in with_key and home.active_on(day) for home in homes.values())
    return _Found(check(every, returns, [one.key.code for one in left], limits, now_us), alone)


@with_option_groups
def left(
    day: Day = None,
    *,
    options: RuleOptions,
    dry_run: DryRun = False,
    _utc: Utc = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Open the duty to return each key of a home that left before --day, and to destroy it if it was not returned.

    It may run each night: a duty that is open already stays. It calls off the duties of homes that came back.

    Example: vetlla custody left
    """
    rules = options.rules()
    now_us = CLOCK.now().utc_us
    on = past(day) if day else rules.calendar.date_of(now_us)
    with transaction(state_dir, CLOCK, dry_run=dry_run) as connection:
        done = leaving.settle(connection, rules, on, actor(), Recording(now_us, register.LEAVING))
    changes = (("opened", done.opened), ("cancelled", done.cancelled), ("ended", done.ended))
    for what, standings in changes:
        for one in standings:
            if as_json:
                print_json({"change": what} | duty_fields(one))
            else:
                duty = one.duty
                console().print(f"{what}: {duty.kind} {duty.ref} of {duty.subject}: {state_text(one)}", soft_wrap=True)
