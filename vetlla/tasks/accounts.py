"""Register accounts, change what is registered, and take accounts out of the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.service.inventory.leading_zeros import Zeros
from vetlla.store.accounts import table
from vetlla.store.inventory.heard import account_codes
from vetlla.store.registry.registry import reading, writing
from vetlla.store.secrets.keyring import shared_by_homes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from vetlla.domain.accounts import AccountKey
    from vetlla.domain.clock import Clock
    from vetlla.domain.columns import Fault
    from vetlla.store.accounts.table import AccountEntry, Change, Registration

_COLUMNS = ("account", "home")
"""Columns whose leading zeros a spreadsheet may have lost."""


class Registered(NamedTuple):
    """What changed, and the given keys that several homes share, each with the number of these homes."""

    registration: Registration
    shared_keys: dict[str, int]


def register(
    state_dir: Path, clock: Clock, entries: Iterable[AccountEntry], *, by: str, dry_run: bool = False
) -> Registered:
    """Register accounts, or change the given fields of registered ones. After an error, nothing is changed."""
    opened = reading if dry_run else writing
    with opened(state_dir, clock) as registry:
        result = table.register(registry, entries, by=by, at_us=clock.now().utc_us, dry_run=dry_run)
        given = {change.key_given for change in result.changes} - {""}
        homes = shared_by_homes(table.account_book(registry)) if given else {}
    return Registered(result, {name: homes[name] for name in sorted(given & homes.keys())})


def lost_zeros(state_dir: Path, clock: Clock, rows: Iterable[tuple[int, AccountEntry]]) -> list[Fault]:
    """Return a warning for each code of a file that differs from another one in leading zeros only."""
    zeros = Zeros()
    for row, entry in rows:
        zeros.see(row, "account", entry.place.account)
        zeros.see(row, "home", entry.fields.get("home", ""))
    with reading(state_dir, clock) as registry:
        for column in _COLUMNS:
            for code in account_codes(registry, column):
                zeros.compare(column, "", code)
    return zeros.found


def remove(state_dir: Path, clock: Clock, place: AccountKey, *, by: str, dry_run: bool = False) -> Change | None:
    """Take an account out of the registry; return the change, or None if the account is not registered."""
    opened = reading if dry_run else writing
    with opened(state_dir, clock) as registry:
        return table.remove(registry, place, by=by, at_us=clock.now().utc_us, dry_run=dry_run)
