"""``vetlla signals`` shows what homes reported, from the journal, with or without a running receiver."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from vetlla.cli.kit.items import stored_fields
from vetlla.cli.kit.moments import Since, Until, Utc, shown, to_the_second, within
from vetlla.cli.kit.newest import NEWEST, Newest
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, json_line, print_json, print_rows, talk
from vetlla.cli.kit.progress import progress
from vetlla.cli.signals.csv import CsvExport
from vetlla.cli.signals.sheet import remarks, sheet, sheet_fields
from vetlla.domain.clock import SystemClock
from vetlla.domain.errors import UsageError
from vetlla.domain.signals import Kind, Phase, Priority
from vetlla.store.accounts.table import accounts_of_home
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive
from vetlla.store.registry.registry import reading

if TYPE_CHECKING:
    from pathlib import Path

    from vetlla.store.journal.history import Question
    from vetlla.store.journal.stored import Stored

app = typer.Typer(help="Look at the signals that were received.", no_args_is_help=True)

TAIL = 10
FOLLOW_EVERY_S = 0.25
"""Time between two looks at the journal. A look costs some microseconds and works without a receiver and across its
restarts. The control socket would need a running receiver, and a right to ask it."""

Accounts = Annotated[
    list[str] | None,
    typer.Option("--account", metavar="ACCOUNT", help="Only of this account, in upper or lower case; repeatable."),
]
Home = Annotated[str, typer.Option(metavar="CODE", help="Only of this home.")]
AlarmNumber = Annotated[int | None, typer.Option("--alarm", metavar="ALARM", help="Only those of this alarm.")]
Kinds = Annotated[list[Kind] | None, typer.Option("--kind", help="Only of this kind; repeatable.", show_choices=False)]
Priorities = Annotated[
    list[str] | None,
    typer.Option(
        "--priority",
        metavar="PRIORITY",
        help="Only with this priority: LIFE, HOME_RISK, TECHNICAL or ROUTINE; repeatable.",
    ),
]
Codes = Annotated[list[str] | None, typer.Option("--code", metavar="CODE", help="Only with this code; repeatable.")]


class Filters(NamedTuple):
    """Options that say which signals are meant."""

    account: Accounts = None
    home: Home = ""
    alarm: AlarmNumber = None
    kind: Kinds = None
    priority: Priorities = None
    code: Codes = None
    since: Since = ""
    until: Until = ""


COLUMNS = ("id", "received", "account", "home", "event", "device", "priority", "alarm", "text", "remarks")


@app.command("list")
@with_option_groups
def list_signals(
    *,
    filters: Filters,
    limit: Newest = NEWEST,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """List signals, with the newest last.

    Example: vetlla signals list --home H-0017 --since 7d
    """
    question = _question(state_dir, filters)
    with Archive(state_dir) as archive:
        found = history.newest(archive, question, limit)
        if as_json:
            print_rows(map(stored_fields, found), (), as_json=True)
            return
        rows = list(map(_row, found))
    print_rows(rows, [name for name in COLUMNS if any(row[name] for row in rows)], as_json=False)


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="SIGNAL", help="Number of the signal.")],
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Show all that is known about one signal: what the device reported, its bytes, its stamps, its alarm.

    Example: vetlla signals show 1234
    """
    with Archive(state_dir) as archive:
        stored = history.signal(archive, number)
        if stored is None:
            raise UsageError(f"there is no signal {number}", remedy="vetlla signals list shows the newest")
        again = history.last_duplicate(archive, number)
        alarm = None if stored.alarm is None else history.alarm(archive, stored.alarm)
        notes = [] if alarm is None else history.notes(archive, alarm.id)
    if as_json:
        print_json(sheet_fields(stored, again, alarm, notes))
    else:
        for line in sheet(stored, again, alarm, notes):
            console().print(line, soft_wrap=True)


