"""What the parts of one simulated Cloud API share."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from vetlla.domain.messages import Channel
from vetlla.simulator.messaging.callback import Callback, Post
from vetlla.simulator.messaging.whatsapp.webhook import delivery

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vetlla.simulator.messaging.faults import WhatsAppFaults
    from vetlla.simulator.messaging.phones import PhoneBook
    from vetlla.simulator.messaging.whatsapp.orders import Order
    from vetlla.simulator.messaging.whatsapp.templates import MetaTemplate
    from vetlla.simulator.messaging.whatsapp.webhook import Change, CloudAccount

FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 3_600.0
MOST_ATTEMPTS = 170
"""Attempts in about seven days, after which Meta gives a delivery up."""


def meta_waits(_: int, attempt: int) -> float | None:
    """Return Meta's back-off: longer each time up to an hour, for seven days."""
    return min(FIRST_WAIT_S * 2.0 ** min(attempt - 1, 20), LONGEST_WAIT_S) if attempt < MOST_ATTEMPTS else None


@dataclass(slots=True)
class CloudState:
    """The account, its templates, what was sent, and the webhook."""

    book: PhoneBook
    account: CloudAccount
    faults: WhatsAppFaults
    templates: dict[tuple[str, str], MetaTemplate] = field(default_factory=dict)
    """By name and language."""
    orders: dict[str, Order] = field(default_factory=dict)
    """What was sent, by its id."""
    callback_url: str = ""
    """Address of the webhook; "" before the first visit succeeded."""
    callback: Callback[Change] = field(init=False)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        """Make the caller of the webhook."""
        self.callback = Callback(self.book, Channel.WHATSAPP, lambda: self.faults, self._posts, meta_waits)

    def wamid(self, number: str, *, is_incoming: bool) -> str:
        """Return an id of Meta's form: the number and a random part, in base 64."""
        digits = number.removeprefix("+").encode()[:255]
        part = hashlib.sha256(b"%s/%d" % (digits, next(self._numbers))).hexdigest()[:18].upper().encode()
        way = b"\x15\x02\x00\x12" if is_incoming else b"\x15\x02\x00\x11"
        raw = b"\x1c\x18" + bytes((len(digits),)) + digits + way + b"\x18\x12" + part + b"\x00"
        return "wamid." + b64encode(raw).decode("ascii").rstrip("=")

    def _posts(self, changes: Sequence[Change]) -> Iterable[Post]:
        if not self.callback_url:
            return
        for group in [changes] if self.faults.together else [[one] for one in changes]:
            body, headers = delivery(self.account, group)
            yield Post(self.callback_url, body, headers)
