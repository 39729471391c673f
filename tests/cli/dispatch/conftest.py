"""A street with units, and alarms of a few homes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rigs.street import furnish, write_alarms

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Done, Vetlla


@pytest.fixture
def street(vetlla: Vetlla, state_dir: Path, tmp_path: Path) -> Vetlla:
    def run(*words: object) -> Done:
        done = vetlla(*words)
        assert done.status == 0, done.error
        return done

    furnish(run, tmp_path)
    write_alarms(state_dir, (1, "H1", 40, 38), (2, "H1", 12, None), (3, "H2", 3, None), (4, "H3", 3, None))
    return vetlla
