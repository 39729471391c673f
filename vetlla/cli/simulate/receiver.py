"""``vetlla simulate receiver`` acts as a line receiver towards the computer of an alarm centre."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import contextmanager
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
import uvloop
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from vetlla.cli.kit.exits import verdict
from vetlla.cli.kit.lines import BAUD, MODE, Baud, Mode, SerialDevice, one_way, teller_of_failures
from vetlla.cli.kit.moments import duration
from vetlla.cli.kit.option_groups import with_option_groups
from vetlla.cli.kit.options import AsJson
from vetlla.cli.kit.output import console, print_json, talk
from vetlla.cli.simulate.callers import HOMES, file_accounts
from vetlla.cli.simulate.options import LOST, RATE, SEEDS, Calling, Ending, chosen_seed
from vetlla.domain.errors import UsageError
from vetlla.links.wire.serial_port import SerialPort
from vetlla.links.wire.way import Accept
from vetlla.protocols.automation.fields import END_MARKS, LineForm
from vetlla.protocols.automation.talker import Patience
from vetlla.protocols.automation.writers import WRITERS
from vetlla.simulator.ledger import entry
from vetlla.simulator.line_receiver.calls import invented_accounts
from vetlla.simulator.line_receiver.plan import LINES_MOST, ReceiverCounts, ReceiverPlan, ReceiverReport
from vetlla.simulator.line_receiver.run import report as run_report
from vetlla.simulator.weights import LineFaults, Mix
from vetlla.tables import delimited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vetlla.links.wire.way import Way
    from vetlla.simulator.message import Message

PATIENCE = Patience()
REFRESH_S = 0.2
"""Time between two updates of the progress."""
TERMINALS = "/dev/pts/"
"""Serial ports here are other programs of this machine, such as socat."""
HEADING = (
    "receiver", "line", "account", "token", "sequence", "data", "fate", "attempts", "sent_at", "settled_at",
)  # fmt: skip
PROGRESS = (
    SpinnerColumn(),
    TextColumn("{task.completed:,.0f} acknowledged", markup=False),
    BarColumn(bar_width=30),
    TimeElapsedColumn(),
    TextColumn("{task.fields[trouble]}", style="yellow", markup=False),
)


class Writing(NamedTuple):
    """Options that say how the receiver is programmed to write."""

    receiver: Annotated[str, typer.Option(metavar="HEX", help="Number of the receiver.")] = "01"
    lines: Annotated[int, typer.Option(min=1, max=LINES_MOST, help="Telephone lines on which homes call.")] = 4
    line_width: Annotated[int | None, typer.Option(help="Characters of the line field (surgard: 1 to 7).")] = None
    account_width: Annotated[int | None, typer.Option(help="Characters of the account (4 to 8).")] = None
    end: Annotated[str | None, typer.Option(help=f"End mark: {', '.join(END_MARKS)}.")] = None
    header: Annotated[bool, typer.Option("--header", help="Put a B32 header before each frame (surgard).")] = False


class Waiting(NamedTuple):
    """Options that say how patient the receiver is."""

    answer_within: Annotated[
        float, duration("--answer-within", help="How long it waits for an answer (4s; receivers have 4 to 9.9).")
    ] = PATIENCE.answer_s
    tries: Annotated[int, typer.Option(help="Sendings without ACK after which the computer counts as absent.")] = (
        PATIENCE.tries
    )
    beat_every: Annotated[float, duration("--beat-every", help="Silence after which it sends a heartbeat (30s).")] = (
        PATIENCE.heartbeat_s
    )


@with_option_groups
def receiver(
    *,
    protocol: Annotated[str, typer.Option(metavar="PROTOCOL", help=f"Its dialect: {', '.join(sorted(WRITERS))}.")] = (
        "surgard"
    ),
    serial: SerialDevice = "",
    baud: Baud = BAUD,
    mode: Mode = MODE,
    connect: Annotated[str, typer.Option(metavar="HOST:PORT", help="Connect to the computer.")] = "",
    accept: Annotated[str, typer.Option(metavar="HOST:PORT", help="Wait here until the computer connects.")] = "",
    calling: Calling,
    closed: Annotated[
        bool, typer.Option("--closed", help="Let each call follow the ACK of the one before, instead of --rate.")
    ] = False,
    ending: Ending,
    writing: Writing,
    waiting: Waiting,
    mix: Annotated[
        str,
        typer.Option(
            show_default=False,
            metavar="TEXT",
            help="Weights of events; default alarms=5, technical=5, tests=30, without blanks.",
        ),
    ] = "alarms=5,technical=5,tests=30",
    faults: Annotated[
        str, typer.Option(help="Shares of faults: damage, parity, endless, glued, duplicate, torn; caller of calls.")
    ] = "",
    ledger: Annotated[
        Path | None, typer.Option(readable=False, help="Write every message and its result here, as CSV.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help=f"Repeat the run with this seed (below {SEEDS:,}).")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask before invented alarms go to another machine or a real port.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Act as a line receiver: send invented events, repeat them, buffer them, beat, and measure the answers.

    One message is outstanding. Without ACK it is sent again, and after --tries the receiver sends only heartbeats until
    one is acknowledged. Its events wait meanwhile, and then leave in their order.

    Exit status: 0 every message was acknowledged, 1 any was not. Ctrl-C ends the calls and prints the results so far.

    Example: vetlla simulate receiver --protocol surgard --connect 127.0.0.1:4001 --reports 500 --closed --ledger x.csv
    """
    if closed and calling.rate is not None:
        raise UsageError("--closed and --rate exclude each other", remedy="--closed calls as fast as answers come back")
    way = one_way(serial=serial, baud=baud, mode=mode, connect=connect, accept=accept)
    form = LineForm(
        line_width=writing.line_width, account_width=writing.account_width, end=writing.end, header=writing.header
    )
    plan = ReceiverPlan(
        protocol=protocol,
        accounts=_accounts(calling, form),
        receiver=writing.receiver,
        lines=writing.lines,
        form=form,
        patience=Patience(answer_s=waiting.answer_within, tries=waiting.tries, heartbeat_s=waiting.beat_every),
        rate=None if closed else calling.rate or RATE,
        reports=ending.reports,
        duration_s=ending.after_s(None),
        mix=Mix.parse(mix),
        faults=LineFaults.parse(faults),
        seed=chosen_seed(seed),
    )
    _agree(way, len(plan.accounts), yes=yes)
    with _opened_ledger(ledger) as settled:
        result = _run(plan, way, settled)
    with verdict(0 if result.complete else LOST):
        if as_json:
            said = {"protocol": protocol, "seed": plan.seed}
            print_json({**said, **asdict(result), "complete": result.complete})
        else:
            console().print(_table(result, plan))


