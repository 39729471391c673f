"""``vetlla probe list`` and ``report``."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import Since, Until, Utc, as_month, to_the_second, within
from vetlla.cli.kit.newest import NEWEST, Newest
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.parameters import ParametersFile, footnote_names, load
from vetlla.cli.kit.registry import CLOCK, background_priority, working
from vetlla.cli.sla.reporting import begun, tell_notes
from vetlla.domain.clock import SECOND_US, stretch
from vetlla.domain.probes import ProbedPart, ProbeResult
from vetlla.service.probes.lines import fields
from vetlla.store.probes import queries
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.sla.availability import probed, probed_figure
from vetlla.tasks.sla.month import month_record

if TYPE_CHECKING:
    from datetime import date

    from vetlla.domain.service_levels import LevelFigure
    from vetlla.service.duties.terms import DutyRules
    from vetlla.service.probes.availability import ComponentTime

DAY_US: Final = 86_400 * SECOND_US
COLUMNS: Final = ("started", "machine", "component", "part", "result", "ms", "through", "reason")
REPORT: Final = ("part", "component", "available", "unavailable", "unseen", "interruptions", "probes")
Month = Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="The month. Default: this one.")]


def first_of(month: str, rules: DutyRules) -> date:
    """Return the first day of the month that an option names, or of this one on the calendar of the service."""
    return as_month(month) if month else rules.calendar.date_of(CLOCK.now().utc_us).replace(day=1)


def list_(
    *,
    since: Since = "",
    until: Until = "",
    component: Annotated[str, typer.Option("--component", metavar="NAME", help="Only probes of this component.")] = "",
    failed: Annotated[bool, typer.Option("--failed", help="Only probes that were not ok.")] = False,
    limit: Newest = NEWEST,
    _utc: Utc = False,
    parameters_file: ParametersFile = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """List the newest imported probes of a time, the newest last. Without --since it is the last day.

    Example: vetlla probe list --failed --since 2026-11-01
    """
    load(parameters_file)  # times are on the clock of the service
    since_us, until_us = within(since, until)
    until_us = CLOCK.now().utc_us if until_us is None else until_us
    since_us = until_us - DAY_US if since_us is None else since_us
    with snapshot(state_dir, CLOCK) as connection:
        found = (
            probe
            for one in queries.components(connection, since_us, until_us)
            if component in {"", one.name}
            for probe in queries.probes(connection, one, since_us, until_us)
            if not (failed and probe.result is ProbeResult.OK)
        )
        newest = heapq.nlargest(limit, found, key=lambda one: (one.started_us, one.machine, one.component))
    for probe in reversed(newest) if as_json else ():
        print_json(fields(probe))
    if not as_json:
        rows = (
            fields(probe) | {"started": to_the_second(probe.started_us), "ms": f"{probe.duration_us / 1_000:.1f}"}
            for probe in reversed(newest)
        )
        print_rows(rows, COLUMNS, as_json=False)


@with_option_groups
def report(
    *,
    month: Month = "",
    known: Known = "",
    options: RuleOptions,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Report what time of a month each component was available, and what ANS 18 and 21 come to.

    Time that no probe saw is a column of its own, and never counts as available. A month that still runs ends now.

    Example: vetlla probe report --month 2026-11
    """
    background_priority()
    rules = options.rules()
    now_us, known_us = asked(known)
    first = begun(first_of(month, rules), rules, now_us)
    with (
        working(f"reading the probes of {first:%Y-%m}"),
        month_record(state_dir, CLOCK, rules, first, known_us) as record,
    ):
        found = [probed(record, part) for part in ProbedPart]
        levels = [probed_figure(record, one) for one in found]
    if as_json:
        for one in found:
            for name, time in one.times.items():
                print_json(_fields(first, one.part, name, time))
        return
    rows = [_row(one.part, name, time) for one in found for name, time in one.times.items()]
    print_rows(rows, REPORT, as_json=False, title=f"Availability in {first:%Y-%m}")
    for level in levels:
        _tell(level)
    tell_notes(levels)
    footnote_names(name for level in levels for name in level.assumed)


def _tell(level: LevelFigure) -> None:
    if not level.parts:
        console().print(f"ANS {level.ans}: not measured")
        return
    part = level.parts[0]
    console().print(
        f"ANS {level.ans}: {part.value} % of at least {part.threshold} %: {level.verdict.replace('_', ' ')}"
    )


def _row(part: ProbedPart, name: str, time: ComponentTime) -> dict[str, Any]:
    spans = {key: stretch(getattr(time, f"{key}_us") / SECOND_US) for key in ("available", "unavailable", "unseen")}
    return {"part": part.value, "component": name, **spans, "interruptions": time.span_count, "probes": time.probes}


def _fields(month: date, part: ProbedPart, name: str, time: ComponentTime) -> dict[str, Any]:
    return {
        "month": f"{month:%Y-%m}",
        "part": part.value,
        "component": name,
        "available_us": time.available_us,
        "unavailable_us": time.unavailable_us,
        "unseen_us": time.unseen_us,
        "total_us": time.total_us,
        "interruptions": time.span_count,
        "probes": time.probes,
    }
