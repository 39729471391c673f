"""``vetlla sla watch``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.findings import print_check, read_or_unknown
from vetlla.cli.kit.moments import Utc, duration, span, to_the_second
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import print_json, print_rows
from vetlla.cli.kit.registry import CLOCK, background_priority, working
from vetlla.cli.sla.reporting import WORDS, part_row
from vetlla.domain.clock import SECOND_US, iso
from vetlla.service.sla.fields import fields
from vetlla.service.sla.levels import LEVELS
from vetlla.store.registry.registry import must_exist
from vetlla.tasks.sla.month import month_record
from vetlla.tasks.sla.watching import findings, watch

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.store.duties.index import OpenDuty
    from vetlla.tasks.sla.watching import LevelWatch

EIGHT_HOURS_S: Final = 28_800.0
COLUMNS: Final = ("ans", "subject", "kept", "of", "value", "required", "verdict", "open", "next", "may fail")
SOON: Final = ("ans", "kind", "duty", "subject", "due")
FORECASTS: Final = ("ans", "expected", "value", "may fail")
ON_SCREEN: Final = 50
"""Clocks that a person is shown; --json shows every one that is listed."""
FIGURES: Final = ("ans", "month", "numerator", "denominator", "value", "threshold", "unit", "verdict", "breaches")


@with_option_groups
def watch_month(
    within: Annotated[
        float, duration("--within", help="A clock runs out soon if it does so within this. Default: 8h.", unit="")
    ] = EIGHT_HOURS_S,
    check: Annotated[bool, typer.Option("--check", help="Answer as a monitoring plug-in.")] = False,
    *,
    options: RuleOptions,
    _utc: Utc = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show the service levels of the running month up to now, and what will break them if nothing is done.

    For each level it says how many duties run out until the end of the month, when the first one does, and how many
    more breaches the level can bear. For ANS 5 and 6 it says how the share will end.

    Exit status: 0. With --check: 0 nothing is broken and nothing runs out soon, 1 a clock runs out within the time of
    --within, 2 a level is broken already, 3 unknown, because the record or the rules cannot be read.

    Example: vetlla sla watch --check --within 12h
    """
    background_priority()
    within_us = round(within * SECOND_US)
    if check:
        found, said = read_or_unknown(
            "sla", "the record cannot be read", lambda: findings(_levels(options, state_dir, within_us), within_us)
        )
        print_check("SLA", found, said, as_json=as_json)
        return
    levels = _levels(options, state_dir, within_us)
    if as_json:
        for one in levels:
            print_json(_fields(one))
    else:
        _tell(levels, within)


def _levels(options: RuleOptions, state_dir: Path, within_us: int) -> list[LevelWatch]:
    rules = options.rules()
    must_exist(state_dir)
    first = rules.calendar.date_of(CLOCK.now().utc_us).replace(day=1)
    with working("reading the running month"), month_record(state_dir, CLOCK, rules, first) as record:
        return list(watch(record, within_us))


def _fields(one: LevelWatch) -> dict[str, Any]:
    figure, ahead = fields(one.figure), one.forecast
    return {name: figure[name] for name in FIGURES} | {
        "open": one.open,
        "next_due": iso(one.next_due_us),
        "may_fail": one.bearable,
        "running_out": one.running_out,
        "soon": [
            {"kind": row.kind, "duty": row.duty, "subject": row.subject, "due": iso(row.due_us)} for row in one.soon
        ],
        "forecast": ahead and {"expected": ahead.expected, "value": f"{ahead.value:f}", "may_fail": ahead.may_fail},
    }


def _tell(levels: list[LevelWatch], within: float) -> None:
    month = levels[0].figure.month
    rows = (row for one in levels for row in _rows(one))
    print_rows(rows, COLUMNS, as_json=False, title=f"Service levels of {month:%Y-%m} up to now")
    forecasts = [
        {"ans": one.figure.ans, "expected": ahead.expected, "value": f"{ahead.value} %", "may fail": ahead.may_fail}
        for one in levels
        if (ahead := one.forecast) is not None
    ]
    print_rows(forecasts, FORECASTS, as_json=False, title="at the end of the month, if it goes on like the last week")
    soon = sorted(((one.figure.ans, row) for one in levels for row in one.soon), key=lambda pair: pair[1].due_us or 0)
    shown = (_soon(ans, row) for ans, row in soon[:ON_SCREEN])
    count = sum(one.running_out for one in levels)
    print_rows(shown, SOON, as_json=False, title=f"{count} clocks run out within {span(within)}")


def _rows(one: LevelWatch) -> list[dict[str, Any]]:
    figure = one.figure
    subject = LEVELS[figure.ans - 1].subject
    first: dict[str, Any] = {
        "ans": figure.ans,
        "subject": subject,
        "verdict": WORDS[figure.verdict],
        "open": one.open or "",
        "next": to_the_second(one.next_due_us) if one.next_due_us is not None else "",
        "may fail": "" if one.bearable is None else max(0, one.bearable),
    }
    rows = [part_row(part) for part in figure.parts]
    return [rows[0] | first, *rows[1:]] if rows else [first]


def _soon(ans: int, row: OpenDuty) -> dict[str, Any]:
    due = to_the_second(row.due_us) if row.due_us is not None else ""
    return {"ans": ans, "kind": row.kind, "duty": row.duty, "subject": row.subject, "due": due}
