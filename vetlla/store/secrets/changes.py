"""Changes the keys file: one change at a time, whole or not at all."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from vetlla.domain.errors import ConfigError, StoreError, UsageError
from vetlla.store.secrets.keyring import Keyring, SharedKey, is_credential
from vetlla.store.sqlite.lockfile import exclusive
from vetlla.store.sqlite.ownership import create, sync_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

_HEAD = "# Secret keys. Written by `vetlla keys` or `vetlla cards rekey`. Never print or send.\n"


def set_key(path: Path, name: str, secret: bytes, *, by: str, now: datetime, drop_old: bool = False) -> bool:
    """Store a key under a name; return True if that changed the file. Raises UsageError if the name has another key."""
    with _editing(path) as keys:
        old = keys.get(name)
        if old and not drop_old and old.current != secret:
            raise UsageError(
                f"there is another key {name} already",
                remedy=f"vetlla keys rotate {name} keeps it until all devices have the new one; --replace drops it now",
            )
        if old and old.current == secret:
            return False
        keys[name] = SharedKey(current=secret, since=now, by=by, long_pad=bool(old and old.long_pad))
    return True


def rotate_key(path: Path, name: str, secret: bytes, *, by: str, now: datetime) -> None:
    """Make a new key the current one and keep the old one as previous. Raises UsageError during a rotation."""
    with _editing(path) as keys:
        old = _held(keys, name)
        if old.previous is not None:
            raise UsageError(
                f"key {name} has been in rotation since {old.since:%Y-%m-%d}",
                remedy=f"when all devices have the new key: vetlla keys rotate {name} --finish",
            )
        if old.current == secret:
            raise UsageError(f"{name} has this key already", remedy="give the new key")
        keys[name] = replace(old, current=secret, previous=old.current, since=now, by=by)


def finish_rotation(path: Path, name: str) -> None:
    """Drop the previous key. Raises UsageError if there is none."""
    with _editing(path) as keys:
        old = _held(keys, name)
        if old.previous is None:
            raise UsageError(f"key {name} is not being rotated", remedy=f"begin with: vetlla keys rotate {name}")
        keys[name] = replace(old, previous=None)


def set_long_pad(path: Path, name: str, *, long_pad: bool) -> bool:
    """Record whether devices with this key put a whole block of pad in front; return True if that changed the file."""
    with _editing(path) as keys:
        old = _held(keys, name)
        keys[name] = replace(old, long_pad=long_pad)
    return old.long_pad != long_pad


def remove_key(path: Path, name: str) -> None:
    """Remove a key. Raises UsageError if there is none."""
    with _editing(path) as keys:
        _held(keys, name)
        del keys[name]


def _held(keys: Mapping[str, SharedKey], name: str) -> SharedKey:
    if name not in keys:
        raise UsageError(f"there is no key {name}", remedy="vetlla keys list shows the names")
    return keys[name]


@contextmanager
def _editing(path: Path) -> Iterator[dict[str, SharedKey]]:
    """Give the file's keys to change; write them, whole or not at all, when the block ends without an error.

    A lock admits one editor at a time. The old file stays until the new one replaces it in one step.
    """
    if is_credential(path):
        raise ConfigError(
            f"{path}: a systemd credential cannot be changed", remedy="name the file that the unit loads: --keys-file"
        )
    _make_folder(path.parent)
    with exclusive(path.with_name(f"{path.name}.lock")):
        before = dict(Keyring.read(path)) if path.exists() else {}
        after = dict(before)
        yield after
        if after != before:
            _write(path, after)


def write_secret(path: Path, secret: bytes) -> None:
    """Write one key as hex to a new file that only its owner can read. Raises StoreError if the file exists."""
    try:
        _fill(path, f"{secret.hex()}\n")
        sync_directory(path.parent)
    except OSError as error:
        if not isinstance(error, FileExistsError):
            path.unlink(missing_ok=True)
        raise StoreError(f"{path}: {error.strerror}", remedy="name a new file in a directory you may write") from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o750, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}", remedy="is the path right? its parent must exist") from error


def _write(path: Path, keys: Mapping[str, SharedKey]) -> None:
    new = path.with_name(f"{path.name}.new")
    try:
        new.unlink(missing_ok=True)  # left by an editor that was killed: we hold the lock, so no other process uses it
        _fill(new, _HEAD + "".join(_table(name, key) for name, key in sorted(keys.items())), like=path)
        new.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise StoreError(
            f"{path}: cannot be written: {error.strerror}",
            remedy="check permissions and disk; either all keys are as before, or all are new",
        ) from error


def _table(name: str, key: SharedKey) -> str:
    lines = [
        f'["{name}"]',
        f'key = "{key.current.hex()}"',
        *([f'previous = "{key.previous.hex()}"'] if key.previous else []),
        f"since = {key.since:%Y-%m-%dT%H:%M:%SZ}",
        f"by = {json.dumps(key.by)}",
        *(["long_pad = true"] if key.long_pad else []),
    ]
    return "\n" + "\n".join(lines) + "\n"


def _fill(path: Path, content: str, *, like: Path | None = None) -> None:
    """Make a file that only its owner can read, with the owner of the file ``like``; it is on the disk on return."""
    with os.fdopen(create(path, 0o600), "w", encoding="utf-8") as file:
        if like and os.path.lexists(like) and os.geteuid() == 0:
            old = like.lstat()
            os.fchown(file.fileno(), old.st_uid, old.st_gid)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
