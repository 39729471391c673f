"""Checks of the machine: disk, descriptors, clock.

Each check is a function that returns one or more findings. The checks change nothing, except for a temporary file with
which flushes to disk are timed. A check without permission to look returns UNKNOWN, not OK.
"""

from __future__ import annotations

import ctypes
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from vetlla.domain import permissions
from vetlla.domain.findings import Finding, Level, of_error
from vetlla.receiver.budget import SPARE_FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.settings.model import Settings

FLUSHES = 50
"""Enough for a stable median, and less than a second on a suitable disk."""
FLUSH_BYTES = 4096
FLUSH_SLOW_MS = 20.0
"""A spinning disk without a cache needs 8 ms; above 20 ms another program takes too much of the disk."""
FLUSH_FAILING_MS = 500.0
"""One flush of this length alone makes an alarm late."""
FLUSH_DOUBTED_MS = 0.015
"""No medium is that fast: the flush did not happen, and a power cut can lose acknowledged reports."""

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs", "fuse.glusterfs", "afs"})
"""File systems on which SQLite's shared memory does not work (sqlite.org/wal.html, section 1)."""
VOLATILE = frozenset({"tmpfs", "ramfs"})
_TIME_ERROR = 5
"""TIME_ERROR of adjtimex(2): the clock is not synchronised."""


def state_directory(settings: Settings) -> Iterator[Finding]:
    """Check the directory's permissions, its file system, the free space and the duration of a flush."""
    path = settings.state_dir
    try:
        mode = path.stat().st_mode
        yield _permissions(path, mode)
        yield _file_system(path, file_system_of(path))
        yield _room(settings)
    except PermissionError as error:
        yield of_error("state directory", error)
        return
    except OSError as error:
        remedy = f"install -d -o vetlla -g vetlla -m 0750 {path}"
        text = f"{path}: {error.strerror}"
        yield Finding(check="state directory", level=Level.CRITICAL, text=text, remedy=remedy)
        return
    try:
        with tempfile.NamedTemporaryFile(dir=path, prefix=".doctor-") as probe:
            yield flushes(_timed_flushes(probe.fileno()))
    except PermissionError:
        yield of_error("flush", permissions.refusal(path, "no flush was timed"))
    except OSError as error:
        text = f"{path}: writing failed: {error.strerror}"
        yield Finding(check="flush", level=Level.CRITICAL, text=text, remedy="free space, or mount it for writing")


def _permissions(path: Path, mode: int) -> Finding:
    if mode & 0o007:
        return Finding(
            check="state directory",
            level=Level.WARNING,
            text=f"{path} is open to every user of the machine ({mode & 0o777:04o})",
            remedy=f"chmod 0750 {path}",
        )
    return Finding(check="state directory", level=Level.OK, text=f"{path}, {mode & 0o777:04o}")


def file_system_of(path: Path) -> str:
    """Return the type of a directory's file system from mountinfo (proc(5)); "" if mountinfo does not show it."""
    device, place = path.stat().st_dev, path.resolve()
    number = f"{os.major(device)}:{os.minor(device)}"
    nearest, found = 0, ""
    with Path("/proc/self/mountinfo").open(encoding="utf-8", errors="replace") as mounts:
        for line in mounts:
            mount, _, rest = line.partition(" - ")
            fields = mount.split()
            if fields[2] == number:
                return rest.split()[0]
            # A subvolume of Btrfs has a device number of its own, which no mount shows.
            if place.is_relative_to(fields[4]) and len(fields[4]) > nearest:
                nearest, found = len(fields[4]), rest.split()[0]
    return found


