"""Spreads the messages of a channel over time, so that its provider refuses none for too many at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from vetlla.service.reminders.budget import SendRate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from vetlla.domain.messages import Channel


class Pacing:
    """The rate of each channel. A channel without a rate waits for nothing."""

    def __init__(
        self,
        per_second: Mapping[Channel, float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._per_second = dict(per_second or {})
        self._sleep = sleep
        self._rates: dict[Channel, SendRate] = {}

    async def wait(self, channel: Channel, now: Callable[[], datetime]) -> None:
        """Return when the next message of a channel may leave."""
        if channel not in self._per_second:
            return
        rate = self._rates.setdefault(channel, SendRate(self._per_second[channel], now()))
        wait_s = rate.wait(now()).total_seconds()
        if wait_s > 0:
            await self._sleep(wait_s)
