"""``vetlla queue`` lets operators work the queue, through the control socket of the running receiver."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.text import Text

from vetlla.cli.kit.control import ask
from vetlla.cli.kit.moments import Utc, duration, shown_iso, span, whole
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, OfLine, OfReceiver, StateDir, formerly
from vetlla.cli.kit.output import console, print_json, print_rows, talk
from vetlla.cli.kit.tables import TABLE_ROWS, Limit, print_some
from vetlla.cli.queue.card import NoCard, fields_beside, show_beside
from vetlla.cli.queue.pages import count, pages
from vetlla.cli.queue.rows import asks, table, why
from vetlla.cli.queue.show import AlarmNumber, show
from vetlla.cli.queue.watch import watch
from vetlla.cli.queue.words import answered, ordered
from vetlla.domain.alarms import AlarmOutcome, State
from vetlla.domain.signals import Priority
from vetlla.receiver.control.messages.queue import (
    AnswerAlarm,
    ClaimAlarm,
    CloseAlarm,
    EscalateAlarm,
    HandOverAlarm,
    ListAlarms,
    ListTests,
    NoteAlarm,
    OrderTest,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from vetlla.receiver.control.messages.queue import AlarmFields, StepDone

_E = TypeVar("_E")

app = typer.Typer(help="Work the queue of alarms.", no_args_is_help=True)

Force = Annotated[
    bool, typer.Option("--force", help="As a supervisor, do it even if another operator holds the alarm.")
]


def _one_of(known: Mapping[str, _E]) -> Callable[[str], _E]:
    """Return a parser of these words, in upper or lower case."""

    def read(word: str) -> _E:
        found = next((one for name, one in known.items() if name.casefold() == word.casefold()), None)
        if found is None:
            raise typer.BadParameter(f"should be one of {', '.join(known)}")
        return found

    return read


def _chosen(name: str, known: Mapping[str, _E], what: str) -> Any:  # noqa: ANN401 - typer's option has no public type
    """Return a repeatable option that takes these words."""
    said = f"{what}: {', '.join(known)}; repeatable."
    return typer.Option(name, parser=_one_of(known), metavar=name.strip("-").upper(), help=said)


PRIORITIES = {one.name: one for one in Priority if one is not Priority.ROUTINE}
STATES = {one.value: one for one in State if one is not State.CLOSED}
Priorities = Annotated[list[Priority] | None, _chosen("--priority", PRIORITIES, "Only with this priority")]
States = Annotated[list[State] | None, _chosen("--state", STATES, "Only in this state")]

COLUMNS = (
    "id", "priority", "state", "operator", "home", "account", "age", "t3", "signals", "escalated", "why", "asks",
)  # fmt: skip


@app.command("list")
def list_alarms(
    *,
    priority: Priorities = None,
    state: States = None,
    home: Annotated[str, typer.Option(metavar="CODE", help="Only of this home, in upper or lower case.")] = "",
    account: Annotated[str, typer.Option(metavar="ACCOUNT", help="Only of this account, in upper or lower case.")] = "",
    mine: Annotated[bool, typer.Option("--mine", help="Only those that you hold.")] = False,
    on_test: Annotated[bool, typer.Option("--on-test", help="List those of accounts on test instead.")] = False,
    limit: Limit = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """List the open alarms in the order in which they should be worked: priority, then age.

    On a terminal an alarm takes one line, and a second one for its reason if there is no room beside it.

    Example: vetlla queue list --mine
    """
    asked = ListAlarms(
        priorities=tuple(priority or ()),
        states=tuple(state or ()),
        home=home,
        account=account,
        mine=mine,
        on_test=on_test,
    )
    is_all = not (priority or state or home or account or mine or on_test)
    found, out = pages(state_dir, asked), console()
    if as_json or not out.is_terminal:
        rows = found if as_json else map(_row, found)
        print_some(rows, COLUMNS, limit, as_json=as_json, total=lambda: count(state_dir, asked))
        if is_all and not as_json and (apart := _apart(state_dir)):
            talk().print(apart, soft_wrap=True)
        return
    alarms = list(islice(found, limit or TABLE_ROWS))
    for one in table(alarms, out.width) if alarms else ():
        out.print(one, soft_wrap=True)
    if (more := count(state_dir, asked) - len(alarms)) > 0:
        talk().print(f"{more} more: --limit N shows more, --json all")
    if is_all and (apart := _apart(state_dir)):
        out.print(Text(apart, style="dim"), soft_wrap=True)


def _apart(state_dir: Path) -> str:
    """Return a line with the number of alarms whose accounts are on test; "" if there are no such alarms."""
    apart = count(state_dir, ListAlarms(on_test=True))
    if not apart:
        return ""
    life = count(state_dir, ListAlarms(on_test=True, priorities=(Priority.LIFE,)))
    urgent = f", {life} of them LIFE" if life else ""
    return f"{apart} of accounts on test{urgent}: vetlla queue list --on-test"


@app.command()
def claim(
    alarm: Annotated[int | None, typer.Argument(help="Number of the alarm. Default: the first that waits.")] = None,
    force: Force = False,
    no_card: NoCard = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Claim an alarm: no other operator can while your lease lasts, and each of your actions renews it.

    Below it stands the card of the home in short. The reading is recorded with the alarm as its reason.

    Example: vetlla queue claim
    """
    done = ask(state_dir, ClaimAlarm(alarm=alarm, force=force))
    if as_json:
        print_json({**done, **fields_beside(state_dir, done["home"], done["id"], no_card=no_card)})
        return
    _tell(done, as_json=False)
    show_beside(state_dir, done["home"], done["id"], no_card=no_card)


