"""A receiver for the acceptance tests of the queue."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.rigs.daemon import Daemon, running
from tests.rigs.registered_homes import register

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


CONFIG = "[store]\nmin_free_mib = 1\n"


@contextmanager
def homes(directory: Path, config: str = CONFIG) -> Iterator[Daemon]:
    """Start a daemon with two registered homes. One of them has two terminals."""
    register(directory / "state", "1001,H-1001,,", "1002,H-1002,,", "2002,H-1002,,")
    with running(directory, config=config) as daemon:
        yield daemon
