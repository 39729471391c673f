"""Registers homes and keys for tests, as ``vetlla accounts import`` and ``vetlla keys set`` do."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vetlla.cli.accounts.files import entries
from vetlla.domain.clock import SystemClock
from vetlla.store.accounts.table import register as register_accounts
from vetlla.store.registry.registry import writing
from vetlla.store.secrets.changes import set_key

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "account,home,key_name,clock_window"


def register(state_dir: Path, *rows: str) -> None:
    """Register homes before the daemon starts, with one CSV row each under ``HEADER``."""
    file = io.BytesIO("".join(f"{row}\n" for row in (HEADER, *rows)).encode())
    clock = SystemClock()
    with writing(state_dir, clock) as registry:
        register_accounts(registry, entries(file), by="test", at_us=clock.now().utc_us)


def keep_key(state_dir: Path, name: str, secret: bytes) -> None:
    """Store a shared key. Its name goes into the third column of a home."""
    state_dir.mkdir(parents=True, exist_ok=True)
    set_key(state_dir / "keys.toml", name, secret, by="test", now=datetime.now(UTC))
