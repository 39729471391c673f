"""The whole year of a service, generated and judged: whether every planted breach is found, and nothing else.

    python -m bench.office.service_year [--homes 81052] [--year 2025] [--seed 1]

Duties, calls and alarms are judged. It prints what each import and the search for breaches cost, and ends with 1 if the
judge finds a difference.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from bench.office.communications import judge_alarms, judge_calls
from bench.office.duties import total
from bench.office.inventory import DAY, VETLLA, run
from bench.rig.machine import describe
from vetlla.service.calls.proofs import Proof
from vetlla.simulator.service_year import CALLS, EVENTS, PLAN, RECEIVER
from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Iterable


PBX_FORMATS = {"cdr": "asterisk-cdr", "queue_log": "asterisk-queue-log", "recordings": "rows"}
COMMUNICATIONS = {"call", "calls", "alarm", "alarms_urgent", "alarms_technical"}
"""Kinds of the plan that are no kinds of duties."""


def judge(plan: Iterable[dict[str, Any]], found: Iterable[dict[str, Any]]) -> list[str]:
    """Return each difference between the planted breaches and the breached duties that `duties list --json` found."""
    wanted = {(one["kind"], one["subject"], one["ref"]): one for one in plan if one["kind"] not in COMMUNICATIONS}
    breached = {(one["kind"], one["subject"], one["ref"]): one for one in found}
    differences = []
    for key, one in wanted.items():
        other = breached.get(key)
        if (one["verdict"] == "breached") != (other is not None):
            differences.append(f"{' '.join(key)} ({one['way']}): planted as {one['verdict']}")
        elif other is not None and one["worse"] != (other["worse"] is not None):
            differences.append(f"{' '.join(key)} ({one['way']}): {other['worse']}")
    differences += [f"{' '.join(key)}: not planted: {breached[key]['why']}" for key in breached.keys() - wanted.keys()]
    return differences


def lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _communications(out: Console, year: Path, state: Path) -> list[str]:
    """Import the calls, put the journal in its place, and judge both. Print what each costs."""
    shutil.copy(year / RECEIVER / JOURNAL, state / JOURNAL)
    costs = [
        run("calls", "import", file, "--format", form, state=state)
        for name, form in PBX_FORMATS.items()
        for file in sorted((year / CALLS).glob(f"{name}*"))
    ]
    size_mib = sum(file.stat().st_size for file in (year / CALLS).iterdir()) >> 20
    out.print(f"calls import of {len(costs)} files, {size_mib} MiB: {total(costs)}")
    months = [f"{_year_of(year)}-{month:02}" for month in range(1, 13)]
    out.print(f"calls report of a month: {run('calls', 'report', '--month', months[0], state=state, may_end=(0, 1))}")
    reports = [one for month in months for one in _answers(state, "calls", "report", "--month", month, "--json")]
    out.print(f"sla report of a month: {run('sla', 'report', '--month', months[3], state=state, may_end=(1,))}")
    lacking = [word for proof in Proof for word in ("--lacks", proof)]
    period = ("--since", f"{months[0]}-01", "--limit", "100000")
    found = _answers(state, "calls", "list", *period, *lacking, "--json")
    out.print(f"calls list --lacks of the year: {run('calls', 'list', *period, *lacking, state=state)}")
    plan = lines(year / PLAN)
    signals = _answers(state, "signals", "export")
    out.print(f"signals export of {len(signals)} alarms: {run('signals', 'export', state=state)}")
    return [*judge_calls(plan, reports, found), *judge_alarms(plan, signals)]


def _answers(state: Path, *arguments: str) -> list[dict[str, Any]]:
    """Return the objects that a command prints. A month that kept no standard ends its report with 1."""
    command = [*VETLLA, *arguments, "--state-dir", str(state)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()]


def _year_of(year: Path) -> str:
    """Return the year that the plan is of."""
    return str(lines(year / PLAN)[0]["month"][:4])


def main() -> None:
    """Generate, import and judge a year, and print the figures."""
    parser = argparse.ArgumentParser(description="The whole year of a service, generated and judged.")
    parser.add_argument("--homes", type=int, default=81_052)
    parser.add_argument("--year", type=int, default=2025)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    out = Console(highlight=False, soft_wrap=True)
    out.print(str(describe()))
    with tempfile.TemporaryDirectory(prefix="vetlla-bench-") as folder:
        year, state = Path(folder) / "year", Path(folder) / "state"
        state.mkdir()
        size = ("--homes", asked.homes, "--seed", asked.seed, "--year", asked.year)
        out.print(f"simulate year: {run('simulate', 'year', *size, '--out', year, state=None)}")
        for what in ("homes", "people", "devices"):
            run("inventory", "import", year / f"{what}.csv", "--what", what, *DAY, state=state)
        files = sorted((year / EVENTS).iterdir())
        size_mib = sum(file.stat().st_size for file in files) >> 20
        out.print(f"import of {len(files)} files, {size_mib} MiB, on one core: ", end="")
        out.print(str(total(run("duties", "import", file, state=state) for file in files)))
        differences = _communications(out, year, state)
        breached = Path(folder) / "breached.ndjson"
        command = [*VETLLA, "duties", "list", "--verdict", "breached", "--json", "--state-dir", str(state)]
        with breached.open("wb") as file:
            subprocess.run(command, stdout=file, check=True)
        out.print(f"duties list --verdict breached: {run(*command[len(VETLLA) : -2], state=state)}")
        plan = lines(year / PLAN)
        differences += judge(plan, lines(breached))
        planted = sum(one["verdict"] == "breached" for one in plan)
        out.print(f"{planted} planted breaches, {len(plan) - planted} near misses: {len(differences)} differences")
        for one in differences[:20]:
            out.print(one)
    sys.exit(bool(differences))


if __name__ == "__main__":
    main()
