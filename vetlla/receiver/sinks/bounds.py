"""The bounds of all sinks; a test makes them smaller."""

from __future__ import annotations

from typing import NamedTuple

READ_ROWS = 500
"""Signals in one read of the journal: some 5 ms of the reading thread, and at most some megabytes of memory."""
FIRST_RETRY_S = 0.5
"""Pause in seconds after the first failed attempt; it doubles up to the sink's ``retry_max_s``."""
RETRY_AFTER_MAX_S = 3_600.0
"""Longest pause in seconds that a peer can ask for: a slip in its answer must not stop a sink for a day."""
BLOCKED_RETRY_S = 300.0
"""Pause in seconds before a refused signal is sent again, because its peer may have been repaired meanwhile."""
HAND_OVER_S = 300.0
"""Longest call of a delivery in seconds. A delivery has shorter limits of its own; this one is for their faults."""
WRITE_WITHIN_S = 1.0
"""Seconds after which a moved position is written."""
WRITE_AFTER = 1_000
"""Signals after which it is written earlier. A killed receiver sends at most these again."""
GOODBYE_S = 2.0
"""Time in seconds for what is under way when the receiver stops; what was not taken by then is sent again."""
TEST_S = 30.0
"""Longest test of a sink in seconds: a person waits for it."""


class SinkBounds(NamedTuple):
    """The bounds that parts take as values."""

    read_rows: int = READ_ROWS
    first_retry_s: float = FIRST_RETRY_S
    retry_after_max_s: float = RETRY_AFTER_MAX_S
    blocked_retry_s: float = BLOCKED_RETRY_S
    hand_over_s: float = HAND_OVER_S
    write_within_s: float = WRITE_WITHIN_S
    write_after: int = WRITE_AFTER
    goodbye_s: float = GOODBYE_S
    test_s: float = TEST_S
