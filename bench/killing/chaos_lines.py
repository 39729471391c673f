"""kill -9 of a receiver under line receivers that were emulated after their manuals, and the judge of both ledgers.

    python -m bench.killing.chaos_lines [--events N] [--kills-every S] [--seed N] [--json] [--only NAME ...]

For each way to a line receiver, an emulator (``bench/line_emulator``) sends its share of the events, with lost ACKs,
cut and damaged messages, noise, glued repetitions and true second calls. Meanwhile the receiver is killed at random
instants and started again. The emulator's judge then compares the emulator's ledger with the journal: nothing
acknowledged is missing, nothing is stored twice, and no second call was taken for a repetition. The exit status is 1 if
it finds a fault.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.table import Table

from bench.killing.receiver import Receiver, free_port
from bench.line_emulator.judge import StoredRow, judge
from bench.rig.machine import describe
from vetlla.protocols.codes.tables import CONTACT_ID
from vetlla.store.journal.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bench.line_emulator.judge import Verdict

LONGEST_S = 3_000.0
"""Longest time of one run. 100,000 events take some five minutes."""
KILLS_EVERY_S = 4.0
"""Mean time from ready to kill."""
HOMES = 400
FAULTS = (
    "--second-calls", "0.03", "--lost-ack", "0.01", "--cut", "0.02", "--damage", "0.003", "--noise", "0.01",
    "--glued", "0.003", "--ack-wait", "1", "--lost-ack-wait", "0.05", "--settle", "0.02", "--heartbeat", "0.5",
    "--longest-pause", "0.01",
)  # fmt: skip
"""Faults of the line, and shorter times than those of a real receiver, whose run would take days."""
_SIGNALS = """
SELECT id, part, receiver, line, account, code, phase, system, area, device, raw FROM signals
WHERE listener = 'sg' AND id > ? ORDER BY id LIMIT 5000
"""
_PHASES = {"new": "E", "restore": "R", "status": "P"}


class Run(NamedTuple):
    """One way to a line receiver, and its dialect."""

    name: str
    protocol: str
    port: str
    """The keys of the ``[[line]]`` table; ``{place}`` is the device or port."""
    emulator: tuple[str, ...]


RUNS = (
    Run("serial, MLR2", "surgard", 'serial = {{ device = "{place}" }}', ("--pty", "{place}", "--model", "mlr2")),
    Run(
        "we connect, System 5, B32",
        "surgard",
        'connect = {{ host = "127.0.0.1", port = {place} }}\noptions = {{ line_width = "3" }}',
        ("--listen", "127.0.0.1:{place}", "--model", "system5", "--b32", "--half", "0.001"),
    ),
    Run(
        "it connects, MLR2000",
        "surgard",
        'accept = {{ host = "127.0.0.1", port = {place} }}',
        ("--connect", "127.0.0.1:{place}", "--model", "mlr2000", "--half", "0.001"),
    ),
    Run(
        "serial, Ademco 685",
        "ademco685",
        'serial = {{ device = "{place}" }}',
        ("--pty", "{place}", "--model", "ademco685"),
    ),
)


class JournalRows:
    """The signals of the port in the form that the judge compares."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir

    def rows(self) -> Iterable[StoredRow]:
        """Yield all stored events of the port."""
        last, raw = 0, b""
        with Archive(self._state_dir) as archive:
            while rows := archive.read(_SIGNALS, (last,)):
                for row in rows:
                    raw = row["raw"] if row["part"] == 1 else raw  # the bytes of a frame are stored once
                    yield StoredRow(
                        receiver=row["receiver"],
                        line=row["line"],
                        account=row["account"],
                        code=_code(row["system"], row["code"], row["phase"]),
                        area=row["area"],
                        zone=row["device"],
                        frame=raw.hex(),
                        report=str(row["id"] - row["part"]),
                    )
                last = rows[-1]["id"]


def _code(system: str, code: str, phase: str) -> str:
    return f"{_PHASES[phase]}{code}" if system == CONTACT_ID.system else code.partition("-")[0]


