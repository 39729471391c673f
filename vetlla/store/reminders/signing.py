"""The service's own secret: it signs the payloads of buttons, and chooses who gets no reminder.

It is made at the first start and stays beside the database. Without it, buttons of earlier messages mean nothing, and
other appointments than before would be held back.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import StoreError
from vetlla.domain.plainfile import open_file
from vetlla.store.sqlite.faults import disk_errors
from vetlla.store.sqlite.ownership import create, sync_directory

if TYPE_CHECKING:
    from pathlib import Path

SECRET_FILE: Final = "reminders.secret"  # noqa: S105 - the name of a file
_BYTES: Final = 32


def signing_secret(state_dir: Path, purpose: str, *, make: bool = True) -> bytes:
    """Return the secret for one purpose. Raises StoreError, AccessError.

    If the file does not exist it is made, or, for a rehearsal (``make=False``), another secret is returned.
    """
    path = state_dir / SECRET_FILE
    with disk_errors(state_dir):
        if not path.exists():
            if not make:
                return secrets.token_bytes(_BYTES)
            _make(path)
        with open_file(path) as file:
            text = file.read(4 * _BYTES).strip()
    if len(text) != 2 * _BYTES:
        raise StoreError(
            f"{path}: is not a secret of this service", remedy="restore the file from a backup, or move it away"
        )
    return hmac.digest(text, purpose.encode(), hashlib.sha256)


def _make(path: Path) -> None:
    # Written beside and linked, so that another process finds a whole file or none.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = create(draft, 0o600)
    try:
        os.write(descriptor, f"{secrets.token_hex(_BYTES)}\n".encode())
        os.fsync(descriptor)
        try:
            os.link(draft, path)
        except FileExistsError:  # another process was faster
            return
    finally:
        os.close(descriptor)
        draft.unlink()
    sync_directory(path.parent)
