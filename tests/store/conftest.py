"""What tests of the store share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rigs.permissions import reachable_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def reachable() -> Iterator[Path]:
    """Make a directory that another user can reach."""
    with reachable_directory() as folder:
        yield folder