class Kills:
    """Kills a receiver again and again until the emulator has ended."""

    def __init__(self, receiver: Receiver, random: Random, every_s: float) -> None:
        self._receiver = receiver
        self._random = random
        self._every_s = every_s
        self.count = 0

    def until_ended(self, emulator: subprocess.Popen[bytes]) -> int:
        """Return the emulator's exit status."""
        began = time.monotonic()
        while time.monotonic() - began < LONGEST_S:
            with suppress(subprocess.TimeoutExpired):
                return emulator.wait(self._random.expovariate(1 / self._every_s) if self._every_s else None)
            self._receiver.kill()
            self.count += 1
            self._receiver.start()
            self._receiver.await_ready()
        raise TimeoutError(f"the emulator did not end within {LONGEST_S} s")


def attempt(run: Run, events: int, every_s: float, seed: int, directory: Path) -> tuple[Verdict, int, float]:
    """Return what the judge found in one run, how often the receiver was killed, and how long the run took."""
    serial = "serial" in run.port
    place = str(directory / "tty") if serial else str(free_port())
    line = f'[[line]]\nname = "sg"\nprotocol = "{run.protocol}"\n{run.port.format(place=place)}\n'
    receiver = Receiver(directory, config=line)
    ledger = directory / "emulator.jsonl"
    command = [
        sys.executable, "-m", "bench.line_emulator", *(part.format(place=place) for part in run.emulator), *FAULTS,
        "--homes", str(HOMES), "--seed", str(seed), "--events", str(events), "--ledger", str(ledger),
    ]  # fmt: skip
    homes = subprocess.run([*command, "--list-homes"], check=True, capture_output=True, text=True).stdout.split()
    receiver.register("account\n" + "".join(f"{home}\n" for home in sorted(set(homes))))
    began = time.monotonic()
    emulator = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        receiver.start()
        receiver.await_ready()
        kills = Kills(receiver, Random(seed), every_s)
        kills.until_ended(emulator)
    finally:
        emulator.kill()
        emulator.wait()
        receiver.kill()
    took_s = time.monotonic() - began
    return judge(ledger, JournalRows(receiver.state_dir)), kills.count, took_s


def _all(runs: Sequence[Run], events: int, every_s: float, seed: int) -> Iterator[dict[str, object]]:
    for number, run in enumerate(runs):
        directory = Path(tempfile.mkdtemp(prefix="chaos-lines-"))
        share = events // len(runs) + (number < events % len(runs))
        verdict, kills, took_s = attempt(run, share, every_s, seed + number, directory)
        if verdict.passed:
            shutil.rmtree(directory)
        else:
            print(f"{run.name}: ledger and journal are kept in {directory}", file=sys.stderr)
        yield {
            "run": run.name,
            "kills": kills,
            "seconds": round(took_s, 1),
            "passed": verdict.passed,
            **asdict(verdict),
        }


def main() -> int:
    """Run all ways, print a table or lines of JSON, and return the exit status."""
    parser = argparse.ArgumentParser(prog="bench.killing.chaos_lines", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="events of all runs together")
    parser.add_argument("--kills-every", type=float, default=KILLS_EVERY_S, help="seconds; 0 never kills")
    parser.add_argument("--seed", type=int, default=2027)
    parser.add_argument("--json", action="store_true", help="one line of JSON for each run")
    parser.add_argument("--only", action="append", default=[], help="a part of the name of a run")
    asked = parser.parse_args()
    runs = [run for run in RUNS if not asked.only or any(part in run.name for part in asked.only)]
    table = Table("run", "events", "kills", "s", "lost", "twice", "second calls", "swallowed", "unknown", "passed")
    passed = True
    for row in _all(runs, asked.events, asked.kills_every, asked.seed):
        passed = passed and bool(row["passed"])
        if asked.json:
            print(json.dumps(row), flush=True)
        shown = ("judged", "kills", "seconds", "acknowledged_not_stored", "stored_twice", "second_calls")
        rest = ("second_calls_swallowed", "stored_unknown", "passed")
        table.add_row(str(row["run"]), *(str(row[name]) for name in (*shown, *rest)))
    if not asked.json:
        console = Console()
        console.print(table)
        console.print(describe())
    return 0 if passed else 1


if __name__ == "__main__":
    raise SystemExit(main())
