"""Takes in files of probes. A line that is no whole probe is put aside with its reason; the others are kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import SECOND_US
from vetlla.domain.errors import UsageError
from vetlla.domain.plainfile import open_input
from vetlla.service.probes.lines import LINE_MOST, probe_of
from vetlla.store.probes.write import ProbeBook
from vetlla.store.registry.transaction import transaction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.columns import Effect

LARGE: Final = 1 << 20
"""Bytes of files above which an import changes a copy of the registry, so that the receiver is not slowed down."""
FILE_MOST: Final = 512 << 20
"""Bytes of a file that are read: twice as many as a run writes into one. A device may have no end."""
AHEAD_MOST_US: Final = 60 * SECOND_US
"""How far the clock of a machine may be ahead. A later probe shows that its clock is wrong, and so are its times."""
LISTED_MOST: Final = 1_000
"""Lines that are put aside one by one. A file of another kind has only such lines; the rest is counted."""


class PutAside(NamedTuple):
    """A line that is no probe, or one that contradicts a known probe."""

    file: str
    number: int
    """Number of the line, from 1."""
    reason: str
    line: bytes
    """The line itself, at most ``LINE_MOST`` bytes."""


@dataclass(slots=True)
class ImportedProbes:
    """What files of probes changed."""

    effects: Counter[Effect] = field(default_factory=Counter)
    aside: list[PutAside] = field(default_factory=list)
    """The first lines that were put aside."""
    aside_count: int = 0
    listed_most: int = LISTED_MOST

    def put_aside(self, one: PutAside) -> None:
        """Put a line aside."""
        self.aside_count += 1
        if len(self.aside) < self.listed_most:
            self.aside.append(one)


def import_probes(
    state_dir: Path,
    clock: Clock,
    files: Sequence[Path],
    by: str,
    *,
    dry_run: bool = False,
    listed_most: int = LISTED_MOST,
    file_most: int = FILE_MOST,
) -> ImportedProbes:
    """Add the probes of files in one transaction. A probe is known by its machine, component and start.

    ``listed_most`` is the most lines that are put aside one by one; the rest is counted. A file may have ``file_most``
    bytes. Raises UsageError for a file that cannot be read or is too large, and StoreError.
    """
    done, now_us = ImportedProbes(listed_most=listed_most), clock.now().utc_us
    large = sum(_size_of(file) for file in files) > LARGE
    with transaction(state_dir, clock, dry_run=dry_run, large=large) as connection:
        for file in files:
            book = ProbeBook(connection, now_us, by, file.name)
            for number, line in enumerate(_lines(file, file_most), start=1):
                if reason := _add(book, line, now_us, done):
                    done.put_aside(PutAside(str(file), number, reason, line[:LINE_MOST]))
    return done


def _add(book: ProbeBook, line: bytes, now_us: int, done: ImportedProbes) -> str:
    """Add the probe of a line; return why it is put aside, or an empty text."""
    if not line.strip():
        return ""
    probe = probe_of(line)
    if isinstance(probe, str):
        return probe
    if probe.ended_us > now_us + AHEAD_MOST_US:
        return "lies in the future: the clock of its machine is wrong"
    effect = book.add(probe)
    if effect is None:
        return "differs from the known probe of its machine, component and start"
    done.effects[effect] += 1
    return ""


def _lines(file: Path, most: int) -> Iterator[bytes]:
    """Yield the lines of a file without their end; of a line that is too long only its beginning."""
    try:
        with open_input(file) as opened:
            begins, read = True, 0
            while line := opened.readline(LINE_MOST + 1):
                if begins:
                    yield line.rstrip(b"\r\n")
                begins = line.endswith(b"\n") or len(line) <= LINE_MOST
                read += len(line)
                if read > most:
                    raise _too_large(file, most)
    except OSError as error:
        raise _unreadable(file, error) from error


def _too_large(file: Path, most: int) -> UsageError:
    return UsageError(f"{file}: has more than {most >> 20} MiB", remedy="cut it into files of some days")


def _size_of(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: OSError) -> UsageError:
    return UsageError(f"{file}: {error.strerror or error}", remedy="name a file that `vetlla probe run --out` wrote")
