"""A clock that leaps ahead, for the reminder service and the systems around it at the same moment.

    python -m bench.killing.chaos_reminders.leaping FILE COMMAND...    # vetlla COMMAND... on the clock of FILE

Leases last two minutes and the wait for a report ten. A bench that kills the service each second sees the end of
neither, so now and then it lets some minutes pass at once, as if the machine had slept.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from vetlla import __main__ as program
from vetlla.domain.clock import SECOND_US, Instant, SystemClock

_BYTES = 8


class LeapingClock:
    """The machine's clocks, and the time by which a file says that they are ahead. All processes share the file."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)

    def now(self) -> Instant:
        """Return the present moment of this clock."""
        ahead_us = int.from_bytes(os.pread(self._file, _BYTES, 0), "little")
        return Instant(time.time_ns() // 1000 + ahead_us, time.monotonic_ns() // 1000 + ahead_us)

    def leap(self, seconds: float) -> None:
        """Let time pass in all processes."""
        ahead_us = int.from_bytes(os.pread(self._file, _BYTES, 0), "little") + round(seconds * SECOND_US)
        os.pwrite(self._file, ahead_us.to_bytes(_BYTES, "little"), 0)


def main() -> None:
    """Run the command on the clock of the file."""
    _, file, *command = sys.argv
    clock = LeapingClock(Path(file))
    SystemClock.now = lambda _: clock.now()  # type: ignore[method-assign, assignment]
    sys.argv = ["vetlla", *command]
    program.main()


if __name__ == "__main__":
    main()
