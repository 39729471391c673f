"""A database of its own for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminders import NOW
from vetlla.domain.clock import ManualClock
from vetlla.store.reminders.opening import opened

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Return an open database."""
    with opened(tmp_path, ManualClock(NOW)) as connection:
        yield connection
