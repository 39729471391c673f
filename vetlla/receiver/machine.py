"""What a machine must offer to a receiver, looked at before a home depends on it: ``vetlla doctor``.

Each check is a function that returns a finding or several; none changes anything but for a temporary file whose
flushes to disk are timed.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import platform
import resource
import sqlite3
import statistics
import tempfile
import time
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vetlla.errors import ConfigError, LinkError, VetllaError
from vetlla.receiver.budget import SPARE_FILES
from vetlla.receiver.listeners.bind import bind, tls_context
from vetlla.receiver.listeners.mqtt import probe
from vetlla.settings.model import Listen
from vetlla.store.journal import JOURNAL
from vetlla.store.keyring import Keyring

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from vetlla.settings.broker import Mqtt
    from vetlla.settings.model import Settings

WAL_FAULT = ((3, 7, 0), (3, 51, 2))
"""SQLite releases that can corrupt a WAL file when two connections write or checkpoint at once (sqlite.org/wal)."""

FLUSHES = 50
"""Enough for a median that holds, and less than a second on a disk that is fit for this."""
FLUSH_BYTES = 4096
FLUSH_SLOW_MS = 20.0
"""A spinning disk without a cache needs 8 ms; beyond 20 ms the disk is shared with something that starves it."""
FLUSH_FAILING_MS = 500.0
"""One flush of this length makes an alarm late by itself."""
FLUSH_DOUBTED_MS = 0.015
"""No medium is that fast: the flush was not carried out, and what was acknowledged may be lost with the power."""

_NETWORK = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "ceph", "glusterfs", "fuse.glusterfs", "afs"})
"""File systems on which SQLite's shared memory does not work (sqlite.org/wal.html, section 1)."""
_VOLATILE = frozenset({"tmpfs", "ramfs"})
_TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""


class Level(IntEnum):
    """How bad it is; the numbers are the exit statuses of monitoring plug-ins."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found, and what to do about it; ``figures`` are what was measured."""

    check: str
    level: Level
    text: str
    remedy: str = ""
    figures: Mapping[str, float] | None = None


def examine(settings: Settings, status: Callable[[], Mapping[str, Any]]) -> Iterator[Finding]:
    """Yield the findings of every check. ``status`` asks the running receiver, or raises VetllaError."""
    running: Mapping[str, Any] = {}
    try:
        running = status()
    except VetllaError as error:
        daemon = Finding(check="receiver", level=Level.WARNING, text=error.args[0], remedy=error.remedy)
    else:
        daemon = _of_receiver(running)
    yield daemon
    yield python()
    yield sqlite(settings.state_dir, sqlite3.sqlite_version_info)
    yield from state_directory(settings)
    yield keys_file(settings.keys_file)
    yield descriptors(settings.limits.connections)
    yield clock()
    for listen in settings.listen:
        yield listener(listen, running)
    for mqtt in settings.mqtt:
        yield broker(mqtt, running)
    if settings.http.enabled:
        http = Listen(protocol="http", host=settings.http.host, port=settings.http.port, transports=("tcp",))
        yield listener(http, running)


def _of_receiver(running: Mapping[str, Any]) -> Finding:
    if running["ready"]:
        return Finding(check="receiver", level=Level.OK, text=f"version {running['version']}, ready")
    return Finding(
        check="receiver",
        level=Level.CRITICAL,
        text=f"runs, but acknowledges nothing new: {running['why']}",
        remedy="journalctl -u vetlla -p warning; the other checks here may show the cause",
    )


def python() -> Finding:
    """Say which Python runs this; the package itself refuses to be installed on one that is too old."""
    return Finding(
        check="python", level=Level.OK, text=f"{platform.python_implementation()} {platform.python_version()}"
    )


