"""The senders' record of every message and its acknowledgement, to be compared with the journal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

from vetlla.domain.clock import iso
from vetlla.simulator.message import wall_us

if TYPE_CHECKING:
    from vetlla.simulator.message import Message


def entry(message: Message) -> dict[str, Any]:
    """Return the fields of one line: account, data, times and outcome (``fate``)."""
    return {
        "receiver": message.home.receiver,
        "line": message.home.line,
        "account": message.home.account,
        "token": message.token,
        "sequence": message.sequence,
        "data": message.data.decode("ascii"),
        "fate": message.fate.value,
        "attempts": message.attempts,
        "sent_at": iso(wall_us(message.sent_ns)),
        "settled_at": iso(wall_us(message.settled_ns)),
    }


class Ledger:
    """Writes one line with a JSON object for every message, when the message is settled."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def write(self, message: Message) -> None:
        """Add a settled message."""
        self._out.write(json.dumps(entry(message)) + "\n")
