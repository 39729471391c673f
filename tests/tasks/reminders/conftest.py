"""A world with one appointment of tomorrow."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminders import NOW, appointment
from tests.tasks.reminders.machine import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


HOUR = timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Return a world with one appointment of tomorrow, which was polled and whose reminder is planned."""
    made = World(tmp_path, NOW)
    made.source.put(appointment(start=NOW + 24 * HOUR))
    made.poll()
    made.plan()
    yield made
    made.close()
