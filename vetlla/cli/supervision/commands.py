"""``vetlla supervision`` shows which terminals and UCRs are heard, which are not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from vetlla.cli.kit.control import ask
from vetlla.cli.kit.moments import Utc, duration, shown_iso, whole
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, OfLine, OfReceiver, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows, talk
from vetlla.cli.kit.tables import Limit, print_some
from vetlla.cli.supervision import incidents as supervision_incidents
from vetlla.cli.supervision import report as supervision_report
from vetlla.domain.errors import UsageError
from vetlla.receiver.control.messages.supervision import HEALTH, ListDevices, PauseDevices, ResumeDevices, ShowDevices
from vetlla.service.supervision.rules import Health

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.receiver.control.messages.supervision import DeviceFields, DeviceSheet, Paused, Resumed

app = typer.Typer(help="Show which terminals and UCRs are heard, which are not, and why.", no_args_is_help=True)

COLUMNS = ("account", "device", "home", "state", "since", "last heard", "every", "why")
STATES = ", ".join(state.word for state in Health)

Account = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="Account as the terminal sends it, in upper or lower case.")
]
Device = Annotated[str, typer.Option("--device", metavar="ID", help="Only this UCR, by the id that it reports.")]


class OrderOptions(NamedTuple):
    """Options of an order about an account's devices: which account is meant, and how the order is carried out."""

    receiver: OfReceiver = None
    line: OfLine = None
    dry_run: DryRun = False
    state_dir: StateDir = DEFAULT_STATE_DIR
    utc: Utc = False
    as_json: AsJson = False


