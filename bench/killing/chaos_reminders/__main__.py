"""kill -9 of the reminder service at random instants, and a comparison with what the systems around it saw.

    python -m bench.killing.chaos_reminders [--kills N] [--seed N] [--quick] [--json]

A simulated Orchestra, WhatsApp and SMS gateway live on, while ``vetlla reminders run`` is killed and started again.
Meanwhile the office books, moves and cancels, citizens confirm and cancel, and providers have bad moments. Many kills
come at the instant of a call: when it is on its way, or when its answer is. At the end a service runs undisturbed, and
what the simulated systems saw is judged. The exit status is 1 if a message was sent twice, wrongly, or never, or if a
cancellation or a reply was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.killing.chaos_reminders.configuring import configure
from bench.killing.chaos_reminders.judging import FAULTS, Judge
from bench.killing.chaos_reminders.leaping import LeapingClock
from bench.killing.chaos_reminders.people import AHEAD_S, People
from bench.killing.chaos_reminders.seen import What
from bench.killing.chaos_reminders.stored import stored
from bench.killing.chaos_reminders.town import INSTANTS, Town
from bench.killing.chaos_reminders.trap import Trap
from bench.killing.receiver import free_port
from bench.killing.victim import READY_S, Victim
from bench.rig.machine import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.killing.chaos_reminders.judging import Verdict

BOOKED_FOR_EACH_KILL: Final = 3
LIFE_S: Final = 3.5
"""Longest time from ready to kill."""
DOWN_S: Final = 0.3
"""Longest time from a kill to the next start."""
STILLBORN: Final = 0.12
"""Share of lives that may end before the service is ready."""
AT_A_CALL: Final = 0.6
"""Share of lives that end at the instant of a call."""
MOST_PASSED: Final = 3
"""A trap strikes at the first to the third call of its kind."""
LATER_S: Final = 0.02
"""Half of the kills at a call come up to this time after its instant."""
LEAPS: Final = ((0.05, 130.0), (0.02, 660.0))
"""Shares of kills after which the clock leaps: past the end of a lease, and past the wait for a report."""
LAST_LEAPS: Final = (0.0, 130.0, 660.0, 130.0, 330.0, 660.0, 330.0, 14_700.0, 330.0)
"""Leaps at the end, each when all is quiet: leases, unknown outcomes, closed channels, an Orchestra that was away, and
the four hours after which a message without a report goes by SMS."""
QUICK_LIFE_S: Final = 1.0
QUICK_AHEAD_S: Final = (1.0, 4.0)
QUIET_S: Final = 1.6
"""All is quiet when nothing was seen for this time, which is more than each pace of the service."""
LOOK_S: Final = 0.005


@dataclass(slots=True)
class Kills:
    """Counts of the kills."""

    kills: int = 0
    before_ready: int = 0
    at_a_call: dict[str, int] = field(default_factory=lambda: dict.fromkeys(INSTANTS, 0))
    leaps: int = 0
    ready_ms: list[float] = field(default_factory=list)


class ReminderChaos:
    """A town, and the services that run in it one after the other."""

    def __init__(self, directory: Path, seed: int, *, is_quick: bool = False) -> None:
        """Prepare. A quick one has short lives, and ends as soon as no message and no reply is missing."""
        self.kills = Kills()
        self._is_quick = is_quick
        self._life_s = QUICK_LIFE_S if is_quick else LIFE_S
        self._directory = directory
        self._random = Random(seed)
        self._clock = LeapingClock(directory / "ahead")
        self._trap = Trap()
        self._port = free_port()
        self._seed = seed
        leaping = (sys.executable, "-m", "bench.killing.chaos_reminders.leaping", directory / "ahead")
        command = (*leaping, "reminders", "run", "--config", directory / "reminders.toml")
        self._victim = Victim(command, directory / "service.log")

    async def run(self, kills: int, progress: Progress) -> Verdict:
        """Kill services, let the last one work undisturbed, and judge."""
        task = progress.add_task("kill -9", total=kills)
        town = Town(self._clock, seed=self._seed, service_port=self._port, passed=self._trap.passed)
        async with town:
            configure(town, self._directory, self._port)
            people = People(town, self._random, QUICK_AHEAD_S if self._is_quick else AHEAD_S)
            work = asyncio.create_task(people.work())
            while self.kills.kills < kills:
                people.appointments += BOOKED_FOR_EACH_KILL
                await self._life(town)
                progress.update(task, advance=1, description=f"kill -9: {len(town.log):,} things seen")
                await asyncio.sleep(self._random.uniform(0, DOWN_S))
                self._leap()
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work
            people.behave()
            await self._last_life(town)
            return self._judged(town)

    def _judged(self, town: Town) -> Verdict:
        return Judge(town.log, stored(self._directory / "state", self._clock)).judge()

    async def _life(self, town: Town) -> None:
        """Start a service and kill it."""
        random, victim, kills = self._random, self._victim, self.kills
        is_trapped = random.random() < AT_A_CALL
        if is_trapped:
            later_s = random.choice((0.0, random.uniform(0, LATER_S)))
            self._trap.arm(victim, random.choice(INSTANTS), random.randint(1, MOST_PASSED), later_s)
        else:
            self._trap.disarm()
        victim.start()
        began, ready_at = time.monotonic(), 0.0
        limit = None
        if kills.ready_ms and random.random() < STILLBORN:
            limit = began + random.uniform(0, sorted(kills.ready_ms)[len(kills.ready_ms) // 2] / 1e3)
        while not victim.has_ended():
            if not ready_at and victim.has_told_ready():
                ready_at = time.monotonic()
                kills.ready_ms.append((ready_at - began) * 1e3)
                limit = limit or ready_at + (self._life_s if is_trapped else random.uniform(0, self._life_s))
            if limit is not None and time.monotonic() > limit:
                break
            if time.monotonic() - began > READY_S:
                raise RuntimeError(f"the service did not become ready: see {self._directory / 'service.log'}")
            await asyncio.sleep(LOOK_S)
        kills.before_ready += not ready_at and not victim.has_told_ready()
        victim.kill()
        town.see(What.KILLED)
        kills.kills += 1
        if self._trap.struck:
            kills.at_a_call[self._trap.struck] += 1
        self._trap.disarm()

    def _leap(self) -> None:
        chance = self._random.random()
        for share, seconds in LEAPS:
            if chance < share:
                self._clock.leap(seconds)
                self.kills.leaps += 1
                return
            chance -= share

    async def _last_life(self, town: Town) -> None:
        """Let a service work until all is quiet, also after each leap of the clock."""
        self._victim.start()
        await asyncio.to_thread(self._victim.await_ready)
        for seconds in LAST_LEAPS[self._is_quick :]:
            self._clock.leap(seconds)
            await self._quiet(town)
            if self._is_quick and not self._judged(town).faults:
                break
        status = await asyncio.to_thread(self._victim.stop)
        if status != 0:
            raise RuntimeError(f"the service ended with status {status}: see {self._directory / 'service.log'}")

    async def _quiet(self, town: Town) -> None:
        seen, since = -1, time.monotonic()
        while time.monotonic() - since < QUIET_S:
            if len(town.log) != seen:
                seen, since = len(town.log), time.monotonic()
            await asyncio.sleep(LOOK_S * 10)


def main() -> int:
    """Kill, judge, and print the result."""
    parser = argparse.ArgumentParser(prog="bench.killing.chaos_reminders", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None, help="default: a new random seed, which is printed")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.add_argument("--quick", action="store_true", help="short lives and a short end, to check that it runs")
    options = parser.parse_args()
    seed = secrets.randbelow(1 << 32) if options.seed is None else options.seed
    out = Console(stderr=options.json, highlight=False, soft_wrap=True)
    directory = Path(tempfile.mkdtemp(prefix="vetlla-chaos-reminders-"))
    began = time.monotonic()
    chaos = ReminderChaos(directory, seed, is_quick=options.quick)
    with Progress(console=out, transient=True, disable=not out.is_terminal) as progress:
        verdict = asyncio.run(chaos.run(options.kills, progress))
    told = {"seed": seed, "seconds": round(time.monotonic() - began, 1), **asdict(chaos.kills), **asdict(verdict)}
    if options.json:
        print(json.dumps(told))
    else:
        _print(told, out)
    if verdict.faults:
        out.print(f"[red]{verdict.faults} faults[/red]: see the database and the log in {directory}")
        for line in verdict.told:
            out.print(line, markup=False)
        return 1
    shutil.rmtree(directory)
    return 0


def _print(told: dict[str, Any], out: Console) -> None:
    ready: Sequence[float] = sorted(told.pop("ready_ms")) or [0.0]
    at_a_call = told.pop("at_a_call")
    told.pop("told")
    table = Table("what", "how many", title=f"{told['kills']} kills in {told['seconds']:.0f} s, seed {told['seed']}")
    table.columns[1].justify = "right"
    for name, count in told.items():
        if name not in {"seed", "seconds"}:
            style = "red" if name in FAULTS and count else ""
            table.add_row(name.replace("_", " "), f"{count:,}", style=style)
    for name, count in at_a_call.items():
        table.add_row(f"kills at: {name}", f"{count:,}")
    table.add_row("exec to ready, median / longest", f"{ready[len(ready) // 2]:,.0f} / {ready[-1]:,.0f} ms")
    out.print(table)
    out.print(str(describe()))


if __name__ == "__main__":
    sys.exit(main())
