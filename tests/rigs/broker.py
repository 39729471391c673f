"""A real Mosquitto for the acceptance tests. Without its Debian package they are skipped, which .ci/run refuses."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bench.rig.broker import OPEN, Broker, NoBrokerError, mosquitto

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S = 30.0


def need_broker() -> None:
    """Skip the test if Mosquitto is not installed."""
    try:
        mosquitto()
    except NoBrokerError as error:
        pytest.skip(str(error))


@contextmanager
def running_broker(directory: Path, config: str = OPEN) -> Iterator[Broker]:
    """Run a broker during the block."""
    need_broker()
    broker = Broker(directory, config)
    try:
        yield broker.start()
    finally:
        broker.kill()
