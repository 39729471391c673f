"""``vetlla accounts`` registers the accounts that may call, and what is known about each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vetlla.cli.accounts.files import collect
from vetlla.cli.kit.actor import actor
from vetlla.cli.kit.moments import Utc, shown_iso
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows, talk
from vetlla.cli.kit.progress import progress
from vetlla.cli.kit.registry import CLOCK
from vetlla.cli.kit.reload_receiver import reload_receiver
from vetlla.cli.kit.row_files import (
    EVERY,
    FileOptions,
    ImportFile,
    importing,
    refuse,
    tell_warnings,
)
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.domain.accounts import AccountKey
from vetlla.domain.clock import iso
from vetlla.domain.columns import HIDDEN
from vetlla.domain.errors import UsageError
from vetlla.store.accounts import table as account_table
from vetlla.store.accounts.columns import ACCOUNTS, COLUMNS, row_from
from vetlla.store.accounts.table import AccountEntry
from vetlla.store.registry.registry import reading
from vetlla.tasks import accounts as tasks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vetlla.store.accounts.table import Change, RecordedChange, Registration

app = typer.Typer(help="Register the accounts that may call, and what is known about each.", no_args_is_help=True)

NAMED_AT_MOST = 3
HISTORY_SHOWN = 20

AccountText = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Account as the device sends it, without #.")]
Receiver = Annotated[str, typer.Option("--receiver", metavar="HEX", help="Only the account with this receiver number.")]
Line = Annotated[str, typer.Option("--line", metavar="HEX", help="Only the account with this line number.")]


@app.command("import")
@with_option_groups
def import_accounts(
    *,
    file: ImportFile,
    options: FileOptions,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    r"""Register accounts from a file, all or nothing. Importing the file again changes nothing.

    Columns: account, receiver, line, home, key_name, clock_window (standard, off or such as -300..60), interval_s
    (also 90s, 15m, 1h), ucr_interval_s, allowed_misses, labels, support_level, maker (ajax, climax, inim), remaps
    (such as 120=fall:LIFE;130=:TECHNICAL). Only account is required. If a column is absent, the registered values stay;
    an empty cell sets the default. Accounts that the file does not name stay. Every fault is listed with row, column
    and reason.

    Example: vetlla accounts import homes.csv --dry-run
    """
    with importing(file, ACCOUNTS, options, what="accounts", as_json=as_json) as (reader, rows):
        read = collect(rows)
    if read.faults:
        refuse(file, read.faults, reader, as_json=as_json)
    result = _register(state_dir, _with_progress(read.entries, "checking"), dry_run=dry_run)
    warnings = tasks.lost_zeros(state_dir, CLOCK, zip(read.rows, read.entries, strict=True))
    told = bool(result.changes) and not dry_run and reload_receiver(state_dir)
    tell_warnings(warnings, reader, as_json=as_json)
    if as_json:
        counts = {"added": result.added, "changed": result.changed, "unchanged": result.unchanged}
        print_json({**counts, "dry_run": dry_run, "receiver_told": told})
    else:
        console().print(
            f"{file}: {result.added} added, {result.changed} changed, {result.unchanged} unchanged"
            + (" (dry run: nothing was written)" if dry_run else "")
        )


@app.command("set")
def set_account(
    *,
    account: AccountText,
    receiver: Receiver = "",
    line: Line = "",
    home: Annotated[str | None, typer.Option(help="The home's code.")] = None,
    key_name: Annotated[
        str | None, typer.Option(metavar="NAME", help='Name of its key (vetlla keys); "" for no key.')
    ] = None,
    clock_window: Annotated[
        str | None, typer.Option(metavar="WINDOW", help="standard, off (audited), or two durations such as -5m..1m.")
    ] = None,
    interval: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="Time between two signs of life: 90s, 15m, 1h; 0 for that of its type."),
    ] = None,
    ucr_interval: Annotated[
        str | None, typer.Option(metavar="DURATION", help="The same for each of its UCRs; 0 for that of their type.")
    ] = None,
    allowed_misses: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="Misses before a device is lost; 0 for that of the settings.")
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(metavar="LABELS", help='What it fails together with: "operator:orange cell:214-07-1234".'),
    ] = None,
    support_level: Annotated[str | None, typer.Option(metavar="1|2|3", help="Level that the service assigns.")] = None,
    maker: Annotated[
        str | None, typer.Option(metavar="MAKER", help='Maker whose codes apply: ajax, climax, inim; "" for no maker.')
    ] = None,
    remaps: Annotated[
        str | None,
        typer.Option(metavar="CODES", help="What codes mean for this account: 120=fall:LIFE;130=:TECHNICAL."),
    ] = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Register an account, or change the given fields of a registered one.

    Example: vetlla accounts set 1234 --home H-0017 --interval 15m --key-name north
    """
    given = {
        "home": home,
        "key_name": key_name,
        "clock_window": clock_window,
        "interval_s": interval,
        "ucr_interval_s": ucr_interval,
        "allowed_misses": allowed_misses,
        "labels": labels,
        "support_level": support_level,
        "maker": maker,
        "remaps": remaps,
    }
    place = _place(account, receiver, line)
    fields = {column: _parsed(column, text) for column, text in given.items() if text is not None}
    result = _register(state_dir, [AccountEntry(place, fields)], dry_run=dry_run)
    _answer(place, result.changes, state_dir, dry_run=dry_run, as_json=as_json)