@app.command()
def answer(
    alarm: AlarmNumber, force: Force = False, state_dir: StateDir = DEFAULT_STATE_DIR, as_json: AsJson = False
) -> None:
    """Record that you are speaking with the home: t3 ends here.

    Example: vetlla queue answer 7
    """
    _tell(ask(state_dir, AnswerAlarm(alarm=alarm, force=force)), as_json=as_json)


@app.command()
def note(
    alarm: AlarmNumber,
    text: Annotated[str, typer.Argument(help="Text of the note.")],
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Add a note to an alarm.

    Example: vetlla queue note 7 "neighbour has the keys"
    """
    _tell(ask(state_dir, NoteAlarm(alarm=alarm, text=text)), as_json=as_json)


@app.command()
def close(
    alarm: AlarmNumber,
    outcome: Annotated[AlarmOutcome, typer.Option("--outcome", "-o", help="How the alarm ended.")],
    force: Force = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Close an alarm with its outcome.

    Example: vetlla queue close 7 --outcome handled_by_voice
    """
    _tell(ask(state_dir, CloseAlarm(alarm=alarm, outcome=outcome, force=force)), as_json=as_json)


@app.command()
def handover(
    alarm: AlarmNumber,
    to: Annotated[str, typer.Argument(help="User name of the other operator.")],
    force: Force = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Give an alarm to another operator.

    Example: vetlla queue handover 7 maria
    """
    _tell(ask(state_dir, HandOverAlarm(alarm=alarm, to=to, force=force)), as_json=as_json)


@app.command(context_settings=formerly(why="reason"))
def escalate(
    alarm: AlarmNumber,
    reason: Annotated[str, typer.Option("--reason", help="What the supervisor should know.")] = "",
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Put an alarm before a supervisor.

    Example: vetlla queue escalate 7 --reason "no answer, door locked"
    """
    _tell(ask(state_dir, EscalateAlarm(alarm=alarm, why=reason)), as_json=as_json)


@app.command()
def test(
    account: Annotated[
        str | None, typer.Argument(help="A registered account. Without it the command lists all tests.")
    ] = None,
    seconds: Annotated[
        float, duration("--for", help="How long the test lasts, such as 30m; 0 ends it. Default: 1h.")
    ] = 3600,
    reason: Annotated[str, typer.Option("--reason", help="Reason, for the audit.")] = "",
    receiver: OfReceiver = None,
    line: OfLine = None,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Put a registered account on test: its signals are stored and its alarms shown apart until the test expires.

    If you end the test, its alarms are closed as test calls. An emergency that no person closes goes before a
    supervisor when the test expires, or after `queue.test_unseen_s`. Order the test again to start this time again.

    Example: vetlla queue test 1234 --for 30m --reason "installer on site"
    """
    if account is None:
        tests = ask(state_dir, ListTests())
        shown = tests if as_json else (one | {"until": shown_iso(one["until"])} for one in tests)
        print_rows(shown, ("account", "receiver", "line", "until", "operator", "reason"), as_json=as_json)
        return
    order = OrderTest(account=account, receiver=receiver, line=line, seconds=whole(seconds), reason=reason)
    done = ask(state_dir, order)
    if as_json:
        print_json(done)
    else:
        console().print(ordered(done), soft_wrap=True)


def _tell(answer: StepDone, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        console().print(answered(answer), soft_wrap=True)


def _row(alarm: AlarmFields) -> dict[str, object]:
    return {
        **alarm,
        "age": span(alarm["age_s"]),
        "t3": span(alarm["t3_s"]),
        "why": why(alarm),
        "asks": asks(alarm),
    }


for _command in (show, watch):
    app.command()(_command)