@app.command("list")
def list_devices(
    state: Annotated[
        list[str] | None, typer.Option("--state", metavar="STATE", help=f"Only in this state: {STATES}; repeatable.")
    ] = None,
    account: Annotated[str, typer.Option("--account", metavar="ACCOUNT", help="Only of this account.")] = "",
    home: Annotated[str, typer.Option("--home", metavar="CODE", help="Only of this home.")] = "",
    limit: Limit = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """List the devices that need a look: late, lost, unknown, or not supervised for a reason other than no interval.

    With --state the command lists exactly the devices in one of these states. It prints nothing if all is well.

    Example: vetlla supervision list --state lost --json | jq -r .account
    """
    unknown = set(state or ()) - HEALTH.keys()
    if unknown:
        raise UsageError(f"no state {', '.join(sorted(unknown))}", remedy=f"one of {STATES}")
    asked = ListDevices(states=tuple(HEALTH[one] for one in state or ()), account=account, home=home)
    found = _pages(state_dir, asked)
    print_some(
        found if as_json else map(_row, found),
        COLUMNS,
        limit,
        as_json=as_json,
        total=lambda: _count(state_dir, asked),
    )


def _pages(state_dir: Path, asked: ListDevices) -> Iterator[DeviceFields]:
    """Yield devices page by page, because a fleet may have a million."""
    while True:
        page = ask(state_dir, asked)
        assert "devices" in page
        yield from page["devices"]
        if page["next"] is None:
            return
        asked = asked.model_copy(update={"after": page["next"]})


def _count(state_dir: Path, asked: ListDevices) -> int:
    counted = ask(state_dir, asked.model_copy(update={"count": True}))
    assert "count" in counted
    return counted["count"]


@app.command()
def show(
    account: Account,
    receiver: OfReceiver = None,
    line: OfLine = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Show a terminal and its UCRs: state and reason, expected and missed reports, pauses, labels.

    Example: vetlla supervision show 4C01
    """
    for one in ask(state_dir, ShowDevices(account=account, receiver=receiver, line=line)):
        if as_json:
            print_json(one)
        else:
            for text in _sheet(one):
                console().print(text, soft_wrap=True)


@app.command()
@with_option_groups
def pause(
    account: Account,
    reason: Annotated[str, typer.Option("--reason", help="Reason, for the audit and for people who ask.")],
    device: Device = "",
    seconds: Annotated[
        float | None,
        duration("--for", help="How long the pause lasts, such as 2h. Default: until it is resumed.", least_s=1),
    ] = None,
    *,
    order: OrderOptions,
) -> None:
    """Pause supervision of an account: its terminal and all its UCRs, or one UCR.

    They are shown as not supervised, never as ok. Their calls for help are still received. The command needs the role
    of an engineer or a supervisor.

    Example: vetlla supervision pause 4C01 --for 2h --reason "installer on site"
    """
    asked = PauseDevices(
        account=account,
        receiver=order.receiver,
        line=order.line,
        device=device,
        seconds=None if seconds is None else whole(seconds),
        reason=reason,
        dry_run=order.dry_run,
    )
    columns = ("account", "device", "home", "until", "operator", "reason")
    _tell(ask(order.state_dir, asked), columns, as_json=order.as_json)


@app.command()
@with_option_groups
def resume(
    account: Account,
    device: Device = "",
    *,
    order: OrderOptions,
) -> None:
    """End a pause that was ordered: each device is given a whole interval from now.

    The command needs the role of an engineer or a supervisor. Other reasons still count: the devices of a suspended
    home stay unsupervised.

    Example: vetlla supervision resume 4C01
    """
    asked = ResumeDevices(
        account=account, receiver=order.receiver, line=order.line, device=device, dry_run=order.dry_run
    )
    _tell(ask(order.state_dir, asked), ("account", "device", "home", "state", "why"), as_json=order.as_json)


for _command in (supervision_incidents.incidents, supervision_report.report):
    app.command()(_command)


def _tell(done: Paused | Resumed, columns: tuple[str, ...], *, as_json: bool) -> None:
    about = {name: value for name, value in done.items() if name != "devices"}
    if as_json:
        for one in done["devices"]:
            print_json({**one, **about})
        return
    if "until" in done:  # of a pause
        about["until"] = shown_iso(done["until"])
    print_rows(({**one, **about} for one in done["devices"]), columns, as_json=False)
    if done["durable"] is None:
        talk().print("dry run: nothing was changed")
    elif not done["durable"]:
        talk().print("not on the disk yet: the store has failed", style="yellow")


def _row(one: DeviceFields) -> dict[str, object]:
    return {
        **one,
        "since": shown_iso(one["since"]),
        "last heard": shown_iso(one["last_heard"]) or "never",
        "every": f"{one['interval_s']} s" if one["interval_s"] else "",
    }


def _sheet(one: DeviceSheet) -> Iterator[str]:
    """Yield what a person reads about a device, a line for each subject."""
    place = "".join(f", {name} {one[name]}" for name in ("receiver", "line", "home") if one[name])
    what = f"UCR {one['device']}" if one["kind"] == "ucr" else "terminal"
    yield f"{what} of account {one['account']}{place}"
    yield f"  {one['state'].replace('_', ' ')} since {shown_iso(one['since']) or 'it was taken up'}: {one['why']}"
    yield f"  last heard {shown_iso(one['last_heard']) or 'never'}, {one['received_today']} signs of life today"
    if one["interval_s"]:
        after = f"lost after {one['allowed_misses']} misses"
        yield f"  expected every {one['interval_s']} s, {after}; missed {one['missed']}"
    if one["next_deadline"]:
        yield f"  next deadline {shown_iso(one['next_deadline'])}, lost at {shown_iso(one['lost_at'])}"
    if paused := one["pause"]:
        until = shown_iso(paused["until"]) or "it is resumed"
        since = shown_iso(paused["since"])
        yield f"  paused by {paused['operator']} since {since} until {until}: {paused['reason']}"
    if one["incident"] or one["alarm"]:
        parts = [f"{name} {one[name]}" for name in ("incident", "alarm") if one[name]]
        yield f"  {', '.join(parts)}"
    yield f"  fails together with: {', '.join(one['labels'])}"
