"""Writes an export to standard output, or to a file that gets its name only when it is complete."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from vetlla.domain.errors import StoreError, UsageError
from vetlla.tables import delimited, objects
from vetlla.tables.source import ENDINGS, NAMED, STANDARD, FileKind
from vetlla.tables.xlsx import writing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path


_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})
"""Errors of the disk: they prevent writing a file under any name."""


def write(
    path: Path,
    heading: Sequence[str],
    rows: Iterable[Sequence[object]],
    sheet: str,
    *,
    kind: FileKind | None = None,
    private: bool = False,
) -> None:
    """Write a table as ``kind`` or, without it, as the name's ending says. Raises UsageError if neither decides.

    A ``private`` file can be opened by its owner alone, whatever the umask is and whatever file had the name before.
    """
    kind = kind_of(path, kind)
    with finished(path, private=private) as out:
        if kind is FileKind.XLSX:
            writing.write(out, {sheet: (heading, rows)})
            return
        with letters(out) as text:
            if kind is FileKind.CSV:
                delimited.write(text, heading, rows)
            else:
                objects.write(text, heading, rows, lines=kind is FileKind.NDJSON)


def kind_of(path: Path, given: FileKind | None = None) -> FileKind:
    """Return the kind of file to write; for ``-`` it is CSV. Raises UsageError if the name's ending is not known."""
    found = given or (FileKind.CSV if path == STANDARD else ENDINGS.get(path.suffix.lower()))
    if found is None:
        raise UsageError(f"{path}: what kind of file is it?", remedy=f"end its name in {NAMED}, or give --format")
    return found


@contextmanager
def finished(path: Path, *, private: bool = False) -> Iterator[IO[bytes]]:
    """Give a file to write that takes its name when it is complete, so that no reader finds half a report.

    ``-`` is standard output. If the name exists and is not a plain file, such as /dev/stdout, it is written directly.
    A ``private`` file has mode 0600 from its first byte on.
    """
    if path == STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = path if path.exists() and not path.is_file() else path.with_name(f".{path.name}.{os.getpid()}")
    if path.is_block_device():
        raise UsageError(f"{path}: is a disk", remedy="name a file")
    try:
        if part != path:
            part.unlink(missing_ok=True)
        # "x", because another user may have put a link in its place, as in /tmp: root must not write through it.
        with open(part, "wb" if part == path else "xb", opener=_only_owner if private else None) as out:
            yield out
        if part != path:
            part.replace(path)
    except OSError as error:
        if error.errno in _DISK:
            raise StoreError(f"{path}: {error.strerror}", remedy="make room there, or name a file elsewhere") from error
        raise UsageError(f"{path}: {error.strerror}", remedy="name a file that you may write") from error
    finally:
        if part != path:
            part.unlink(missing_ok=True)


def _only_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


@contextmanager
def letters(out: IO[bytes]) -> Iterator[io.TextIOWrapper]:
    """Give a text stream over bytes, UTF-8, that leaves them open."""
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=False)
    try:
        yield text
        text.flush()
    finally:
        text.detach()