def sqlite(state_dir: Path, version: tuple[int, ...]) -> Finding:
    """Look for a second writer of the journal, where this SQLite could corrupt it then."""
    text = "SQLite " + ".".join(map(str, version))
    first, last = WAL_FAULT
    if not first <= version <= last:
        return Finding(check="sqlite", level=Level.OK, text=text)
    writers = _writers(state_dir / JOURNAL)
    if len(writers) > 1:
        return Finding(
            check="sqlite",
            level=Level.CRITICAL,
            text=f"{text} can corrupt a journal with two writers; open for writing in processes {writers}",
            remedy="close the journal everywhere but in the receiver; sqlite3 -readonly is enough to look",
        )
    return Finding(check="sqlite", level=Level.OK, text=f"{text}; one writer at most, so its WAL fault cannot strike")


def _writers(path: Path) -> list[int]:
    """Return the processes that hold a file open for writing, as far as we may look."""
    try:
        there = path.stat()
    except OSError:
        return []
    found = set()
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            here = entry.stat()
            if (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino):
                continue
            information = (entry.parents[1] / "fdinfo" / entry.name).read_text(encoding="ascii")
        except OSError:  # not ours to see, or gone meanwhile
            continue
        flags = int(information.partition("flags:")[2].split()[0], base=8)
        if flags & os.O_ACCMODE != os.O_RDONLY:
            found.add(int(entry.parents[1].name))
    return sorted(found)


def state_directory(settings: Settings) -> Iterator[Finding]:
    """Look at who may enter, what it lies on, how much room there is and how long a flush takes."""
    path = settings.state_dir
    try:
        mode = path.stat().st_mode
        probe = tempfile.NamedTemporaryFile(dir=path, prefix=".doctor-")  # noqa: SIM115 - closed by the check below
    except OSError as error:
        yield Finding(
            check="state directory",
            level=Level.CRITICAL,
            text=f"{path}: {error.strerror}",
            remedy=f"install -d -o vetlla -g vetlla -m 0750 {path}, and run this as the receiver's user",
        )
        return
    with probe:
        yield _permissions(path, mode)
        yield _file_system(path, _file_system_of(path))
        yield _room(settings)
        yield flushes(_timed_flushes(probe.fileno()))


def _permissions(path: Path, mode: int) -> Finding:
    if mode & 0o007:
        return Finding(
            check="state directory",
            level=Level.WARNING,
            text=f"{path} is open to every user of the machine ({mode & 0o777:04o})",
            remedy=f"chmod 0750 {path}",
        )
    return Finding(check="state directory", level=Level.OK, text=f"{path}, {mode & 0o777:04o}, writable")


def _file_system_of(path: Path) -> str:
    """Return the type of the file system that holds a directory, from proc(5)'s mountinfo."""
    device = path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    with Path("/proc/self/mountinfo").open(encoding="utf-8", errors="replace") as mounts:
        for line in mounts:
            mount, _, rest = line.partition(" - ")
            if mount.split()[2] == number:
                return rest.split()[0]
    return "unknown"


