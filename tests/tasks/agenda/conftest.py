"""An office for tests of the agenda."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rigs.agenda import BEFORE, Office
from vetlla.domain.clock import ManualClock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path, ManualClock(BEFORE))
