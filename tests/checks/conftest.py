"""The places of these tests are on a disk, because a spool in memory is a risk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rigs.disk import folder_on_disk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Make a folder of the test on a disk."""
    with folder_on_disk() as folder:
        yield folder
