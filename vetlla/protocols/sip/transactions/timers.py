"""The times of transactions in microseconds (RFC 3261, 17 and table 4)."""

from __future__ import annotations

from typing import Final

from vetlla.domain.clock import SECOND_US

T1_US: Final = SECOND_US // 2
"""Estimated time of a round trip."""
T2_US: Final = 4 * SECOND_US
"""Longest pause between two sendings of a request."""
T4_US: Final = 5 * SECOND_US
"""Longest time for which a datagram is on its way."""
WHOLE_US: Final = 64 * T1_US
"""Timers F and J: how long a sender repeats its request, and so how long its repetitions must be known."""