def _accounts(calling: Calling, form: LineForm) -> tuple[str, ...]:
    if calling.accounts is not None:
        return tuple(account.account for account in file_accounts(calling.accounts))[: calling.homes]
    return invented_accounts(calling.homes or HOMES, form.account_width or 4)


def _agree(way: Way, homes: int, *, yes: bool) -> None:
    """Ask before invented alarms leave this machine. Raises UsageError if there is no terminal to ask at."""
    if yes or _is_of_this_machine(way):
        return
    where = way.device if isinstance(way, SerialPort) else f"{way.host}:{way.port}"
    if not sys.stdin.isatty():
        raise UsageError(
            f"invented alarms of {homes} homes would go to {where}, which is not this machine",
            remedy="give --yes if no service in operation listens there",
        )
    if not typer.confirm(f"Send invented alarms of {homes} homes to {where}?", err=True):
        raise typer.Exit(os.EX_USAGE)


def _is_of_this_machine(way: Way) -> bool:
    if isinstance(way, SerialPort):
        return str(Path(way.device).resolve()).startswith(TERMINALS)
    if way.host == "localhost":
        return True
    try:
        return ip_address(way.host).is_loopback
    except ValueError:
        return False


@contextmanager
def _opened_ledger(file: Path | None) -> Iterator[Callable[[Message], None]]:
    """Yield a function that writes a settled message. Raises UsageError if the file cannot be written."""
    if file is None:
        yield lambda _message: None
        return
    try:
        out = file.open("w", encoding="ascii", newline="")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", remedy="name a file that can be written") from error
    with out:
        writer = delimited.Writer(out)
        writer.row(HEADING)

        def write(message: Message) -> None:
            fields = entry(message)
            writer.row([fields[name] for name in HEADING])

        yield write


