"""The accounts and keys that the daemon works with. It reads them again when they have changed."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from vetlla.domain.accounts import AccountBook
from vetlla.domain.errors import StoreError
from vetlla.domain.supervision import NOTHING
from vetlla.receiver.supervision.day_counters import span_of
from vetlla.receiver.supervision.expectations import Expectations
from vetlla.store.accounts.table import account_book
from vetlla.store.registry.registry import reading
from vetlla.store.secrets.keyring import Keyring
from vetlla.store.supervision.expected import expected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.domain.clock import Clock
    from vetlla.domain.signals import AccountId, Key
    from vetlla.settings.model import Settings


class RegistrySnapshot(NamedTuple):
    """One reading of registry and keys; a reload replaces all of it."""

    book: AccountBook
    keys: Keyring
    expectations: Expectations

    def keys_of(self, who: AccountId) -> Sequence[Key]:
        """Return the keys that may decrypt this caller's frames: the current one, then the outgoing one."""
        account = self.book.find(who)
        if account is None or not account.key_name:
            return ()
        return self.keys.lookup(account.key_name)


def read(settings: Settings, clock: Clock) -> RegistrySnapshot:
    """Return what registry and keys hold now. Blocks. Raises StoreError or ConfigError."""
    with reading(settings.state_dir, clock) as registry:
        book = account_book(registry)
        today = span_of(clock.now().utc_us, ZoneInfo(settings.supervision.timezone)).day
        who = expected(registry, today)
    needs_keys = any(account.key_name for account in book)
    keys = Keyring.read(settings.keys_file) if needs_keys or settings.keys_file.exists() else Keyring({})
    return RegistrySnapshot(book, keys, Expectations(book, who, settings.supervision))


def first(settings: Settings, clock: Clock) -> tuple[RegistrySnapshot, StoreError | None]:
    """Return the accounts and keys for a start. If the disk may recover, return no accounts and the error. Blocks.

    Raises StoreError or ConfigError for faults that only a person can correct, such as the schema of a newer program.
    """
    try:
        return read(settings, clock), None
    except StoreError as error:
        if not isinstance(error.__cause__, sqlite3.Error | OSError):
            raise
        book = AccountBook()
        return RegistrySnapshot(book, Keyring({}), Expectations(book, NOTHING, settings.supervision)), error
