"""``vetlla sinks`` shows and steers what the receiver sends onward to other systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from vetlla.cli.kit.control import ask
from vetlla.cli.kit.moments import Since, Until, Utc, shown_iso, span, within
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, DryRun, StateDir
from vetlla.cli.kit.output import console, print_json, print_rows, talk
from vetlla.cli.sinks.checking import check
from vetlla.domain.errors import LinkError, UsageError
from vetlla.receiver.control.messages.sinks import (
    ListSinks,
    PauseSink,
    ProbeSink,
    ReplaySink,
    ResumeSink,
    SkipSignal,
    StopReplay,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.receiver.control.messages.sinks import FormerSink, SinkChanged, SinkSheet

app = typer.Typer(help="Show and steer what the receiver sends onward to other systems.", no_args_is_help=True)

COLUMNS = ("sink", "state", "waiting", "lag", "position", "delivered", "failures", "to", "why")
ANSWER_S = 45.0
"""How long a test may take: longer than the receiver waits for the peer."""

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the sink, as in the configuration.")]
Reason = Annotated[str, typer.Option("--reason", help="Reason, for the audit and for people who ask.")]


@app.command("list")
def list_sinks(
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """List the sinks: what each does, how many stored signals it has not sent, and the age of the oldest.

    Sinks that are no longer configured are listed too: one that is configured again goes on at its position.

    Example: vetlla sinks list
    """
    found = ask(state_dir, ListSinks())
    if as_json:
        for one in (*found["sinks"], *({**former, "state": "not configured"} for former in found["others"])):
            print_json({**one})
        return
    print_rows((*map(_row, found["sinks"]), *map(_former_row, found["others"])), COLUMNS, as_json=False)


def _row(one: SinkSheet) -> dict[str, object]:
    return {
        "sink": one["name"],
        "state": one["state"],
        "waiting": one["waiting"],
        "lag": span(one["lag_s"]) if one["waiting"] else "",
        "position": one["position"],
        "delivered": one["delivered"],
        "failures": one["failures"],
        "to": f"{one['kind']} {one['address']}",
        "why": "; ".join(_why(one)),
    }


def _former_row(one: FormerSink) -> dict[str, object]:
    why = f"no [[sink]] table; sent until {shown_iso(one['moved'])}"
    return {"sink": one["name"], "state": "not configured", "position": one["position"], "why": why}


def _why(one: SinkSheet) -> Iterator[str]:
    if paused := one["pause"]:
        yield f"paused by {paused['operator']} since {shown_iso(paused['since'])}: {paused['reason']}"
    if one["blocked_on"] is not None:
        yield f"signal {one['blocked_on']}"
    if one["why"]:
        yield f"{one['why']} -> {one['remedy']}" if one["remedy"] else one["why"]
    if again := one["replay"]:
        yield f"signals {again['after'] + 1} to {again['upto']} are sent again"


# --- orders -----------------------------------------------------------------------------------------------------------


@app.command()
def pause(
    name: Name,
    reason: Reason,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Pause a sink until it is resumed, also over a restart. Its signals wait in the journal.

    The command needs the role of an engineer.

    Example: vetlla sinks pause city --reason "their server moves"
    """
    _tell(ask(state_dir, PauseSink(sink=name, reason=reason)), as_json=as_json)


@app.command()
def resume(
    name: Name,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """End a pause; a sink whose peer was away or refused a signal tries again at once.

    The command needs the role of an engineer.

    Example: vetlla sinks resume city
    """
    _tell(ask(state_dir, ResumeSink(sink=name)), as_json=as_json)


@app.command()
def replay(
    name: Name,
    reason: Annotated[str, typer.Option("--reason", help="Reason, for the audit; required unless --stop.")] = "",
    since: Since = "",
    until: Until = "",
    from_signal: Annotated[
        int | None, typer.Option("--from-signal", metavar="NUMBER", min=1, help="From this number on.")
    ] = None,
    to_signal: Annotated[
        int | None, typer.Option("--to-signal", metavar="NUMBER", min=1, help="Up to this number.")
    ] = None,
    stop: Annotated[bool, typer.Option("--stop", help="End a replay.")] = False,
    dry_run: DryRun = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Send signals again that the sink has passed, marked as replayed. New signals go first.

    Name the beginning with --since or --from-signal; without an end, all up to the sink's position is sent again. The
    command needs the role of an engineer.

    Example: vetlla sinks replay city --since 2h --reason "they lost a disk"
    """
    if stop:
        _tell(ask(state_dir, StopReplay(sink=name)), as_json=as_json)
        return
    if not reason:
        raise UsageError("a replay needs a reason", remedy='add --reason "..."')
    since_us, until_us = within(since, until)
    asked = ReplaySink(
        sink=name,
        reason=reason,
        since_us=since_us,
        until_us=until_us,
        from_signal=from_signal,
        to_signal=to_signal,
        dry_run=dry_run,
    )
    done = ask(state_dir, asked)
    if as_json:
        print_json({**done})
        return
    console().print(f"signals {done['first']} to {done['last']} again: {done['signals']}, less those its filter drops")
    _tell_durable(done["durable"])


@app.command()
def skip(
    name: Name,
    reason: Reason,
    dry_run: DryRun = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Leave out the one signal that the peer of a blocked sink refuses, so that the next ones are sent.

    The audit keeps the signal's number, your name and the reason. The command needs the role of an engineer.

    Example: vetlla sinks skip city --reason "their form has no field for it; told them by telephone"
    """
    sheets = {one["name"]: one for one in ask(state_dir, ListSinks())["sinks"]}
    number = sheets[name]["blocked_on"] if name in sheets else None
    if number is None:
        raise UsageError(f"sink {name} is not blocked", remedy="vetlla sinks list")
    if dry_run:
        if as_json:
            print_json({"sink": {**sheets[name]}, "signal": number, "durable": None})
        else:
            console().print(f"signal {number}: vetlla signals show {number}")
            _tell_durable(None)
        return
    _tell(ask(state_dir, SkipSignal(sink=name, signal=number, reason=reason)), as_json=as_json)


@app.command("test")
def test_sink(
    name: Name,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    as_json: AsJson = False,
) -> None:
    """Send an invented signal, marked as such, and tell how the peer answered and in what time.

    It is not stored, and works for a paused sink too. The command needs the role of an engineer.

    Exit status: 0 the peer took it, 69 it did not.

    Example: vetlla sinks test city
    """
    done = ask(state_dir, ProbeSink(sink=name), timeout_s=ANSWER_S)
    if as_json:
        print_json({**done})
    elif done["ok"]:
        console().print(f"{done['address']} took it in {done['took_ms']:.0f} ms")
    if not done["ok"]:
        raise LinkError(f"{done['address']} did not take it: {done['why']}", remedy=done["remedy"])


app.command()(check)


def _tell(done: SinkChanged, *, as_json: bool) -> None:
    if as_json:
        print_json({**done})
        return
    print_rows([_row(done["sink"])], COLUMNS, as_json=False)
    _tell_durable(done["durable"])


def _tell_durable(durable: bool | None) -> None:
    if durable is None:
        talk().print("dry run: nothing was changed")
    elif not durable:
        talk().print("not on the disk yet: the store has failed", style="yellow")
