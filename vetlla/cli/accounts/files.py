"""Reads files of accounts, for ``accounts import`` and for the commands that need callers.

Reading goes on after a fault: the result holds the faults beside the good rows. If the file does not have a column,
that field of a known account stays as it is; an empty cell sets the field back to its default.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from vetlla.cli.kit.row_files import sentence
from vetlla.domain.accounts import AccountKey
from vetlla.domain.columns import Fault
from vetlla.domain.errors import UsageError
from vetlla.store.accounts.columns import ACCOUNTS, AccountRow
from vetlla.store.accounts.table import AccountEntry
from vetlla.tables.reader import Reader
from vetlla.tables.source import opened
from vetlla.tables.translation import Translation
from vetlla.tasks.good_rows import good_rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import BinaryIO

_IDENTITY = ("account", "receiver", "line")


class AccountFile(NamedTuple):
    """What was read. Use ``entries`` only if there is no fault."""

    entries: list[AccountEntry]
    rows: list[int]
    """Row in the file of each entry."""
    faults: list[Fault]


def collect(rows: Iterable[tuple[int, AccountRow | list[Fault]]]) -> AccountFile:
    """Return the accounts of a file's rows. An account that is there twice is a fault."""
    read = AccountFile([], [], [])
    seen: dict[AccountKey, int] = {}
    for row, found in good_rows(rows, read.faults):
        fields: dict[str, Any] = {**found}
        place = AccountKey(*(fields.pop(column, "") for column in _IDENTITY))
        if (before := seen.setdefault(place.folded, row)) != row:
            read.faults.append(Fault(row, "account", place.account, f"is in row {before} already"))
        read.entries.append(AccountEntry(place, fields))
        read.rows.append(row)
    return read


def entries(file: Path | BinaryIO) -> list[AccountEntry]:
    """Return the accounts of a file. Raises UsageError with its first fault."""
    with opened(file) as table:
        reader = Reader(ACCOUNTS, table, Translation())
        read = AccountFile([], [], reader.faults) if reader.faults else collect(reader.read(table.rows))
    for fault in read.faults:
        remedy = "`vetlla accounts import --dry-run` lists every fault"
        raise UsageError(f"{file}: {sentence(fault, fault.column)}", remedy=remedy)
    return read.entries
