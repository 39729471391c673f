"""``vetlla sla explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from vetlla.cli.kit.duty_rows import RuleOptions
from vetlla.cli.kit.known import Known, asked
from vetlla.cli.kit.moments import Utc, to_the_second
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.kit.registry import CLOCK, background_priority, working
from vetlla.cli.sla.reporting import begun, one_month
from vetlla.domain.clock import iso
from vetlla.service.sla.fields import fields
from vetlla.service.sla.levels import LEVELS
from vetlla.tasks.sla.availability import PARTS
from vetlla.tasks.sla.explain.explanation import Shown, explain
from vetlla.tasks.sla.month import month_record

if TYPE_CHECKING:
    from vetlla.domain.service_levels import LevelCase
    from vetlla.tasks.sla.explain.explanation import Explanation

ON_SCREEN: Final = 50
"""Cases that a person is shown; --json shows every one that is listed."""


@with_option_groups
def explain_figure(
    ans: Annotated[int, typer.Argument(metavar="ANS", min=1, max=len(LEVELS), help="Number of the level.")],
    month: Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="Default: the last whole one.")] = "",
    home: Annotated[str, typer.Option("--home", metavar="CODE", help="All cases of this home, also kept ones.")] = "",
    only_breaches: Annotated[bool, typer.Option("--breaches", help="Only cases that break the level.")] = False,
    known: Known = "",
    *,
    options: RuleOptions,
    _utc: Utc = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Explain the figure of a service level in a month, and walk from it to the events.

    First comes the figure in words: the counts, what is required, what is not in it, and each value that no contract
    says. Then come the cases: why each counts in this month, why it has its verdict, and the command that shows what
    was recorded. Without --home these are the cases that are not kept.

    Example: vetlla sla explain 14 --month 2026-11 --home H-0017
    """
    background_priority()
    rules = options.rules()
    now_us, known_us = asked(known)
    first = begun(one_month(month, rules.calendar.date_of(now_us)), rules, now_us)
    # Sentences for machines have times in UTC, as all other answers for machines.
    tell_time = (lambda at_us: iso(at_us) or "") if as_json else to_the_second
    with working(f"explaining ANS {ans}"), month_record(state_dir, CLOCK, rules, first, known_us) as record:
        found = explain(record, ans, Shown(home, only_breaches), tell_time)
    if as_json:
        print_json(_fields(found))
    else:
        _tell(found, first.strftime("%Y-%m"), home)


def _fields(found: Explanation) -> dict[str, Any]:
    return {
        "figure": fields(found.figure),
        "words": found.sentences,
        "counts": {verdict.value: count for verdict, count in sorted(found.counts.items())},
        "cases": [_case(one) for one in found.cases],
        "more": found.more,
    }


def _case(one: LevelCase) -> dict[str, Any]:
    return one._asdict() | {"verdict": one.verdict.value}


def _tell(found: Explanation, month: str, home: str) -> None:
    out = console()
    for sentence in found.sentences:
        out.print(sentence, soft_wrap=True)
    if home and not found.cases:
        out.print(f"No case of home {home} is shown.", soft_wrap=True)
    for one in found.cases[:ON_SCREEN]:
        what = " ".join(filter(None, (one.what, one.number, one.subject)))
        out.print()
        out.print(
            f"{one.verdict.value.replace('_', ' ')}: {what}{f', home {one.home}' if one.home else ''}", soft_wrap=True
        )
        for text in (one.counts, one.why, f"-> {one.show}"):
            out.print(f"  {text}", soft_wrap=True)
    if more := found.more + max(0, len(found.cases) - ON_SCREEN):
        out.print()
        of_home = "" if found.figure.ans in PARTS else " --home CODE, or"
        out.print(f"{more} more: vetlla sla explain {found.figure.ans} --month {month}{of_home} --json", soft_wrap=True)
