"""The emulator's own ledger: one JSON object a line, each flushed before the emulator goes on.

All records have ``t`` (Unix time, seconds) and ``is``:

========== ==========================================================================================================
start      the options of the run
event      a message came into the queue: n, kind, bytes (hex, as an undamaged send has them), found, second_of, caller
overflow   a message (n, kind, bytes) found the buffer full and is lost
send       n, try, and if it was not plain: fault, bytes (what was really written), written (if fewer bytes fitted)
beat       a heartbeat was sent: try
ack, nak   the answer to message n, or to a heartbeat (n = 0): try, wait (seconds), lost if the receiver ignores it
early      bytes that came before the last byte of a message was sent (hex)
stray      bytes that answer nothing (hex)
unanswered message n (or 0) had no answer in time: try
absent     the receiver declares the computer absent and buzzes; present: a heartbeat was acknowledged
dropped    message n was dropped after too many NAKs
open       a connection or device was opened: way, peer; close: it was closed: why
end        the totals
========== ==========================================================================================================
"""

from __future__ import annotations

import json
import time
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_encode = json.JSONEncoder(separators=(",", ":")).encode


class Ledger:
    """Writes records. A record is with the operating system when ``write`` returns, so no kill of ours loses it."""

    def __init__(self, path: Path) -> None:
        self._file: IO[str] = path.open("w", encoding="utf-8")

    def write(self, what: str, **fields: object) -> None:
        """Write one record with the present time."""
        record = {"t": round(time.time(), 6), "is": what, **fields}
        self._file.write(_encode(record) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a ledger. The last line may be cut when the emulator still writes."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield json.loads(line)
