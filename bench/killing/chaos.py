"""``make chaos``: kill -9 at random instants under load, restart, and compare what was acknowledged with the journal.

    python -m bench.killing.chaos [--loops N] [--terminals N] [--seed N] [--json]

It checks after every start, while the receiver runs under the same load: no acknowledged report is missing or stored
twice while its alarm is open; the audit chain is intact; every acknowledged pendant call is in the queue or closed; and
no confirmed work of the operator is lost. The exit status is 1 if any check fails.
"""

from __future__ import annotations

import argparse
import json
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from itertools import cycle
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.killing.receiver import Receiver, free_port
from bench.killing.terminals import LIFE, Ledger, Manner, Operator, Report, Terminal
from bench.killing.victim import READY_S
from bench.rig.machine import describe
from vetlla.cli.queue.pages import pages
from vetlla.domain.signals import Key
from vetlla.receiver.control.messages.queue import ListAlarms
from vetlla.store.journal import audit
from vetlla.store.journal.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

SETTLE_S = 3.0
"""Time that closings under way during a comparison may take to reach the disk."""
LIFE_S = 0.6
"""Longest time from ready to kill: enough for hundreds of commits and several checkpoints."""
LOOPS_PER_JOURNAL = 20
"""Loops on one journal. After each start the whole journal is read, and a longer one would take most of the time."""
STILLBORN = 0.15
"""Share of the loops in which the receiver is killed once more while it starts."""
KEY_NAME = "chaos"

_SIGNALS = """
SELECT s.id, s.account, s.sequence, s.code, s.area, s.device, s.alarm_id, a.closed_us <= c.began_us AS behind
FROM signals AS s JOIN commits AS c ON c.id = s.commit_id LEFT JOIN alarms AS a ON a.id = s.alarm_id
WHERE s.id > ? ORDER BY s.id LIMIT 5000
"""
_UNOPENED = "SELECT count(*) AS n FROM signals WHERE code = ? AND alarm_id IS NULL"
_ALARMS = "SELECT id, state FROM alarms ORDER BY id"
_CLOSINGS = "SELECT substr(subject, 7) AS alarm FROM audit WHERE action = 'close' AND subject LIKE 'alarm %'"
_NOTES = "SELECT alarm_id FROM notes"


