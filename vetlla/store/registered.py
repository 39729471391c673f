"""Accounts, keys and expected devices from ``registry.db`` and the keys file (``ports.RegistryReader``)."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from vetlla.domain.accounts import NO_DISTRICTS
from vetlla.store.accounts.table import account_book
from vetlla.store.homes.queries import districts
from vetlla.store.ports import Registered
from vetlla.store.registry.registry import REGISTRY, reading
from vetlla.store.secrets.keyring import Keyring
from vetlla.store.supervision.expected import expected

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.errors import StoreError


class RegistryFiles:
    """The registry of a state directory, with the keys file that its accounts refer to."""

    def __init__(self, state_dir: Path, keys_file: Path, clock: Clock, *, with_districts: bool = False) -> None:
        """Take where the files are; ``with_districts`` also reads the district of each home, which only sinks use."""
        self._state_dir = state_dir
        self._keys_file = keys_file
        self._clock = clock
        self._with_districts = with_districts

    @property
    def name(self) -> str:
        """The path of the registry."""
        return str(self._state_dir / REGISTRY)

    def read(self, day: date) -> Registered:
        """Return what registry and keys hold now. The keys file may be missing if no account has a key."""
        with reading(self._state_dir, self._clock) as registry:
            book = account_book(registry, districts(registry, day) if self._with_districts else NO_DISTRICTS)
            who = expected(registry, day)
        needs_keys = any(account.key_name for account in book)
        keys = Keyring.read(self._keys_file) if needs_keys or self._keys_file.exists() else Keyring({})
        return Registered(book, keys, who)

    def is_missing(self) -> bool:
        """Return True if the state directory has no registry."""
        return not (self._state_dir / REGISTRY).exists()

    def may_recover(self, failure: StoreError) -> bool:
        """Return True if the disk or SQLite failed, and not this program's check of the file."""
        return isinstance(failure.__cause__, sqlite3.Error | OSError)