@app.command("remove")
def remove_account(
    *,
    account: AccountText,
    receiver: Receiver = "",
    line: Line = "",
    state_dir: StateDir = DEFAULT_STATE_DIR,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Remove an account from the registry. Its reports are then those of an unknown account; its history stays.

    Example: vetlla accounts remove 1234
    """
    place = _place(account, receiver, line)
    change = tasks.remove(state_dir, CLOCK, place, by=actor(), dry_run=dry_run)
    if change is None:
        raise _not_registered(place)
    _answer(place, [change], state_dir, dry_run=dry_run, as_json=as_json)


@app.command("list")
def list_accounts(
    home: Annotated[str | None, typer.Option(help="Only those of this home.")] = None,
    key_name: Annotated[str | None, typer.Option(metavar="NAME", help="Only those that use this key.")] = None,
    limit: Limit = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """List the registered accounts. `vetlla accounts import` takes what --json prints.

    Example: vetlla accounts list --json > accounts.json
    """
    with reading(state_dir, CLOCK) as registry:
        print_some(
            map(row_from, account_table.find_accounts(registry, home=home, key_name=key_name)),
            COLUMNS,
            limit,
            as_json=as_json,
            total=lambda: account_table.count_accounts(registry, home=home, key_name=key_name),
        )


@app.command("show")
def show_account(
    account: AccountText, state_dir: StateDir = DEFAULT_STATE_DIR, _utc: Utc = False, as_json: AsJson = False
) -> None:
    """Show an account, and who changed what about it, with the last change first.

    Example: vetlla accounts show 1234
    """
    with reading(state_dir, CLOCK) as registry:
        found = list(account_table.find_accounts(registry, account=account))
        history = account_table.recorded_changes(registry, account=account, at_most=HISTORY_SHOWN)
    if not found and not history:
        raise _not_registered(AccountKey(account))
    rows = [_history_row(change) for change in history]
    if as_json:
        print_json({"accounts": [row_from(one) for one in found], "changes": rows})
        return
    for one in found:
        fields = row_from(one).items()
        print_rows(({"field": name, "value": value} for name, value in fields), ("field", "value"), as_json=False)
    rows = [row | {"at": shown_iso(row["at"])} for row in rows]
    print_rows(rows, ("at", "by", "receiver", "line", "field", "old", "new"), as_json=False, title="changes")


def _with_progress(rows: Sequence[AccountEntry], doing: str) -> Iterator[AccountEntry]:
    with progress(doing) as tell:
        for done, row in enumerate(rows):
            if done % EVERY == 0 and done:
                tell(done, len(rows))
            yield row


def _register(state_dir: Path, entries: Iterable[AccountEntry], *, dry_run: bool) -> Registration:
    registered = tasks.register(state_dir, CLOCK, entries, by=actor(), dry_run=dry_run)
    _warn(registered.registration.changes)
    _warn_of_shared(registered.shared_keys)
    return registered.registration


def _warn_of_shared(homes: Mapping[str, int]) -> None:
    for name, count in list(homes.items())[:NAMED_AT_MOST]:
        talk().print(
            f"warning: {count} homes share key {name}: a sealed frame does not say which of them sent it; "
            "vetlla keys list names all such keys",
            style="yellow",
            soft_wrap=True,
        )


def _warn(changes: Iterable[Change]) -> None:
    weakened: dict[str, list[str]] = {}
    for change in changes:
        if change.weakens:
            weakened.setdefault(change.weakens, []).append(str(change.place))
    for how, places in weakened.items():
        more = f" and {len(places) - NAMED_AT_MOST} more" if len(places) > NAMED_AT_MOST else ""
        names = "; ".join(places[:NAMED_AT_MOST])
        talk().print(f"warning: account {names}{more} {how}", style="yellow", soft_wrap=True)


def _place(account: str, receiver: str, line: str) -> AccountKey:
    return AccountKey(_parsed("account", account), _parsed("receiver", receiver), _parsed("line", line))


def _parsed(column: str, text: str) -> Any:  # noqa: ANN401 - the type depends on the field
    try:
        return ACCOUNTS.parse(column, text)
    except ValueError as error:
        shown = HIDDEN if column == "key_name" else repr(text)
        raise UsageError(f"{column} {shown}: {error}", remedy="vetlla accounts set --help shows examples") from error


def _not_registered(place: AccountKey) -> UsageError:
    return UsageError(f"account {place} is not registered", remedy="vetlla accounts list shows those that are")


def _answer(place: AccountKey, changes: Sequence[Change], state_dir: Path, *, dry_run: bool, as_json: bool) -> None:
    told = bool(changes) and not dry_run and reload_receiver(state_dir)
    if as_json:
        rows = [{"field": change.field, "old": change.old, "new": change.new} for change in changes]
        print_json({**place._asdict(), "changes": rows, "dry_run": dry_run, "receiver_told": told})
        return
    for change in changes:
        console().print(_sentence(change) + (" (dry run)" if dry_run else ""))
    if not changes:
        console().print(f"account {place}: unchanged")


def _sentence(change: Change) -> str:
    match change.field:
        case account_table.REGISTERED | account_table.REMOVED:
            return f"account {change.place}: {change.field}"
        case _:
            return f"account {change.place}: {change.field} {change.old or '(none)'} -> {change.new or '(none)'}"


def _history_row(recorded: RecordedChange) -> dict[str, Any]:
    place, field, old, new = recorded.change
    return {"at": iso(recorded.at_us), "by": recorded.by, **place._asdict(), "field": field, "old": old, "new": new}
