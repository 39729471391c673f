"""``vetlla probe run``."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer
import uvloop

from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.findings import print_check, read_or_unknown
from vetlla.cli.kit.moments import Utc, duration, to_the_second
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, json_line, print_json, talk
from vetlla.cli.kit.registry import CLOCK
from vetlla.domain.errors import UsageError
from vetlla.domain.findings import Finding, Level
from vetlla.domain.permissions import no_link
from vetlla.domain.plainfile import open_file
from vetlla.domain.probes import ProbeResult
from vetlla.service.probes.lines import fields
from vetlla.settings.probes import load_probe_settings
from vetlla.simulator.probing.rounds import COUNT_MOST, Pace, ProbeRun

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    from vetlla.domain.probes import Probe

USUAL: Final = Path("/etc/vetlla-probe/probe.toml")
INTERVAL_S: Final = 30.0
INTERVAL_LEAST_S: Final = 1.0
"""Shortest interval. Each probe of a signal is kept in the receiver's journal for as long as other signals."""
OUT_MOST: Final = 256 << 20
"""Most bytes of the file of probes. A month of 12 components, each probed every 30 s, has 250 MB."""
NOT_OK: Final = 1


class Looking(NamedTuple):
    """Options that say what is probed, and how often."""

    config: Annotated[
        Path,
        typer.Option(
            "--config",
            "-c",
            envvar="VETLLA_PROBE_CONFIG",
            metavar="FILE",
            readable=False,
            show_default=False,
            help=f"What to probe. Default: {USUAL.name} in {USUAL.parent}.",
        ),
    ] = USUAL
    component: Annotated[
        list[str] | None, typer.Option("--component", metavar="NAME", help="Only this component; may be repeated.")
    ] = None
    once: Annotated[bool, typer.Option("--once", help="Probe once. This is the default without --interval.")] = False
    interval: Annotated[
        float | None,
        duration("--interval", help=f"Probe again after this time ({INTERVAL_S:.0f}s).", least_s=INTERVAL_LEAST_S),
    ] = None
    rounds: Annotated[
        int | None,
        typer.Option("--count", min=1, max=COUNT_MOST, help=f"Rounds. Default with --interval: {COUNT_MOST:,}."),
    ] = None

    def pace(self) -> Pace:
        """Return how often to probe. Raises UsageError."""
        if self.once and (self.interval is not None or self.rounds is not None):
            raise UsageError("--once excludes --interval and --count", remedy="leave --once out")
        if self.interval is None and self.rounds is None:
            return Pace()
        return Pace(self.rounds or COUNT_MOST, INTERVAL_S if self.interval is None else self.interval)

    def ready(self) -> ProbeRun:
        """Return the components, ready to be probed. Raises ConfigError and UsageError."""
        settings = load_probe_settings(self.config)
        wanted = set(self.component or ())
        if unknown := wanted - {one.name for one in settings.component}:
            raise UsageError(f"{self.config} has no component {min(unknown)}", remedy="correct --component")
        if wanted:
            kept = [one for one in settings.component if one.name in wanted]
            settings = settings.model_copy(update={"component": kept})
        return ProbeRun(settings, CLOCK)


@with_option_groups
def run(
    *,
    looking: Looking,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", readable=False, help="Add the probes to this file, as NDJSON."),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Answer as a monitoring plug-in, after one round.")] = False,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Send a real test signal or request to each component, and tell whether the right answer came, and how fast.

    Signals are periodic tests of accounts that are nothing but a probe's: no operator sees them. Ctrl-C and SIGTERM end
    the run after the round that has begun. Times are in the zone of this machine, which stands beside each.

    Exit status: 0 all probes were ok, 1 one was not. With --check 0, 2 if one was not, 1 if one could not be seen
    through, 3 if nothing could be probed.

    Example: vetlla probe run --config /etc/vetlla-probe/probe.toml --interval 30s --out probes.ndjson
    """
    if check:
        _check(looking, out, as_json=as_json)
        return
    ready, pace = looking.ready(), looking.pace()
    found = _Results()
    with _written(out) as write:
        _run(ready, pace, lambda probe: found.take(probe, write, as_json=as_json))
    with verdict(NOT_OK if found.bad else 0):
        if not as_json and pace.rounds > 1:
            talk().print(f"{found.all} probes, {found.bad} not ok")


class _Results:
    """Prints each probe as it ends, and counts."""

    def __init__(self) -> None:
        self.all = self.bad = 0

    def take(self, probe: Probe, write: Callable[[Probe], None], *, as_json: bool) -> None:
        self.all += 1
        self.bad += probe.result is not ProbeResult.OK
        write(probe)
        if as_json:
            print_json(fields(probe))
            return
        through = f", seen through to the {probe.through}" if probe.through else ""
        reason = f": {probe.reason}" if probe.reason else ""
        console().print(
            f"{to_the_second(probe.started_us)}  {probe.component:<16} {probe.result:<7}"
            f" {probe.duration_us / 1_000:9.1f} ms{through}{reason}",
            soft_wrap=True,
        )


def _check(looking: Looking, out: Path | None, *, as_json: bool) -> None:
    def read() -> tuple[list[Finding], str]:
        if looking.pace().rounds > 1:
            raise UsageError("--check probes once", remedy="leave --interval and --count out")
        probes: list[Probe] = []
        ready = looking.ready()
        with _written(out) as write:

            def told(probe: Probe) -> None:
                probes.append(probe)
                write(probe)

            _run(ready, Pace(), told)
        bad = [one for one in sorted(probes, key=lambda one: (one.part, one.component)) if one.reason]
        good = sum(one.result is ProbeResult.OK for one in probes)
        return [_finding(one) for one in bad], f"{good} of {len(probes)} components reached"

    print_check("PROBE", *read_or_unknown("probe", "nothing could be probed", read), as_json=as_json)


def _finding(probe: Probe) -> Finding:
    is_ok = probe.result is ProbeResult.OK
    return Finding(
        check="probe",
        level=Level.WARNING if is_ok else Level.CRITICAL,
        text=f"{probe.component}: {probe.reason}",
        remedy="let this machine read the journal" if is_ok else "look at it from the centre: vetlla doctor",
        figures={"duration_us": probe.duration_us},
    )


def _run(ready: ProbeRun, pace: Pace, told: Callable[[Probe], None]) -> None:
    async def rounds() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await ready.rounds(pace, stop, told)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(rounds())


@contextmanager
def _written(out: Path | None) -> Iterator[Callable[[Probe], None]]:
    """Yield what adds a probe to the file, each line at once: a machine that loses its power leaves all whole lines."""
    with ExitStack() as stack:
        file = stack.enter_context(_opened(out)) if out else None

        def write(probe: Probe) -> None:
            if file is not None:
                file.write(json_line(fields(probe)))
                file.flush()

        yield write


def _opened(out: Path) -> TextIO:
    """Open the file to add to its end. Raises UsageError if it cannot be written, or is too large."""
    try:
        file = os.fdopen(no_link(out, os.O_APPEND), "a", encoding="utf-8")
        if file.tell() > OUT_MOST:
            file.close()
            raise UsageError(f"{out} has more than {OUT_MOST >> 20} MiB", remedy="import it, and move it away")
        if _ends_in_a_line(out):
            file.write("\n")
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}", remedy="name a file that can be written") from error
    return file


def _ends_in_a_line(out: Path) -> bool:
    """Return True if the last line has no end, because the machine lost its power: the next probe begins a new line."""
    with open_file(out) as file:
        if not file.seek(0, os.SEEK_END):
            return False
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"