def _file_system(path: Path, kind: str) -> Finding:
    if kind in _NETWORK:
        return Finding(
            check="file system",
            level=Level.CRITICAL,
            text=f"{path} lies on {kind}: the journal needs memory shared between processes of one machine",
            remedy="put the state directory on a disk of this machine",
        )
    if kind in _VOLATILE:
        return Finding(
            check="file system",
            level=Level.CRITICAL,
            text=f"{path} lies on {kind}: what was acknowledged is gone with the power",
            remedy="put the state directory on a disk",
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
        text=f"{free_mib} MiB; nothing is acknowledged below {least} MiB",
        remedy="free or add space, old backups and exports first" if level else "",
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
    """Judge how long fdatasync took: every acknowledgement waits for one."""
    middle, longest = statistics.median(durations_ms), max(durations_ms)
    level, remedy = Level.OK, ""
    if longest >= FLUSH_FAILING_MS:
        level, remedy = Level.CRITICAL, "another writer starves this disk, or it is failing: smartctl, iostat -x 1"
    elif middle >= FLUSH_SLOW_MS:
        level, remedy = Level.WARNING, "use a faster disk, one with a protected write cache, or one of its own"
    elif middle < FLUSH_DOUBTED_MS:
        level, remedy = Level.WARNING, "is the disk's or the hypervisor's cache safe without power? Turn it off if not"
    return Finding(
        check="flush",
        level=level,
        text=f"fdatasync p50 {middle:.2f} ms, max {longest:.2f} ms",
        remedy=remedy,
        figures={"flush_p50_ms": round(middle, 3), "flush_max_ms": round(longest, 3)},
    )


def keys_file(path: Path) -> Finding:
    """Read the keys as the receiver would; say how many there are and nothing about them."""
    try:
        count = len(Keyring.read(path)) if path.exists() else 0
    except (OSError, VetllaError) as error:
        text = error.args[0] if isinstance(error, VetllaError) else f"{path}: {error.strerror}"
        remedy = error.remedy if isinstance(error, VetllaError) else "run this as the receiver's user"
        return Finding(check="keys", level=Level.CRITICAL, text=text, remedy=remedy)
    return Finding(check="keys", level=Level.OK, text=f"{path}: {count} keys" if count else "none")


def descriptors(connections: int) -> Finding:
    """Compare what one process may open with what the settings promise to peers."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + SPARE_FILES
    figures = {"descriptors": most, "needed": needed}
    if most != resource.RLIM_INFINITY and most < needed:
        return Finding(
            check="descriptors",
            level=Level.WARNING,
            text=f"{most} here, {needed} needed for limits.connections = {connections}",
            remedy="LimitNOFILE= in the unit (65536 as shipped), ulimit -n elsewhere, or fewer connections",
            figures=figures,
        )
    return Finding(check="descriptors", level=Level.OK, text=f"{most}, {needed} needed", figures=figures)


def clock() -> Finding:
    """Ask the kernel whether something keeps its clock right (adjtimex(2), reading only)."""
    answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))  # more than any struct timex
    if answer == _TIME_ERROR:
        return Finding(
            check="clock",
            level=Level.WARNING,
            text="not synchronised: stamps may be wrong, and encrypted frames are refused when they seem too old",
            remedy="run a time service: systemd-timesyncd, chrony",
        )
    return Finding(check="clock", level=Level.OK, text="synchronised" if answer >= 0 else "state unknown")


def listener(listen: Listen, running: Mapping[str, Any]) -> Finding:
    """Bind the listener's addresses for a moment, unless the running receiver holds them."""
    name = f"listener {listen.name}"
    if _held(listen, running):
        return Finding(check=name, level=Level.OK, text=f"{listen.address}, held by the receiver")
    try:
        if listen.tls is not None:
            tls_context(listen.tls)
        for bound in bind(listen).values():
            bound.close()
    except ConfigError as error:
        return Finding(check=name, level=Level.CRITICAL, text=error.args[0], remedy=error.remedy)
    return Finding(check=name, level=Level.OK, text=f"{listen.address} is free")


def broker(mqtt: Mqtt, running: Mapping[str, Any]) -> Finding:
    """Connect to an MQTT broker and leave, unless the running receiver is connected: it would be pushed off."""
    name = f"broker {mqtt.name}"
    if any(place["name"] == mqtt.name and place.get("connected") for place in running.get("listening", ())):
        return Finding(check=name, level=Level.OK, text=f"{mqtt.address}, the receiver is connected")
    try:
        asyncio.run(probe(mqtt))
    except (ConfigError, LinkError) as error:
        text = f"{mqtt.address}: {error.args[0]}"
        return Finding(check=name, level=Level.CRITICAL, text=text, remedy=error.remedy)
    return Finding(check=name, level=Level.OK, text=f"{mqtt.address} takes {mqtt.node}")


def _held(listen: Listen, running: Mapping[str, Any]) -> bool:
    places = {(place["name"], place["port"]) for place in running.get("listening", ())}
    if running.get("http"):
        places.add(("http", running["http"]["port"]))
    return (listen.name, listen.port) in places or (listen.port == 0 and any(name == listen.name for name, _ in places))
