"""``vetlla queue``: what operators work, through the control socket of the running receiver."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from vetlla.alarms import Outcome
from vetlla.cli.control import ask, follow
from vetlla.cli.moments import Utc, duration, whole
from vetlla.cli.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.output import console, print_json, print_rows
from vetlla.errors import LinkError

app = typer.Typer(help="Work the queue of alarms.", no_args_is_help=True)

AlarmNumber = Annotated[int, typer.Argument(metavar="ALARM", help="Number of the alarm.")]
Force = Annotated[bool, typer.Option("--force", help="As a supervisor: even if somebody else holds it.")]

COLUMNS = ("id", "priority", "state", "home", "why", "signals", "age", "t3", "operator", "escalated")


@app.command("list")
def list_alarms(
    on_test: Annotated[bool, typer.Option("--on-test", help="Those of accounts on test instead.")] = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """List the open alarms in the order in which they should be worked: priority, then age.

    Example: vetlla queue list --json
    """
    alarms = ask(state_dir, "queue.list", on_test=on_test)
    print_rows((alarm if as_json else _row(alarm) for alarm in alarms), COLUMNS, as_json=as_json)


@app.command()
def watch(state_dir: StateDir = DEFAULT_STATE_DIR, as_json: AsJson = False) -> None:
    """Follow the queue: what is open now, then every change as it happens, until Ctrl-C.

    With --json signals are told, too, as each becomes durable. Exit status: 69 when the receiver goes away.

    Example: vetlla queue watch --json | jq .alarm.why
    """
    out = console()
    try:
        for event in follow(state_dir, "watch"):
            if as_json:
                print_json(event)
            elif "alarm" in event:
                out.print(_sentence(event["event"], event["alarm"]), markup=False, soft_wrap=True)
            elif event["event"] == "missed":
                out.print(f"missed {event['count']} events: vetlla queue list shows what is open", markup=False)
    except KeyboardInterrupt:
        return
    raise LinkError("the receiver hung up", remedy="watch again once it runs: vetlla status --wait 60")


@app.command()
def claim(
    alarm: Annotated[int | None, typer.Argument(help="Number of the alarm; none: the first that waits.")] = None,
    force: Force = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Take an alarm in hand: nobody else can while your lease lasts, and each of your actions renews it.

    Example: vetlla queue claim
    """
    _show(ask(state_dir, "queue.claim", alarm=alarm, force=force), as_json=as_json)


@app.command()
def answer(
    alarm: AlarmNumber, force: Force = False, state_dir: StateDir = DEFAULT_STATE_DIR, as_json: AsJson = False
) -> None:
    """Say that you are speaking with the home: t3 ends here.

    Example: vetlla queue answer 7
    """
    _show(ask(state_dir, "queue.answer", alarm=alarm, force=force), as_json=as_json)


@app.command()
def note(
    alarm: AlarmNumber,
    text: Annotated[str, typer.Argument(help="What is to be remembered.")],
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Write something down about an alarm.

    Example: vetlla queue note 7 "neighbour has the keys"
    """
    _show(ask(state_dir, "queue.note", alarm=alarm, text=text), as_json=as_json)


@app.command()
def close(
    alarm: AlarmNumber,
    outcome: Annotated[Outcome, typer.Option("--outcome", "-o", help="How it ended.")],
    force: Force = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """End an alarm with its outcome.

    Example: vetlla queue close 7 --outcome handled_by_voice
    """
    _show(ask(state_dir, "queue.close", alarm=alarm, outcome=outcome.value, force=force), as_json=as_json)


@app.command()
def handover(
    alarm: AlarmNumber,
    to: Annotated[str, typer.Argument(help="User name of the colleague.")],
    force: Force = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Give an alarm to a colleague.

    Example: vetlla queue handover 7 maria
    """
    _show(ask(state_dir, "queue.handover", alarm=alarm, to=to, force=force), as_json=as_json)


@app.command()
def escalate(
    alarm: AlarmNumber,
    why: Annotated[str, typer.Option(help="What the supervisor should know.")] = "",
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Put an alarm before a supervisor.

    Example: vetlla queue escalate 7 --why "no answer, door locked"
    """
    _show(ask(state_dir, "queue.escalate", alarm=alarm, why=why), as_json=as_json)


@app.command()
def test(
    account: Annotated[str | None, typer.Argument(help="Account as the device sends it; none: list them.")] = None,
    seconds: Annotated[float, duration("--for", help="How long, such as 30m (1h without it); 0 ends it.")] = 3600,
    reason: Annotated[str, typer.Option(help="Why, for the audit.")] = "",
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Put an account on test: its signals are stored and its alarms shown apart until the test expires.

    Example: vetlla queue test 1234 --for 30m --reason "installer on site"
    """
    columns = ("account", "until", "operator", "reason")
    if account is None:
        print_rows(ask(state_dir, "queue.tests"), columns, as_json=as_json)
    else:
        print_rows(
            [ask(state_dir, "queue.test", account=account, seconds=whole(seconds), reason=reason)],
            columns,
            as_json=as_json,
        )


def _show(alarm: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(alarm)
    else:
        durable = "" if alarm["durable"] else "  (not on the disk yet: the store has failed)"
        console().print(_sentence(alarm["state"], alarm) + durable, markup=False, soft_wrap=True)


def _row(alarm: dict[str, Any]) -> dict[str, Any]:
    return alarm | {"age": _clock(alarm["age_s"]), "t3": _clock(alarm["t3_s"])}


def _sentence(event: str, alarm: dict[str, Any]) -> str:
    holder = f" by {alarm['operator']}" if alarm["operator"] else ""
    more = f", {alarm['signals']} signals" if alarm["signals"] > 1 else ""
    return (
        f"{event}{holder}: alarm {alarm['id']} {alarm['priority']} home {alarm['home']}: {alarm['why']}{more}"
        f" (age {_clock(alarm['age_s'])}, t3 {_clock(alarm['t3_s'])})"
    )


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
