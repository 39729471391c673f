"""The keys file: shared secrets of devices that encrypt, by name.

    ["north"]
    key = "0f1e..."           # 32, 48 or 64 hex digits: AES with 128, 192 or 256 bits
    previous = "a1b2..."      # during a rotation: the key that some devices still use
    since = 2026-11-21T22:33:01Z
    by = "ana"

Accounts name a key; nothing else holds one: no database, log, argument, message or reply. Whatever is wrong with the
file, an error says where and never what stands there.
"""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Self

from vetlla.errors import ConfigError, StoreError, UsageError
from vetlla.signals import Key
from vetlla.store.account_rows import key_named
from vetlla.store.lockfile import exclusive
from vetlla.store.ownership import create, sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

KEY_BYTES = (16, 24, 32)
PREVIOUS = "~previous"
"""Behind a key's name: signals show that the outgoing key opened them, so the device still has to be given the new."""
_HEX = re.compile(r"[0-9A-Fa-f]{32}|[0-9A-Fa-f]{48}|[0-9A-Fa-f]{64}")
_FIELDS = {"key", "previous", "since", "by"}
_RESTORE = "restore it from its backup, or set the keys anew with: vetlla keys set"
_HEAD = "# Shared keys of devices. Written by `vetlla keys`. Never copy, print or send.\n"


class Form(StrEnum):
    """How a key is written where it comes from."""

    HEX = "hex"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedKey:
    """What the file holds under one name."""

    current: bytes = field(repr=False)
    previous: bytes | None = field(default=None, repr=False)
    since: datetime
    """Aware UTC."""
    by: str
    """Unix user who set it."""