def _file_system(path: Path, kind: str) -> Finding:
    if kind in _NETWORK:
        return Finding(
            check="file system",
            level=Level.CRITICAL,
            text=f"{path} is on {kind}, but the journal needs memory that processes of one machine share",
            remedy="put the state directory on a disk of this machine",
        )
    if kind in VOLATILE:
        return Finding(
            check="file system",
            level=Level.CRITICAL,
            text=f"{path} is on {kind}: a power cut loses acknowledged reports",
            remedy="put the state directory on a disk",
        )
    if not kind:
        return Finding(
            check="file system",
            level=Level.UNKNOWN,
            text=f"{path}: its file system is not among the mounts that this process sees",
            remedy=f"see its type with stat -f {path}: it must be on a disk of this machine",
        )
    return Finding(check="file system", level=Level.OK, text=kind)


def _room(settings: Settings) -> Finding:
    state = os.statvfs(settings.state_dir)
    free_mib = state.f_bavail * state.f_frsize >> 20
    least = settings.store.min_free_mib
    level = Level.CRITICAL if free_mib < least else Level.WARNING if free_mib < 2 * least else Level.OK
    return Finding(
        check="free space",
        level=level,
        text=f"{free_mib} MiB; below {least} MiB nothing is acknowledged",
        remedy="remove old backups and exports, or add space" if level else "",
        figures={"free_mib": free_mib, "min_free_mib": least},
    )


def _timed_flushes(descriptor: int) -> list[float]:
    durations = []
    for _ in range(FLUSHES):
        os.write(descriptor, bytes(FLUSH_BYTES))
        began = time.perf_counter()
        os.fdatasync(descriptor)
        durations.append((time.perf_counter() - began) * 1000)
    return durations


def flushes(durations_ms: list[float]) -> Finding:
    """Check how long fdatasync took: every acknowledgement waits for one."""
    middle, longest = statistics.median(durations_ms), max(durations_ms)
    level, remedy = Level.OK, ""
    if longest >= FLUSH_FAILING_MS:
        level, remedy = Level.CRITICAL, "find another heavy writer (iostat -x 1) or a failing disk (smartctl)"
    elif middle >= FLUSH_SLOW_MS:
        level, remedy = Level.WARNING, "use a faster disk, one with a protected write cache, or one for Vetlla alone"
    elif middle < FLUSH_DOUBTED_MS:
        level, remedy = Level.WARNING, "turn off the cache of the disk or hypervisor, unless it survives a power cut"
    return Finding(
        check="flush",
        level=level,
        text=f"fdatasync p50 {middle:.2f} ms, max {longest:.2f} ms",
        remedy=remedy,
        figures={"flush_p50_ms": round(middle, 3), "flush_max_ms": round(longest, 3)},
    )


def descriptors(connections: int, most: int | None, whose: str) -> Finding:
    """Compare how many files a process may open (None: no limit) with the number that the settings need."""
    needed = connections + SPARE_FILES
    if most is None:
        return Finding(check="descriptors", level=Level.OK, text=f"no limit {whose}, {needed} needed")
    figures = {"descriptors": most, "needed": needed}
    if most < needed:
        return Finding(
            check="descriptors",
            level=Level.WARNING,
            text=f"{most} {whose}, {needed} needed for limits.connections = {connections}",
            remedy="raise LimitNOFILE= in the unit (65536 as shipped) or ulimit -n, or lower limits.connections",
            figures=figures,
        )
    return Finding(check="descriptors", level=Level.OK, text=f"{most} {whose}, {needed} needed", figures=figures)


def own_descriptors() -> int | None:
    """Return how many descriptors this process may open; None if there is no limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if most == resource.RLIM_INFINITY else most


def clock() -> Finding:
    """Ask the kernel whether a time service synchronises its clock (adjtimex(2), only reading)."""
    answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))  # larger than any struct timex
    if answer == _TIME_ERROR:
        return Finding(
            check="clock",
            level=Level.WARNING,
            text="not synchronised: stamps may be wrong, and encrypted frames are refused if they seem too old",
            remedy="run a time service such as systemd-timesyncd or chrony",
        )
    if answer < 0:
        return Finding(
            check="clock",
            level=Level.UNKNOWN,
            text="the kernel does not show this process whether the clock is synchronised",
            remedy="run timedatectl on the machine itself",
        )
    return Finding(check="clock", level=Level.OK, text="synchronised")
