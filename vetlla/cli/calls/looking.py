"""``vetlla calls list``, ``show`` and ``tie``."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from vetlla.cli.calls.options import (
    COLUMNS,
    AgendaOptions,
    Numbers,
    call_fields,
    call_row,
    seconds,
    shown_number,
    tie_fields,
    window_us,
)
from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.moments import Until, Utc, shown, to_the_second, within
from vetlla.cli.kit.newest import NEWEST, Newest
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, counted, print_json, print_rows, talk
from vetlla.cli.kit.parameters import ParametersFile, load
from vetlla.cli.kit.registry import CLOCK, as_note, without_collector
from vetlla.domain.calls import CallRecord, Direction
from vetlla.domain.clock import DAY_US, iso
from vetlla.service.calls.joining import joined, order_fault
from vetlla.service.calls.proofs import Proof, lacks
from vetlla.service.calls.ties import alarm_reason, home_reason, is_same_agent
from vetlla.store.calls import queries
from vetlla.store.homes.queries import must_know_home
from vetlla.store.registry.transaction import snapshot
from vetlla.tasks.calls.tying import tie_by_hand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.domain.calls import PhoneCall
    from vetlla.store.calls.queries import History

RECENT_US: Final = 7 * DAY_US
"""How far back a list goes without --since and --home. Reading a year of calls takes half a minute."""
HISTORY: Final = ("recorded", "by", "what", "file", "said")
NO_HOME: Final = "-"

CallName = Annotated[str, typer.Argument(metavar="CALL", help="Number of the call, or its id in the PBX.")]


class WantedCalls(NamedTuple):
    """Options that say which calls are listed, and how."""

    since: Annotated[
        str,
        typer.Option(metavar="TIME", help="From this time on: ISO 8601, or 2h, 7d ago. Default: 7d, without --home."),
    ] = ""
    until: Until = ""
    home: Annotated[str, typer.Option("--home", help="Only calls of this home.")] = ""
    agent: Annotated[str, typer.Option("--agent", help="Only calls of this agent or operator.")] = ""
    direction: Annotated[Direction | None, typer.Option("--direction", help="Only calls in this direction.")] = None
    untied: Annotated[bool, typer.Option("--untied", help="Only calls without a home.")] = False
    missing: Annotated[
        list[Proof] | None,
        typer.Option("--lacks", help="Only calls that lack this part of ANS 7; repeatable: one of several is enough."),
    ] = None
    limit: Newest = NEWEST
    numbers: Numbers = False
    utc: Utc = False
    parameters_file: ParametersFile = None
    as_json: AsJson = False
    state_dir: StateDir = DEFAULT_STATE_DIR

    def includes(self, call: PhoneCall) -> bool:
        """Return True if a call is wanted."""
        return (
            (self.direction is None or call.record.direction is self.direction)
            and not (self.untied and call.tie.home)
            and (not self.missing or not set(self.missing).isdisjoint(lacks(call)))
            and (not self.agent or is_same_agent(call.record.agent, self.agent) or call.record.agent == self.agent)
        )


@with_option_groups
def list_(wanted: WantedCalls) -> None:
    """List the newest calls of a time, the newest last; several homes or alarms are a choice, with | between them.

    Without --since and --home the time is the last seven days; the command says so.

    Example: vetlla calls list --untied --since 2026-11-01
    """
    load(wanted.parameters_file)  # times are on the clock of the service
    since_us, until_us = within(wanted.since, wanted.until)
    is_recent = since_us is None and not wanted.home
    if is_recent:
        since_us = (until_us or CLOCK.now().utc_us) - RECENT_US
    without_collector()
    with snapshot(wanted.state_dir, CLOCK) as connection:
        must_know_home(connection, wanted.home)
        found = queries.calls(connection, joined, since_us=since_us, until_us=until_us, home=wanted.home)
        matching = _Counted(filter(wanted.includes, found))
        newest = heapq.nlargest(wanted.limit, matching, key=_begun)
    shape = call_fields if wanted.as_json else call_row
    rows = (shape(call, numbers=wanted.numbers) for call in reversed(newest))
    print_rows(rows, COLUMNS, as_json=wanted.as_json)
    if is_recent:
        talk().print(f"calls since {shown(since_us)}; for earlier ones: --since", soft_wrap=True)
    if (more := matching.count - len(newest)) > 0:
        talk().print(f"{counted(more, 'older call')} not listed: --limit", soft_wrap=True)


class _Counted:
    """Counts the calls that pass through it."""

    def __init__(self, calls: Iterator[PhoneCall]) -> None:
        self._calls = calls
        self.count = 0

    def __iter__(self) -> Iterator[PhoneCall]:
        for call in self._calls:
            self.count += 1
            yield call


def _begun(call: PhoneCall) -> tuple[int, int]:
    return (call.record.started or call.record.ready or 0, call.id)


def show(
    named: CallName,
    *,
    numbers: Numbers = False,
    _utc: Utc = False,
    parameters_file: ParametersFile = None,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Show a call: its times, whose it is and why, and all that files and people ever said of it.

    Example: vetlla calls show 1764576000.12
    """
    load(parameters_file)  # times are on the clock of the service
    with snapshot(state_dir, CLOCK) as connection:
        call = queries.call(connection, named, joined)
        facts = queries.history(connection, call.id)
    if as_json:
        history = [_fact_fields(fact, numbers=numbers) for fact in facts]
        print_json({**call_fields(call, numbers=numbers), "history": history})
        return
    for name, value in _lines(call, numbers=numbers).items():
        if value:
            console().print(f"{name:10} {value}", soft_wrap=True)
    print_rows((_fact_row(fact, numbers=numbers) for fact in facts), HISTORY, as_json=False, title="history")


