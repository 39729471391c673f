"""``vetlla duties show``, ``list``, ``due`` and ``kinds``."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from vetlla.cli.kit.duty_rows import (
    COLUMNS,
    DutyNumber,
    RuleOptions,
    all_events,
    duty_fields,
    duty_row,
    print_events,
    state_text,
)
from vetlla.cli.kit.duty_view import DutyView
from vetlla.cli.kit.known import Known
from vetlla.cli.kit.moments import Since, Until, duration, to_the_second, within
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json, print_rows
from vetlla.cli.kit.registry import CLOCK, without_collector
from vetlla.cli.kit.tables import TABLE_ROWS, Limit, print_some
from vetlla.domain.clock import SECOND_US, iso
from vetlla.domain.duties import DutyVerdict
from vetlla.store.duties.events import LATEST
from vetlla.tasks.duties import book, looking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.service.duties.standing import Standing
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.duties.looking import WithdrawnDuty

Kind = Annotated[list[str] | None, typer.Option("--kind", help="Only this kind; several times for several kinds.")]
AHEAD_S = 7 * 86_400.0
"""How far ahead `duties due` looks by default."""


@with_option_groups
def show(
    number: DutyNumber,
    known: Known = "",
    *,
    view: DutyView,
) -> None:
    """Show a duty: its clock, its verdict with the reasons, and all of its events, withdrawn ones too.

    Of a duty whose opening was withdrawn it says when, by which user and why; its verdict is then null in JSON.

    Example: vetlla duties show 4711
    """
    with view.reading(known) as (connection, rules, now_us):
        gone = looking.withdrawn_duty(connection, rules, number)
        if gone is not None:
            _, *events = all_events(connection, rules, gone.duty)  # its opening is among the withdrawn ones, too
            _show_withdrawn(gone, events, rules, as_json=view.as_json)
            return
        one = book.standing_of(connection, rules, number, now_us)
        events = all_events(connection, rules, one.duty)
    fields = duty_fields(one)
    if view.as_json:
        print_json(fields | {"events": events})
        return
    out, duty = console(), one.duty
    out.print(f"{duty.kind} {duty.id} of {duty.subject}: {one.terms.kind.title}", style="bold", soft_wrap=True)
    out.print(f"  {state_text(one)}", soft_wrap=True)
    out.print(f"  {fields['why']}", soft_wrap=True)
    print_events(events)


def _show_withdrawn(gone: WithdrawnDuty, events: list[dict[str, Any]], rules: DutyRules, *, as_json: bool) -> None:
    """Say what happened to a duty whose opening was taken back. It has no clock, and its verdict is null."""
    duty, told = gone.duty, gone.taken.told
    note = f": {told.note}" if told.note else ""
    why = f"Its opening was withdrawn at {to_the_second(told.at_us)} by {told.by}{note}."
    if as_json:
        empty = dict.fromkeys(("due", "ended", "elapsed", "stopped", "verdict", "worse"))
        head = {"id": duty.id, "kind": duty.kind, "subject": duty.subject, "ref": duty.ref}
        ans = rules.kinds.kind(duty.kind).ans
        print_json(head | {"opened": iso(duty.opened_us)} | empty | {"ans": ans, "why": why, "events": events})
        return
    out = console()
    out.print(f"{duty.kind} {duty.id} of {duty.subject}: withdrawn", style="bold", soft_wrap=True)
    out.print(f"  {why}", soft_wrap=True)
    print_events(events)


class ListFilters(NamedTuple):
    """Options that say which duties are listed."""

    kind: Kind = None
    subject: Annotated[str, typer.Option("--subject", help="Only duties about this home, person or device.")] = ""
    ref: Annotated[str, typer.Option("--ref", help="Only duties with this number in the system they come from.")] = ""
    verdict: Annotated[DutyVerdict | None, typer.Option("--verdict", help="Only this verdict.")] = None
    ans: Annotated[int | None, typer.Option("--ans", help="Only duties of this quality standard.")] = None
    since: Since = ""
    until: Until = ""
    is_open: Annotated[bool, typer.Option("--open", help="Only duties that no event has ended.")] = False
    known: Known = ""

    def wanted(self) -> looking.Wanted:
        """Return the filter. Raises UsageError for a wrong time."""
        since_us, until_us = within(self.since, self.until)
        return looking.Wanted(
            kinds=self.kind or (),
            subject=self.subject,
            verdict=self.verdict,
            ans=self.ans,
            since_us=since_us or 0,
            until_us=LATEST if until_us is None else until_us,
            is_open=self.is_open,
            ref=self.ref,
        )


@with_option_groups
def list_(
    filters: ListFilters,
    limit: Limit = None,
    *,
    view: DutyView,
) -> None:
    """List duties with their verdicts. --since and --until are about when they were opened.

    Example: vetlla duties list --kind fault --verdict breached --since 2026-11-01
    """
    without_collector()
    with view.reading(filters.known) as (connection, rules, now_us):
        found = looking.found(connection, rules, filters.wanted(), now_us)
        shape = duty_fields if view.as_json else duty_row
        print_some(map(shape, found), COLUMNS, limit, as_json=view.as_json)


@with_option_groups
def due(
    kind: Kind = None,
    ahead: Annotated[
        float, duration("--within", help="How far ahead it looks, such as 4h or 7d. Default: 7d.", unit="")
    ] = AHEAD_S,
    limit: Limit = None,
    *,
    view: DutyView,
) -> None:
    """List undecided duties whose clock has run out or will soon, the most urgent first.

    Example: vetlla duties due --within 2d --kind fault --kind complaint
    """
    without_collector()
    with view.reading() as (connection, rules, now_us):
        before_us = now_us + round(ahead * SECOND_US)
        total = looking.count_due(connection, rules, kind or (), before_us)
        found: Iterator[Standing] = looking.due(connection, rules, kind or (), before_us, now_us)
        shape = duty_fields if view.as_json else duty_row
        most = limit or (None if view.as_json else TABLE_ROWS)
        print_some(map(shape, islice(found, most)), COLUMNS, limit, as_json=view.as_json, total=lambda: total)


@with_option_groups
def kinds(options: RuleOptions, as_json: AsJson = False) -> None:
    """List the kinds of duties: their events, clocks and quality standards.

    Example: vetlla duties kinds
    """
    rules, now_us = options.rules(), CLOCK.now().utc_us
    rows: list[dict[str, Any]] = []
    for name in rules.kinds.names():
        terms = rules.terms(name, now_us)
        kind = terms.kind
        rows.append(
            {
                "kind": name,
                "title": kind.title,
                "subject": kind.subject.value,
                "opens": kind.opens,
                "events": " ".join(kind.all_events[1:]),
                "ends": " ".join(kind.ends),
                "clock": kind.clock.value,
                "limit": f"{terms.limit.value} {terms.limit.unit}" if terms.limit else "",
                "ans": kind.ans,
                "clause": kind.clause,
            }
        )
    print_rows(rows, ("kind", "opens", "events", "clock", "limit", "ans", "title"), as_json=as_json)