@app.command()
def tail(
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new signals, until Ctrl-C.")] = False,
    count: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the newest to begin with.")] = TAIL,
    account: Accounts = None,
    home: Home = "",
    kind: Kinds = None,
    priority: Priorities = None,
    code: Codes = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Print the newest signals line by line; with -f also new ones, across restarts of the receiver.

    Example: vetlla signals tail -f --priority LIFE
    """
    question = _question(state_dir, Filters(account=account, home=home, kind=kind, priority=priority, code=code))
    with Archive(state_dir) as archive:
        seen = history.last_number(archive, history.SIGNALS)
        for one in history.newest(archive, question, count):
            _tell(one, as_json=as_json)
            seen = max(seen, one.id)
        try:
            while follow:
                time.sleep(FOLLOW_EVERY_S)
                seen = _tell_new(archive, question, seen, as_json=as_json)
        except KeyboardInterrupt:
            return


@app.command()
@with_option_groups
def export(
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write a table with a header instead of JSON lines.")] = False,
    filters: Filters,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Write signals to standard output, oldest first: the fields of ``vetlla decode --json``, then the stamps.

    The command writes one JSON object per line, unless --csv is given. In CSV an apostrophe stands before each sign
    with which a spreadsheet could begin a formula. JSON is exact.

    Example: vetlla signals export --since 2026-11-01 --until 2026-12-01 --csv > november.csv
    """
    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other", remedy="choose one")
    question = _question(state_dir, filters)
    out = sys.stdout
    table = CsvExport(out) if as_csv else None
    with Archive(state_dir) as archive, progress("exporting") as tell:
        for one in history.stream(archive, question, progress=tell):
            fields = stored_fields(one)
            if table:
                table.write(fields)
            else:
                out.write(json_line(fields))
    out.flush()


def _question(state_dir: Path, filters: Filters) -> Question[Stored]:
    since_us, until_us = within(filters.since, filters.until)
    accounts = filters.account or []
    return history.signals(
        accounts=_of_home(state_dir, filters.home, accounts) if filters.home else accounts,
        home=filters.home,
        alarm=filters.alarm,
        kinds=filters.kind or [],
        priorities=[_priority(name) for name in filters.priority or []],
        codes=filters.code or [],
        since_us=since_us,
        until_us=until_us,
    )


def _of_home(state_dir: Path, home: str, accounts: list[str]) -> list[str]:
    """Return the accounts under which a home's signals are found. An account that is not registered is its own home."""
    with reading(state_dir, SystemClock()) as registry:
        known = accounts_of_home(registry, home)
    found = [*known, home.rpartition("/")[2]]
    wanted = {account.upper() for account in accounts}
    return [account for account in found if account.upper() in wanted] if wanted else found


def _priority(name: str) -> Priority:
    try:
        return Priority[name.upper()]
    except KeyError as error:
        names = ", ".join(priority.name for priority in Priority)
        raise UsageError(f"{name!r} is not a priority", remedy=f"one of {names}") from error


def _tell_new(archive: Archive, question: Question[Stored], seen: int, *, as_json: bool) -> int:
    """Print the signals after the last number seen; return the last number seen now."""
    last = history.last_number(archive, history.SIGNALS)
    if last < seen:
        talk().print(f"the journal was replaced: it ends with signal {last} now", style="yellow")
        seen = last
    for one in history.stream(archive, question, after=seen):
        _tell(one, as_json=as_json)
        last = max(last, one.id)
    return last


def _tell(stored: Stored, *, as_json: bool) -> None:
    if as_json:
        print_json(stored_fields(stored))
        return
    row = _row(stored) | {"received": shown(stored.received_us)}
    words = [f"{row['id']:>8}", row["received"], f"{row['account']:<8}", *(row[name] for name in COLUMNS[3:])]
    console().print("  ".join(word for word in words if word), soft_wrap=True)


def _row(stored: Stored) -> dict[str, Any]:
    kind, phase, code, _ = stored.signal.event
    return {
        "id": stored.id,
        "received": to_the_second(stored.received_us),
        "account": stored.signal.id.account,
        "home": stored.home,
        "event": f"{kind.value} {code}" + ("" if phase is Phase.NEW else f" ({phase.value})"),
        "device": stored.signal.device,
        "priority": stored.priority.name,
        "alarm": f"alarm {stored.alarm}" if stored.alarm else "",
        "text": stored.signal.text,
        "remarks": remarks(stored),
    }
