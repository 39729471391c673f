"""A desk with two citizens: appointments, messages, replies that were not understood."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminders_desk import DeskWorld
from vetlla.domain.clock import SystemClock, to_datetime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def now() -> datetime:
    """Return the present time, because the commands use the machine's clock."""
    return to_datetime(SystemClock().now().utc_us)


@pytest.fixture
def desk(state_dir: Path, now: datetime) -> Iterator[DeskWorld]:
    """Make a lived-in database in the state directory."""
    with DeskWorld.opened(state_dir, now - timedelta(minutes=30)) as world:
        world.live()
        yield world
