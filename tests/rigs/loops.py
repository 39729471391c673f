"""The event loops that the receiver runs on: a test with ``each_loop`` runs once on each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import uvloop

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
each_loop = pytest.mark.asyncio(loop_factories=list(LOOPS))