class Keyring:
    """The keys by name, as the decoders ask for them."""

    __slots__ = ("_keys", "_shared")

    def __init__(self, shared: Mapping[str, SharedKey]) -> None:
        self._shared = dict(shared)
        self._keys = {name: _keys(name, key) for name, key in shared.items()}

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a keys file; ConfigError if it is missing, unreadable by us, readable by others, or malformed."""
        return cls(_read(path))

    def lookup(self, name: str) -> tuple[Key, ...]:
        """Return the keys that may open a frame, the current one first; none for an unknown name."""
        return self._keys.get(name, ())

    def __getitem__(self, name: str) -> SharedKey:
        return self._shared[name]

    def __contains__(self, name: object) -> bool:
        return name in self._shared

    def __iter__(self) -> Iterator[str]:
        return iter(self._shared)

    def __len__(self) -> int:
        return len(self._shared)


def parse_secret(text: str, form: Form | None) -> bytes:
    """Return the bytes of a key as a person gave it; UsageError, never repeating it, if it cannot be one.

    32 characters that are all hex digits are either AES-128 in hex or AES-256 in text: only the form tells.
    """
    if (form or _only_form(text)) is Form.HEX:
        compact = "".join(text.split())
        if not _HEX.fullmatch(compact):
            raise UsageError(
                f"the key is not 32, 48 or 64 hex digits (it has {len(compact)} characters)",
                remedy="check that all of it was copied; a key written as 16, 24 or 32 characters is given with --text",
            )
        return bytes.fromhex(compact)
    if len(text) not in KEY_BYTES or not text.isascii() or not text.isprintable():
        raise UsageError(
            f"the key is not 16, 24 or 32 plain characters (it has {len(text)})",
            remedy="check that all of it was copied; a key written as hex digits is given with --hex",
        )
    return text.encode("ascii")


def _only_form(text: str) -> Form:
    if len(text) == 32 and _HEX.fullmatch(text):
        raise UsageError(
            "a key of 32 hex digits is ambiguous: 128 bits written as hex, or 256 bits written as text",
            remedy="say which the device means: --hex (most makers) or --text (Ajax and others)",
        )
    return Form.TEXT if len(text) in KEY_BYTES else Form.HEX


@contextmanager
def editing(path: Path) -> Iterator[dict[str, SharedKey]]:
    """Give the file's keys to change; write them, whole or not at all, when the block ends without an error.

    One editor at a time. The file is replaced in one step and only then is the old one gone.
    """
    if _is_credential(path):
        raise ConfigError(
            f"{path}: a systemd credential cannot be changed", remedy="name the file that the unit loads: --keys-file"
        )
    _make_folder(path.parent)
    with exclusive(path.with_name(f"{path.name}.lock")):
        keys = _read(path) if path.exists() else {}
        yield keys
        _write(path, keys)


def write_secret(path: Path, secret: bytes) -> None:
    """Write one key as hex to a new file that its owner alone can read; StoreError if it is there already."""
    try:
        _fill(path, f"{secret.hex()}\n")
        sync_directory(path.parent)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}", remedy="name a new file in a directory you may write") from error


def unknown_names(keyring: Keyring, names: Iterable[str]) -> dict[str, int]:
    """Return the key names that accounts use and the ring lacks, each with the number of its accounts."""
    missing: dict[str, int] = {}
    for name in names:
        if name and name not in keyring:
            missing[name] = missing.get(name, 0) + 1
    return missing


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o750, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}", remedy="is the path right? its parent must exist") from error


def _keys(name: str, shared: SharedKey) -> tuple[Key, ...]:
    current = Key(name=name, secret=shared.current)
    if shared.previous is None:
        return (current,)
    return current, Key(name=name + PREVIOUS, secret=shared.previous)


def _is_credential(path: Path) -> bool:
    # systemd keeps these readable by the service alone, by means (ACL, mount) that the mode does not show.
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    return bool(credentials) and path.parent == Path(str(credentials))


def _read(path: Path) -> dict[str, SharedKey]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read()
    except OSError as error:
        raise ConfigError(
            f"{path}: {error.strerror}", remedy="`vetlla keys set` makes it; the receiver's user must own it"
        ) from error
    if stat.S_IMODE(mode) & 0o077 and not _is_credential(path):
        raise ConfigError(f"{path}: others than its owner can read or write it", remedy=f"chmod 600 {path}")
    return _parse(path, content)


def _parse(path: Path, content: bytes) -> dict[str, SharedKey]:
    try:
        document = tomllib.loads(content.decode("utf-8"))
    except ValueError as error:
        # Neither its message nor the cause goes on: both may quote the file.
        place = re.search(r"at line \d+, column \d+|at end of document", str(error))
        raise ConfigError(f"{path}: not TOML {place[0] if place else 'in UTF-8'}", remedy=_RESTORE) from None
    keys: dict[str, SharedKey] = {}
    for number, (name, table) in enumerate(document.items(), start=1):
        try:
            keys[key_named(name)] = _shared(table)
        except ValueError as error:
            # By its number: a key may stand where its name belongs.
            raise ConfigError(f"{path}: entry {number}: {error}", remedy=_RESTORE) from None
    return keys


def _shared(table: object) -> SharedKey:
    if not isinstance(table, dict) or not table.keys() >= {"key", "since"} or not table.keys() <= _FIELDS:
        raise ValueError("should hold key and since, may hold previous and by, and nothing else")
    since, previous = table["since"], table.get("previous")
    if not isinstance(since, datetime) or since.tzinfo is None:
        raise ValueError("since should be a date and time that ends with Z")
    return SharedKey(
        current=_secret(table["key"]),
        previous=None if previous is None else _secret(previous),
        since=since.astimezone(UTC),
        by=str(table.get("by", "")),
    )


def _secret(value: object) -> bytes:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise ValueError("key and previous should be 32, 48 or 64 hex digits in quotes")
    return bytes.fromhex(value)


def _write(path: Path, keys: Mapping[str, SharedKey]) -> None:
    new = path.with_name(f"{path.name}.new")
    try:
        new.unlink(missing_ok=True)  # of an editor that was killed: the lock is ours, so nobody else writes there
        _fill(new, _HEAD + "".join(_table(name, key) for name, key in sorted(keys.items())), like=path)
        new.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise StoreError(
            f"{path}: cannot be written: {error.strerror}", remedy="nothing was changed; check permissions and disk"
        ) from error


def _table(name: str, key: SharedKey) -> str:
    lines = [
        f'["{name}"]',
        f'key = "{key.current.hex()}"',
        *([f'previous = "{key.previous.hex()}"'] if key.previous else []),
        f"since = {key.since:%Y-%m-%dT%H:%M:%SZ}",
        f"by = {json.dumps(key.by)}",
    ]
    return "\n" + "\n".join(lines) + "\n"


def _fill(path: Path, content: str, *, like: Path | None = None) -> None:
    """Make a file that its owner alone can read, owned as the one it replaces; on disk when this returns."""
    with os.fdopen(create(path, 0o600), "w", encoding="utf-8") as file:
        if like and like.exists() and os.geteuid() == 0:
            old = like.stat()
            os.fchown(file.fileno(), old.st_uid, old.st_gid)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
