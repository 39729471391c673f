"""The keys file: the shared keys of devices that encrypt, by name.

    ["north"]
    key = "0f1e..."           # 32, 48 or 64 hex digits: AES with 128, 192 or 256 bits
    previous = "a1b2..."      # during a rotation: the key that some devices still use
    since = 2026-11-21T22:33:01Z
    by = "ana"
    long_pad = true           # its devices put a whole block of pad in front (`vetlla keys pad`)

Accounts refer to a key by its name. Keys are in this file only, never in a database, log, argument, message or reply.
An error about the file says where it is wrong and never repeats its content.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from vetlla.domain import tomlfile
from vetlla.domain.errors import ConfigError
from vetlla.domain.plainfile import open_file
from vetlla.domain.signals import Key
from vetlla.store.accounts.columns import key_named
from vetlla.store.secrets.text import HEX_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.domain.accounts import Account

PREVIOUS = "~previous"
"""Suffix of a key's name in signals that the previous key opened; their devices still need the new key."""
_FIELDS = {"key", "previous", "since", "by", "long_pad"}
_RESTORE = "restore it from its backup, or set the keys again with: vetlla keys set"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedKey:
    """The file's entry for one name."""

    current: bytes = field(repr=False)
    previous: bytes | None = field(default=None, repr=False)
    since: datetime
    """Aware UTC."""
    by: str
    """Unix user who set it."""
    long_pad: bool = False
    """Whether its devices put a whole block of pad in front of their frames (``Key.long_pad``)."""


class Keyring(Mapping[str, SharedKey]):
    """The shared keys by name, and for each name the keys that decoders try."""

    __slots__ = ("_keys", "_shared")

    def __init__(self, shared: Mapping[str, SharedKey]) -> None:
        self._shared = dict(shared)
        self._keys = {name: _keys(name, key) for name, key in shared.items()}

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a keys file. Raises ConfigError if it is missing, unreadable, open to others, or malformed."""
        return cls(_read(path))

    def lookup(self, name: str) -> tuple[Key, ...]:
        """Return the keys that may open a frame, the current one first; empty for an unknown name."""
        return self._keys.get(name, ())

    def __getitem__(self, name: str) -> SharedKey:
        return self._shared[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._shared)

    def __len__(self) -> int:
        return len(self._shared)


def unknown_names(keyring: Keyring, names: Iterable[str]) -> dict[str, int]:
    """Return the key names that accounts use and the keyring lacks, each with the number of its accounts."""
    missing: dict[str, int] = {}
    for name in names:
        if name and name not in keyring:
            missing[name] = missing.get(name, 0) + 1
    return missing


def shared_by_homes(accounts: Iterable[Account]) -> dict[str, int]:
    """Return the key names that several homes use, each with the number of homes.

    A sealed frame of one of these homes could come from any of them, because nothing in it says which terminal sent it.
    """
    homes: dict[str, set[str]] = {}
    for account in accounts:
        if account.key_name:
            homes.setdefault(account.key_name, set()).add(account.home or f"account {account.account.upper()}")
    return {name: len(them) for name, them in homes.items() if len(them) > 1}


def _keys(name: str, shared: SharedKey) -> tuple[Key, ...]:
    current = Key(name=name, secret=shared.current, long_pad=shared.long_pad)
    if shared.previous is None:
        return (current,)
    return current, Key(name=name + PREVIOUS, secret=shared.previous, long_pad=shared.long_pad)


def is_credential(path: Path) -> bool:
    """Return True if systemd gave this file to the service; then only it can read the file, whatever the mode says."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(credentials) and path.parent == Path(str(credentials))


def _read(path: Path) -> dict[str, SharedKey]:
    try:
        with open_file(path) as file:
            mode = os.fstat(file.fileno()).st_mode
            content = tomlfile.read_open(file, path)
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}", remedy="`vetlla keys set` makes it; the receiver's user must own it"
        ) from error
    if stat.S_IMODE(mode) & 0o077 and not is_credential(path):
        raise ConfigError(f"{path}: others than its owner can read or write it", remedy=f"chmod 600 {path}")
    return _parse(path, content)


def _parse(path: Path, content: bytes) -> dict[str, SharedKey]:
    try:
        document = tomlfile.document(content)
    except ValueError as error:
        # Pass on neither its message nor the cause, because both may quote the file.
        place = re.search(r"at line \d+, column \d+|at end of document", str(error))
        raise ConfigError(f"{path}: not TOML {place[0] if place else 'in UTF-8'}", remedy=_RESTORE) from None
    keys: dict[str, SharedKey] = {}
    for number, (name, table) in enumerate(document.items(), start=1):
        try:
            keys[key_named(name)] = _shared(table)
        except ValueError as error:
            # Name the entry by its number, because a key may have been written in place of its name.
            raise ConfigError(f"{path}: entry {number}: {error}", remedy=_RESTORE) from None
    return keys


def _shared(table: object) -> SharedKey:
    if not isinstance(table, dict) or not table.keys() >= {"key", "since"} or not table.keys() <= _FIELDS:
        raise ValueError("should hold key and since, may hold previous, by and long_pad, and nothing else")
    since, previous, long_pad = table["since"], table.get("previous"), table.get("long_pad", False)
    if long_pad is not True and long_pad is not False:  # refuse 1 and 0, which equal True and False
        raise ValueError("long_pad should be true or false")
    if not isinstance(since, datetime) or since.tzinfo is None:
        raise ValueError("since should be a date and time that ends with Z")
    return SharedKey(
        current=_secret(table["key"]),
        previous=None if previous is None else _secret(previous),
        since=since.astimezone(UTC),
        by=str(table.get("by", "")),
        long_pad=bool(long_pad),
    )


def _secret(value: object) -> bytes:
    if not isinstance(value, str) or not HEX_KEY.fullmatch(value):
        raise ValueError("key and previous should be 32, 48 or 64 hex digits in quotes")
    return bytes.fromhex(value)