def _lines(call: PhoneCall, *, numbers: bool) -> dict[str, Any]:
    record, tie, t3 = call.record, call.tie, seconds(call.t3)
    wrong = order_fault(record)
    return {
        "call": f"{call.id} ({' '.join(filter(None, call.key))})",
        "direction": record.direction,
        **{name: shown(getattr(record, name)) for name in ("started", "ready", "answered", "ended")},
        "t3": "" if t3 is None else f"{t3:g} s",
        "talk": "" if call.talk_s is None else f"{call.talk_s} s",
        "odd": f"{wrong[0]} lies before {wrong[1]}: the files contradict each other" if wrong else "",
        "outcome": record.outcome,
        "agent": record.agent,
        "caller": shown_number(record.caller, whole=numbers),
        "called": shown_number(record.called, whole=numbers),
        "queue": record.queue,
        "party": record.party,
        "recording": record.recording,
        "sha256": record.digest.hex(),
        "home": f"{tie.home or 'none'}: {home_reason(tie)}",
        "alarm": f"{tie.alarm or 'none'}: {alarm_reason(tie)}",
    }


def _fact_fields(fact: History, *, numbers: bool) -> dict[str, Any]:
    value = fact.value
    said = _said(value, numbers=numbers) if isinstance(value, CallRecord) else tie_fields(value)
    return {"recorded": iso(fact.at_us), "by": fact.by, "what": fact.what, "file": fact.file, "said": said}


def _fact_row(fact: History, *, numbers: bool) -> dict[str, Any]:
    value = fact.value
    if isinstance(value, CallRecord):
        said = " ".join(f"{name}={text}" for name, text in _said(value, numbers=numbers).items())
    else:
        said = f"home {value.home or 'none'}: {home_reason(value)}"
    row = {"recorded": to_the_second(fact.at_us), "by": fact.by or "rules", "what": fact.what, "file": fact.file}
    return {**row, "said": said}


def _said(record: CallRecord, *, numbers: bool) -> dict[str, Any]:
    """Return what a file said, without what it did not say."""
    found: dict[str, Any] = {}
    for name, value in record._asdict().items():
        if value in (None, "", b""):
            continue
        match name:
            case "started" | "ready" | "answered" | "ended":
                found[name] = iso(value)
            case "caller" | "called":
                found[name] = shown_number(value, whole=numbers)
            case "digest":
                found["recording_sha256"] = value.hex()
            case _:
                found[name] = value
    return found


@with_option_groups
def tie(
    named: CallName,
    home: Annotated[str, typer.Argument(metavar="HOME|-", help="Code of the home; - if the call is of none.")],
    *,
    reason: Annotated[
        str, typer.Option("--reason", parser=as_note, metavar="TEXT", help="Why, without personal data.")
    ],
    agenda: AgendaOptions,
    parameters_file: ParametersFile = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
) -> None:
    """Tie a call to a home by hand. This stays, whatever is imported later; the earlier tie stays in the history.

    An answered call that came in counts as the open follow-up or revaluation of the home, if it fits exactly one. What
    it counted as before, for another home, is taken back by hand: vetlla duties withdraw.

    Example: vetlla calls tie 1764576000.12 H-0001 --reason "the caller named herself"
    """
    code = "" if home == NO_HOME else home
    reading, counting = agenda.counting(parameters_file, "tie")
    call, is_counted = tie_by_hand(
        state_dir, CLOCK, named, code, reason=reason, by=actor(), window_us=window_us(reading), counting=counting,
        dry_run=dry_run,
    )  # fmt: skip
    if as_json:
        print_json({"call": call.id, **tie_fields(call.tie), "counted": is_counted, "dry_run": dry_run})
        return
    done = "would be tied" if dry_run else "is tied"
    about = f" and alarm {call.tie.alarm}" if call.tie.alarm else ""
    console().print(f"call {call.id} {done} to {f'home {code}' if code else 'no home'}{about}", soft_wrap=True)
    if is_counted:
        talk().print("it counts as a call of the agenda")
