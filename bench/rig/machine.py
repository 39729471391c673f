"""Describes the machine of a measurement. Figures mean nothing without it."""

from __future__ import annotations

import os
import platform
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

SYNCS = 500


class Machine(NamedTuple):
    """The properties of a machine that influence the figures."""

    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    sqlite: str
    sync_p50_ms: float
    """Time of an fdatasync of 8 appended KiB, on the disk of the receivers' state directories."""
    sync_p99_ms: float
    load: float
    """Load average when the run began. Above a few tenths, other work on the machine changes the figures."""

    def __str__(self) -> str:
        return (
            f"{self.processor}, {self.cores} cores, {self.memory_gib:.0f} GiB; {self.system}; Python {self.python}, "
            f"SQLite {self.sqlite}; fdatasync of 8 KiB p50 {self.sync_p50_ms:.3f} ms, p99 {self.sync_p99_ms:.3f} ms; "
            f"load at the start {self.load:.2f}"
        )


def describe() -> Machine:
    """Return the properties of this machine, and measure its disk."""
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    meminfo = Path("/proc/meminfo").read_text(encoding="utf-8")
    p50, p99 = _syncs()
    return Machine(
        processor=cpuinfo.partition("model name")[2].partition(":")[2].partition("\n")[0].strip() or platform.machine(),
        cores=os.cpu_count() or 0,
        memory_gib=int(meminfo.partition("MemTotal:")[2].split()[0]) / (1 << 20),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        sync_p50_ms=p50 * 1e3,
        sync_p99_ms=p99 * 1e3,
        load=os.getloadavg()[0],
    )


def _syncs() -> tuple[float, float]:
    times = []
    with tempfile.TemporaryFile() as file:
        for _ in range(SYNCS):
            file.write(b"x" * 8192)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    times.sort()
    return times[SYNCS // 2], times[SYNCS * 99 // 100]
