"""The other end of a sink."""

from __future__ import annotations

import pytest

from tests.rigs.sink_peer import SinkPeer


@pytest.fixture
async def peer() -> SinkPeer:
    """Return a peer that takes everything."""
    return SinkPeer()