def _run(plan: ReceiverPlan, way: Way, settled: Callable[[Message], None]) -> ReceiverReport:
    counts = ReceiverCounts()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(_simulate(plan, way, counts, settled))
        except asyncio.CancelledError:
            done = counts.talker.acknowledged
            talk().print(f"stopped early: {done:,} of {counts.told:,} messages were acknowledged")
            raise typer.Exit(LOST) from None


async def _simulate(
    plan: ReceiverPlan, way: Way, counts: ReceiverCounts, settled: Callable[[Message], None]
) -> ReceiverReport:
    """Run the plan. The first stop signal ends the calls, the second one the run."""
    stop = asyncio.Event()
    screen = talk()
    failed = teller_of_failures()

    def opened(host: str, port: int) -> None:
        if isinstance(way, Accept):
            screen.print(f"waiting for the computer on {host}:{port}", soft_wrap=True, markup=False)

    running = asyncio.ensure_future(
        run_report(plan, way, stop=stop, counts=counts, settled=settled, failed=failed, opened=opened)
    )

    def stopped() -> None:
        if stop.is_set():
            running.cancel()
        else:
            stop.set()
            screen.print("no further calls; waiting for the last acknowledgements, Ctrl-C again ends at once")

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped)
    if not sys.stderr.isatty():
        return await running
    with Progress(*PROGRESS, console=screen, transient=True) as progress:
        task = progress.add_task("", total=plan.reports, trouble="")
        while not running.done():
            progress.update(task, completed=counts.talker.acknowledged, trouble=_trouble(counts))
            await asyncio.wait({running}, timeout=REFRESH_S)
    return running.result()


def _trouble(counts: ReceiverCounts) -> str:
    talker = counts.talker
    waiting = counts.told - talker.acknowledged
    told = {"waiting": waiting if waiting > 1 else 0, "repeated": talker.repeated, "NAK": talker.refused}
    told["times absent"] = talker.absences
    return "  ".join(f"{count:,} {name}" for name, count in told.items() if count)


def _table(report: ReceiverReport, plan: ReceiverPlan) -> Table:
    """Return the result as a table."""
    rows = Table(box=None, show_header=False, pad_edge=False)
    rows.add_column(justify="right", style="bold")
    rows.add_column()
    load = "as fast as answers came" if plan.rate is None else f"{plan.rate:g}/s wanted"
    rows.add_row(f"{report.told:,}", f"messages of {report.homes:,} homes in {report.seconds:.1f} s, {plan.protocol}")
    rows.add_row(f"{report.acknowledged:,}", f"acknowledged: {report.per_second:,.0f}/s ({load})")
    rows.add_row(f"{report.lost:,}", "lost: not acknowledged")
    told = (
        (report.repeated, "repeated"),
        (report.nak, "NAK"),
        (report.absences, f"times absent, together {report.absent_s:.1f} s"),
        (report.heartbeats, "heartbeats"),
        (report.strays, "answers that no message waited for"),
        (report.connections, "connections, or openings of the port"),
    )
    for count, meaning in told:
        if count:
            rows.add_row(f"{count:,}", meaning)
    if report.p50_us is not None:
        for name in ("p50", "p90", "p99", "max"):
            rows.add_row(f"{getattr(report, f'{name}_us') / 1000:.2f} ms", f"{name} from due to acknowledged")
    rows.add_row(str(plan.seed), "seed: --seed repeats the same events and faults")
    rows.add_row("complete" if report.complete else "INCOMPLETE", "" if report.complete else "see above")
    return rows
