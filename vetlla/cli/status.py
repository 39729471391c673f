"""``vetlla status`` shows whether the receiver is ready, where it listens, and what it has counted."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.text import Text

from vetlla.cli.kit import control
from vetlla.cli.kit.moments import Utc, duration, shown_iso, span
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, print_json
from vetlla.domain.errors import LinkError
from vetlla.domain.onward import SinkState
from vetlla.receiver.control.messages.receiver import ShowStatus

if TYPE_CHECKING:
    from vetlla.receiver.control.messages.receiver import LinePortFacts, Status
    from vetlla.receiver.control.messages.sinks import SinkSheet
    from vetlla.receiver.control.messages.supervision import FleetHealth

POLL_S = 0.1
"""Polling interval of ``status --wait``. A daemon that is not running cannot notify us."""


def status(
    state_dir: StateDir = DEFAULT_STATE_DIR,
    wait: Annotated[
        float, duration("--wait", help="Wait up to this long until the receiver is ready, such as 30s.")
    ] = 0.0,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Show whether the receiver is ready, where it listens, and what it has counted.

    Exit status: 0 ready, 69 no receiver or not ready.

    Example: vetlla status --wait 10 --json
    """
    answer = _await_ready(state_dir, wait)
    if as_json:
        print_json(answer)
    else:
        _print(answer)
    if not answer["ready"]:
        raise LinkError(f"not ready: {answer['why']}", remedy="see its log; operators can still work the open alarms")


def _await_ready(state_dir: Path, wait: float) -> Status:
    deadline = time.monotonic() + wait
    while True:
        try:
            answer = control.ask(state_dir, ShowStatus())
        except LinkError:
            if time.monotonic() >= deadline:
                raise
        else:
            if answer["ready"] or time.monotonic() >= deadline:
                return answer
        time.sleep(POLL_S)


def _print(answer: Status) -> None:
    out = console()
    state = ("ready", "green") if answer["ready"] else (f"NOT READY: {answer['why']}", "red")
    out.print(Text.assemble(f"vetlla {answer['version']}: ", state, f", since {shown_iso(answer['since'])}"))
    for place in answer["listening"]:
        where = f"{place['host']}:{place['port']}"
        if place["transport"] == "spool":
            link = ("watched", "") if place.get("connected") else ("NOT USABLE", "red")
            out.print(Text.assemble(f"  {place['name']}: {place['protocol']} in {place['host']}, ", link))
        elif "connected" in place:
            link = ("connected", "") if place["connected"] else ("NOT CONNECTED", "red")
            out.print(Text.assemble(f"  {place['name']}: {place['protocol']} at broker {where}, ", link))
        else:
            out.print(f"  {place['name']}: {place['protocol']} over {place['transport']} on {where}")
    for line in answer.get("lines", ()):
        _print_line(line)
    if http := answer["http"]:
        out.print(f"  http://{http['host']}:{http['port']}/metrics")
    counts, store = answer["counts"], answer["store"]
    out.print(
        f"  {counts['signals']} signals, {counts['duplicates']} duplicates, {counts['refused']} refused, "
        f"{counts['rejects']} rejects, {counts['heartbeats']} heartbeats, {counts['connections']} connections"
    )
    alarms = ", ".join(f"{count} {name}" for name, count in counts["alarms_open"].items()) or "none"
    out.print(f"  alarms open: {alarms}; {counts['waiting']} waiting")
    if fleet := answer.get("supervision"):  # missing if a receiver of an older version still runs after an upgrade
        _print_fleet(fleet)
    for sink in answer.get("sinks", ()):
        _print_sink(sink)
    out.print(
        f"  store {store['state']}, {store['free_bytes'] >> 20} MiB free, last commit {store['commit_ms_last']} ms"
    )


def _print_sink(sink: SinkSheet) -> None:
    waits = f", {sink['waiting']} signals wait, the oldest for {span(sink['lag_s'])}" if sink["waiting"] else ""
    why = f": {sink['why']}" if sink["why"] else ""
    style = "" if sink["state"] == SinkState.WORKING else "red"
    state = (f"{sink['state']}{why}", style)
    console().print(Text.assemble(f"  sink {sink['name']}: {sink['kind']} to {sink['address']}, ", state, waits))


def _print_line(line: LinePortFacts) -> None:
    link = ("open", "") if line["open"] else (f"NOT OPEN: {line['why']}", "red")
    heard = f", last frame {shown_iso(line['heard'])}" if line["heard"] else ", no frame since the start"
    damaged = f", {line['damaged']} times damaged bytes" if line["damaged"] else ""
    out = console()
    out.print(Text.assemble(f"  {line['name']}: {line['protocol']} at {line['place']}, ", link, heard, damaged))
    if line["parity"]:
        out.print(
            Text(f"    the receiver seems to send 7 bits with {line['parity']} parity: set the port to it", "red")
        )


def _print_fleet(fleet: FleetHealth) -> None:
    out = console()
    states = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in fleet["states"].items() if count)
    out.print(f"  supervision: {states or 'no device'}; {fleet['incidents_open']} incidents open")
    for one in fleet["incidents"]:
        line = f"    incident {one['incident']}: {one['label']}, {one['lost']} lost since {shown_iso(one['opened'])}"
        out.print(line)
