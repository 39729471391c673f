"""A state directory for tests of the control socket with several users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rigs.permissions import reachable_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def public_dir() -> Iterator[Path]:
    """Make a state directory that every user of the machine can reach."""
    with reachable_directory() as folder:
        yield folder
