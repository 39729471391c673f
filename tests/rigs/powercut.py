"""Computes what a power cut would leave: the journal on the disk at each acknowledgement, from recorded system calls.

The model is the worst disk. A write counts when an fsync or fdatasync of its file has returned 0 that began after the
write had ended. If that sync fails, the write never counts, because the kernel forgets that it was not written. A file
counts when its directory was synced after it was made. SQLite opens the result, as after a restart, and it must have
every report acknowledged so far.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from vetlla.store.journal.opening import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

CALLS = ("openat", "pwrite64", "ftruncate", "fdatasync", "fsync", "write", "writev", "sendto", "sendmsg", "sendmmsg")

_SYNCS = {"fdatasync", "fsync"}
_LINE = re.compile(r"(\d+)\s+(?:<\.\.\. \w+ resumed>(.*)|(\w.*))\n?")
_UNFINISHED = " <unfinished ...>"
_DONE = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)(.*)")
_FILE = re.compile(r"\d+<((?:\\x[0-9a-f]{2})+)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_ACK = re.compile(rb'"\*?ACK"(\d{4})(?:R[^L#]*)?L[^#]*#(\w+)\[')


class Event(NamedTuple):
    """The beginning (``result`` None) or the end of a system call, in strace's notation."""

    thread: str
    call: str
    arguments: str
    result: int | None
    injected: bool = False
    """Whether strace only pretended the call."""


class Acknowledgement(NamedTuple):
    """An acknowledged report, and the line of the record where the bytes of its ACK left."""

    line: int
    account: str
    sequence: str


def events(lines: Iterable[str]) -> Iterator[tuple[int, Event]]:
    """Yield the events in order, each with the number of its line."""
    begun: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if (parts := _LINE.fullmatch(line)) is None:
            continue  # lines such as "+++ exited with 0 +++", and signals
        thread, rest, whole = parts.groups()
        text = begun.pop(thread, "") + rest if rest is not None else whole
        if rest is None:
            call, _, arguments = text.removesuffix(_UNFINISHED).partition("(")
            yield number, Event(thread, call, arguments, None)
        if text.endswith(_UNFINISHED):
            begun[thread] = text.removesuffix(_UNFINISHED)
        elif (done := _DONE.fullmatch(text)) is not None:
            call, arguments, result, note = done.groups()
            yield number, Event(thread, call, arguments, int(result), "INJECTED" in note)


class Disk:
    """The files of a state directory, as written and as synced."""

    def __init__(self, state_dir: Path) -> None:
        self.syncs = 0
        self._state_dir = str(state_dir)
        self._written: dict[str, list[tuple[int, bytes | None]]] = defaultdict(list)
        """The writes of each path in order: offset and bytes, or a new size and None."""
        self._synced: dict[str, bytearray] = defaultdict(bytearray)
        self._unnamed: set[str] = set()
        """Files that were made after the last sync of their directory."""
        self._syncing: dict[str, tuple[int, set[str]]] = {}

    def take(self, event: Event) -> None:
        """Apply the effect of a call on the disk, if it has one."""
        path = _path(event)
        if not path.startswith(self._state_dir):
            return
        if event.result is None:
            if event.call in _SYNCS:
                self._syncing[event.thread] = (len(self._written[path]), set(self._unnamed))
        elif event.call in _SYNCS:
            self._end_sync(path, event)
        elif event.result < 0 or event.injected:
            return
        elif event.call == "pwrite64":
            offset = int(event.arguments.rpartition(", ")[2])
            self._written[path].append((offset, _text(event.arguments)[: event.result]))
        elif event.call == "ftruncate":
            self._written[path].append((int(event.arguments.rpartition(", ")[2]), None))
        elif event.call == "openat" and "O_CREAT" in event.arguments and path not in self._written:
            self._written[path] = []
            self._unnamed.add(path)

    def _end_sync(self, path: str, event: Event) -> None:
        count, unnamed = self._syncing.pop(event.thread)
        if event.result:
            del self._written[path][:count]
        elif not event.injected:
            self._sync(path, count, unnamed)

    def _sync(self, path: str, count: int, unnamed: set[str]) -> None:
        self.syncs += 1
        if path == self._state_dir:
            self._unnamed -= unnamed
        content = self._synced[path]
        for offset, data in self._written[path][:count]:
            if data is None:
                del content[offset:]
                content.extend(bytes(offset - len(content)))
            else:
                content.extend(bytes(max(0, offset - len(content))))
                content[offset : offset + len(data)] = data
        del self._written[path][:count]

    def reports(self, directory: Path) -> set[tuple[str, str]]:
        """Return account and sequence of the reports that a restart would find. ``directory`` gets its files."""
        directory.mkdir()
        for name in (JOURNAL, f"{JOURNAL}-wal"):
            path = f"{self._state_dir}/{name}"
            if path in self._synced and path not in self._unnamed:
                (directory / name).write_bytes(self._synced[path])
        with closing(sqlite3.connect(directory / JOURNAL)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'signals'").fetchall():
                return set()
            return set(connection.execute("SELECT account, sequence FROM signals"))


def spelled(text: bytes) -> str:
    """Return text in the spelling of a record."""
    return "".join(f"\\x{byte:02x}" for byte in text)


def read(text: str) -> bytes:
    """Return the bytes of a text in a record."""
    return bytes.fromhex(text.replace("\\x", ""))


def _path(event: Event) -> str:
    if event.call == "openat":
        return _text(event.arguments).decode(errors="replace")
    found = _FILE.match(event.arguments)
    return read(found[1]).decode(errors="replace") if found else ""


def _text(arguments: str) -> bytes:
    """Return the strings among the arguments, joined."""
    return read("".join(_TEXT.findall(arguments)))


def acknowledgements(number: int, event: Event) -> list[Acknowledgement]:
    """Return the acknowledgements in the bytes that begin to leave with this event."""
    if event.result is not None or event.call not in {"write", "writev", "sendto", "sendmsg", "sendmmsg"}:
        return []
    found = _ACK.findall(_text(event.arguments))
    return [Acknowledgement(number, account.decode(), sequence.decode()) for sequence, account in found]


def acknowledged_too_early(
    lines: Iterable[str], state_dir: Path, scratch: Path
) -> tuple[list[Acknowledgement], list[Acknowledgement]]:
    """Return all acknowledgements of a record, and those whose report a power cut at that instant would lose."""
    disk = Disk(state_dir)
    every: list[Acknowledgement] = []
    early: list[Acknowledgement] = []
    looked, reports = -1, set[tuple[str, str]]()
    for number, event in events(lines):
        for acknowledgement in acknowledgements(number, event):
            if looked != disk.syncs:
                looked, reports = disk.syncs, disk.reports(scratch / str(number))
            every.append(acknowledgement)
            if (acknowledgement.account, acknowledgement.sequence) not in reports:
                early.append(acknowledgement)
        disk.take(event)
    return every, early
