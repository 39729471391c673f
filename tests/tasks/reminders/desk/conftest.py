"""A lived-in database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminders import NOW
from tests.rigs.reminders_desk import DeskWorld

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[DeskWorld]:
    """Make appointments, messages of each kind, and replies in the inbox."""
    with DeskWorld.opened(tmp_path, NOW) as world:
        world.live()
        yield world