@dataclass(slots=True)
class KillTally:
    """Counts of the loops and of the faults found."""

    loops: int = 0
    kills: int = 0
    acknowledged: int = 0
    stored: int = 0
    attempts: int = 0
    repeats_recognised: int = 0
    closed: int = 0
    missing: int = 0
    """Reports that were acknowledged but are not in the journal."""
    twice: int = 0
    """Reports that are in the journal more than once."""
    flaws: int = 0
    """Flaws of the audit chain."""
    calls_lost: int = 0
    """Pendant calls stored without an alarm, or whose alarm is neither in the queue nor closed."""
    undone: int = 0
    """Closings and notes that were confirmed but are not in the journal."""
    refused: int = 0
    """Answers that should have been acknowledgements."""
    restart_ms: list[float] = field(default_factory=list)
    """Times from exec to ready, in milliseconds."""

    def __add__(self, other: KillTally) -> KillTally:
        """Return the sum of both."""
        return KillTally(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def faults(self) -> int:
        """Number of faults of every kind."""
        return self.missing + self.twice + self.flaws + self.calls_lost + self.undone + self.refused


class Journal:
    """The content of the journal so far. Each look reads on from where the last one ended."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._last = 0
        self.reports: Counter[Report] = Counter()
        self.alarms: dict[Report, int] = {}
        self.twice = 0
        """Reports stored again with the same alarm. After the alarm was closed, the same report is another call."""
        self._stored_with: set[tuple[Report, int | None]] = set()

    def look(self) -> None:
        """Read the signals stored since the last look."""
        with Archive(self._state_dir) as archive:
            while rows := archive.read(_SIGNALS, (self._last,)):
                for row in rows:
                    report = Report(row["account"], row["sequence"], row["code"], row["area"], row["device"])
                    self.reports[report] += 1
                    # Reports of a runaway device are kept with an alarm that was closed before their verdict. They may
                    # have been received just before the closing, because operators' actions go first in a batch.
                    self.twice += not row["behind"] and (report, row["alarm_id"]) in self._stored_with
                    self._stored_with.add((report, row["alarm_id"]))
                    if row["code"] == LIFE and row["alarm_id"] is not None:
                        self.alarms[report] = row["alarm_id"]
                self._last = rows[-1]["id"]


def missing(told: Iterable[Report], reports: Mapping[Report, int]) -> list[Report]:
    """Return the acknowledged reports that are not stored."""
    return [report for report in told if not reports.get(report)]


class Chaos:
    """A state directory, the load on it, and the receivers that run over it one after the other."""

    def __init__(self, directory: Path, *, terminals: int, seed: int) -> None:
        self.tally = KillTally()
        self.ledger = Ledger()
        self._random = Random(seed)
        port = free_port()
        self._receiver = Receiver(directory, "--listen", f"dc09=127.0.0.1:{port}")
        self._state_dir = self._receiver.state_dir
        self._stop = threading.Event()
        self._key = Key(name=KEY_NAME, secret=secrets.token_bytes(16))
        accounts = [f"{number:04}" for number in range(terminals)]
        manners = cycle(
            [
                Manner("tcp", keeps_line=True, key=None),
                Manner("udp", keeps_line=True, key=None),
                Manner("tcp", keeps_line=True, key=self._key),
                Manner("tcp", keeps_line=False, key=None),
                Manner("udp", keeps_line=True, key=self._key),
            ]
        )
        self._terminals = [
            Terminal(
                account,
                port,
                manner,
                seed=self._random.randrange(1 << 32),
                ledger=self.ledger,
                stop=self._stop,
            )
            for account, manner in zip(accounts, manners, strict=False)
        ]
        self._operator = Operator(self._state_dir, self._stop)
        self._journal = Journal(self._state_dir)
        self._receiver.tell("keys", "set", KEY_NAME, "--hex", text=self._key.secret.hex())
        rows = "".join(f"{name},H-{name},{KEY_NAME if int(name) % 5 in {2, 4} else ''}\n" for name in accounts)
        self._receiver.register(f"account,home,key_name\n{rows}")

    @contextmanager
    def load(self) -> Iterator[None]:
        """Run the terminals and the operator during the block."""
        threads: Sequence[threading.Thread] = [*self._terminals, self._operator]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(READY_S)

    @contextmanager
    def receiver(self) -> Iterator[None]:
        """Start a receiver, wait until it is ready, and kill it at the end of the block."""
        self._receiver.start()
        try:
            began = time.perf_counter()
            self._receiver.await_ready()
            self.tally.restart_ms.append((time.perf_counter() - began) * 1e3)
            yield
        finally:
            self._receiver.kill()
        self.tally.kills += 1

    def loop(self) -> None:
        """Start a receiver, check what the previous run left, run under load for a random time, and kill it."""
        if self._random.random() < STILLBORN and self.tally.restart_ms:
            self._receiver.start()
            self._stop.wait(self._random.uniform(0, self.tally.restart_ms[-1] / 1e3))
            self._receiver.kill()
            self.tally.kills += 1
        with self.receiver():
            self.check()
            self.ledger.await_more(1, READY_S)
            self._stop.wait(self._random.uniform(0, LIFE_S))
        self.tally.loops += 1

    def check(self, *, again: bool = False) -> None:
        """Compare the current ledgers with the journal, which may only be ahead of them.

        With ``again`` read the whole journal, not only what was added since the last check.
        """
        tally, operator = self.tally, self._operator
        told = self.ledger.acknowledged()
        closed, noted = set(operator.closed), set(operator.noted)
        if again:
            self._journal = Journal(self._state_dir)
        self._journal.look()
        reports = self._journal.reports
        with Archive(self._state_dir) as archive:
            flaws = list(audit.verify(archive.read))
            alarms = {row["id"]: row["state"] for row in archive.read(_ALARMS)}
            (unopened,) = archive.read(_UNOPENED, (LIFE,))
            notes = {row["alarm_id"] for row in archive.read(_NOTES)}
            (repeats,) = archive.read("SELECT coalesce(sum(count), 0) AS n FROM duplicates")
        queue = {alarm["id"] for alarm in pages(self._state_dir, ListAlarms())}
        tally.acknowledged, tally.stored = len(told), sum(reports.values())
        tally.attempts, tally.refused = self.ledger.attempts, self.ledger.refused
        tally.repeats_recognised, tally.closed = repeats["n"], len(closed)
        tally.missing = len(missing(told, reports))
        tally.twice = self._journal.twice
        tally.flaws = len(flaws)
        # A report that is stored but not acknowledged yet may not be in the queue yet.
        called = {self._journal.alarms[report] for report in told if report in self._journal.alarms}
        tally.calls_lost = unopened["n"] + len(self._not_closed(called - queue))
        tally.undone = sum(alarms.get(alarm) != "closed" for alarm in closed) + len(noted - notes)

    def _not_closed(self, alarms: set[int]) -> set[int]:
        """Return the alarms that are not closed. Wait for the operator's last closing, which may not be on disk yet."""
        deadline = time.monotonic() + SETTLE_S
        while alarms and time.monotonic() < deadline:
            with Archive(self._state_dir) as archive:
                alarms = alarms - {int(row["alarm"]) for row in archive.read(_CLOSINGS)}
        return alarms


def run(directory: Path, *, loops: int, terminals: int, seed: int, progress: Progress) -> KillTally:
    """Run the loops, a fixed number on each journal. Stop at the first fault and keep its state directory."""
    total = KillTally()
    task = progress.add_task("kill -9", total=loops)
    for first in range(0, loops, LOOPS_PER_JOURNAL):
        chaos = Chaos(directory / f"{first}", terminals=terminals, seed=seed + first)
        with chaos.load():
            for _ in range(min(LOOPS_PER_JOURNAL, loops - first)):
                chaos.loop()
                acknowledged = total.acknowledged + chaos.tally.acknowledged
                progress.update(task, advance=1, description=f"kill -9: {acknowledged:,} acknowledged")
                if chaos.tally.faults:
                    return total + chaos.tally
        with chaos.receiver():
            chaos.check(again=True)
        total += chaos.tally
        if total.faults:
            break
    return total


def main() -> int:
    """Run the loops and print the result."""
    parser = argparse.ArgumentParser(prog="bench.killing.chaos", description=__doc__)
    parser.add_argument("--loops", type=int, default=100)
    parser.add_argument("--terminals", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="default: a new random seed, which is printed")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    options = parser.parse_args()
    seed = secrets.randbelow(1 << 32) if options.seed is None else options.seed
    out = Console(stderr=options.json)
    directory = Path(tempfile.mkdtemp(prefix="vetlla-chaos-"))
    began = time.monotonic()
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        tally = run(directory, loops=options.loops, terminals=options.terminals, seed=seed, progress=progress)
    seconds = time.monotonic() - began
    if options.json:
        print(json.dumps({"seed": seed, "seconds": seconds, **asdict(tally)}))
    else:
        _print(tally, seed, seconds, out)
    if tally.faults:
        out.print(f"[red]{tally.faults} faults[/red]: see the journal and the log in {directory}", highlight=False)
        return 1
    shutil.rmtree(directory)
    return 0


def _print(tally: KillTally, seed: int, seconds: float, out: Console) -> None:
    restarts = sorted(tally.restart_ms)
    table = Table("what", "how many", title=f"{tally.kills} kills in {seconds:.0f} s, seed {seed}")
    table.columns[1].justify = "right"
    for name, count in asdict(tally).items():
        if isinstance(count, int):
            table.add_row(name.replace("_", " "), f"{count:,}")
    table.add_row("exec to ready, median", f"{restarts[len(restarts) // 2]:,.0f} ms")
    table.add_row("exec to ready, longest", f"{restarts[-1]:,.0f} ms")
    out.print(str(describe()), highlight=False)
    out.print(table)


if __name__ == "__main__":
    sys.exit(main())
