"""Files as Asterisk's AlarmReceiver() and a dialplan write them, byte by byte after app_alarmreceiver.c."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PRESS = "1234181101001003"
"""Contact ID: account 1234, a personal emergency in zone 100, with a check digit that fits."""
RESTORE = "123418310100100C"
UNIQUE_ID = "1764405562.3"
NUMBER = "600000001"


def content(
    *events: str,
    protocol: str = "ADEMCO_CONTACT_ID",
    number: str = "<unknown>",
    name: str = "<unknown>",
    at: str = "2026-11-29T08:39:22+0000",
) -> bytes:
    lines = "".join(f"{event}\n" for event in events)
    head = f"PROTOCOL={protocol}\nCHECKSUM=yes\nCALLINGFROM={number}\nCALLERNAME={name}\nTIMESTAMP={at}\n"
    return f"\n\n[metadata]\n\n{head}\n[events]\n\n{lines}".encode()


def write(directory: Path, name: str | bytes, data: bytes, *, mtime_ns: int | None = None) -> None:
    """Make a file as mkstemp does, empty and under its final name; then fill and close it."""
    path = os.path.join(os.fsencode(directory), os.fsencode(name))  # noqa: PTH118 - a name need not be text
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    os.write(descriptor, data)
    if mtime_ns is not None:
        os.utime(descriptor, ns=(mtime_ns, mtime_ns))
    os.close(descriptor)


def call_file(directory: Path, unique_id: str = UNIQUE_ID, number: str = NUMBER) -> None:
    """Write what the extension ``h`` of the documented dialplan writes at the end of a call."""
    write(directory, f"call-{unique_id}", f"CALLINGFROM={number}\n".encode())


def names(directory: Path) -> list[str]:
    """Return the files that are directly in a directory."""
    return sorted(path.name for path in directory.iterdir() if not path.is_dir() or path.is_symlink())


def put_away(directory: Path, folder: str = "done") -> list[str]:
    """Return the files that were put away, in a folder and its days."""
    return sorted(path.name for path in (directory / folder).rglob("*") if not path.is_dir())
