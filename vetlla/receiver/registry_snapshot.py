"""The accounts and keys that the daemon works with. It reads them again when they have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from vetlla.domain.errors import StoreError
from vetlla.receiver.supervision.expectations import Expectations
from vetlla.receiver.supervision.line_receivers import with_line_receivers
from vetlla.service.supervision.days import service_day_of
from vetlla.store.ports import Registered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vetlla.domain.accounts import AccountBook
    from vetlla.domain.clock import Clock
    from vetlla.domain.signals import AccountId, Key
    from vetlla.settings.model import Settings
    from vetlla.store.ports import RegistryReader


class RegistrySnapshot(NamedTuple):
    """One reading of registry and keys; a reload replaces all of it."""

    registered: Registered
    expectations: Expectations

    @property
    def book(self) -> AccountBook:
        """The registered accounts, and those of line receivers."""
        return self.expectations.book

    def keys_of(self, who: AccountId) -> Sequence[Key]:
        """Return the keys that may decrypt this caller's frames: the current one, then the outgoing one."""
        account = self.registered.book.find(who)
        if account is None or not account.key_name:
            return ()
        return self.registered.keys.lookup(account.key_name)


def read(registry: RegistryReader, settings: Settings, clock: Clock) -> RegistrySnapshot:
    """Return what registry and keys hold now. Blocks. Raises StoreError or ConfigError."""
    today = service_day_of(clock.now().utc_us, ZoneInfo(settings.supervision.timezone)).day
    return _snapshot(registry.read(today), settings)


def first(registry: RegistryReader, settings: Settings, clock: Clock) -> tuple[RegistrySnapshot, StoreError | None]:
    """Return the accounts and keys for a start. If the disk may recover, return no accounts and the error. Blocks.

    Raises StoreError or ConfigError for faults that only a person can correct, such as the schema of a newer program.
    """
    try:
        return read(registry, settings, clock), None
    except StoreError as error:
        if not registry.may_recover(error):
            raise
        return _snapshot(Registered(), settings), error


def _snapshot(registered: Registered, settings: Settings) -> RegistrySnapshot:
    book, expected = with_line_receivers(registered.book, registered.expected, settings.line)
    return RegistrySnapshot(registered, Expectations(book, expected, settings.supervision))
