"""The duplicate window: which reports were stored lately, so that a retry is answered again and not stored again.

``vetlla.service.retelling`` decides what a retry is; this module remembers what that decision needs. All instants are
monotonic: a stepped wall clock changes no verdict.
"""

from __future__ import annotations

from collections import deque
from heapq import merge
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from vetlla.clock import SECOND_US
from vetlla.service.retelling import Remembered, Said

if TYPE_CHECKING:
    from vetlla.settings.model import StoreSettings
    from vetlla.signals import AccountId
    from vetlla.store.recent import Recent

Record: TypeAlias = "tuple[int, int, int | None, int, int | None, int | None, int]"
"""The fields of ``Remembered`` and ``Said`` in one flat tuple of numbers: there may be a million, and the garbage
collector does not follow such a tuple."""
_Seen: TypeAlias = "Record | int"
"""A report that was read back without details is its number alone."""


class Duplicates:
    """Identities of stored signals within a time and a number.

    Beside the dictionary a queue says which is the oldest: the first key of a dictionary that loses its first keys is
    found only behind all that were lost. With a full window that cost 40 us a signal, and 100 ms at a stretch.
    """

    def __init__(self, settings: StoreSettings, recent: Recent) -> None:
        self.use(settings)
        calls = [(call.identity, call.number, call.stored_us) for call in recent.calls]
        self._order = deque(merge(recent.plain, calls, key=itemgetter(1)) if calls else recent.plain)
        """Identity, number, and when it was stored."""
        self._seen: dict[bytes, _Seen] = {identity: number for identity, number, _ in recent.plain}
        for call in recent.calls:
            said = Said(call.occurred_us, call.sent_us, call.content)
            self._seen[call.identity] = (call.number, call.frame, call.alarm, call.told_us, *said)
        self._frames = {_device(call.who): call.last_frame for call in recent.calls}
        """The last frame of each device, and of those that were silent during the last window."""
        self._older_frames: dict[str, int] = {}
        self._turned_us = 0
        self._seen_before: dict[bytes, _Seen | None] = {}
        self._frames_before: dict[str, int | None] = {}
        self._added = 0
        """What the batch under way has changed, as it was before."""

    def use(self, settings: StoreSettings) -> None:
        """Go on with another window."""
        self._window_us = round(settings.duplicate_window_s * SECOND_US)
        self._max = settings.duplicate_window_max

    def forget(self, now_us: int) -> None:
        """Forget what is too old or too much."""
        order, horizon_us = self._order, now_us - self._window_us
        while order and (order[0][2] < horizon_us or len(order) > self._max):
            identity, number, _ = order.popleft()
            seen = self._seen[identity]
            if number == (seen if isinstance(seen, int) else seen[0]):  # else it was stored again since
                del self._seen[identity]
        if self._turned_us < horizon_us or len(self._frames) > self._max:
            self._older_frames, self._frames, self._turned_us = self._frames, {}, now_us

    def find(self, identity: bytes) -> Remembered | None:
        """Return the report that was stored last under this identity."""
        seen = self._seen.get(identity)
        if seen is None:
            return None
        if isinstance(seen, int):
            return Remembered(seen, 0, None, 0, None)
        number, frame, alarm, told_us, occurred_us, sent_us, content = seen
        return Remembered(number, frame, alarm, told_us, Said(occurred_us, sent_us, content))

    def lies_between(self, report: Remembered, who: AccountId) -> bool:
        """Return True if the device told another report since it told this one last, or if that is not known."""
        device = _device(who)
        return self._frames.get(device, self._older_frames.get(device)) != report.frame

    def add(self, identity: bytes, record: Record) -> None:
        """Remember a signal of the batch under way."""
        self._seen_before.setdefault(identity, self._seen.get(identity))
        self._seen[identity] = record
        self._order.append((identity, record[0], record[3]))
        self._added += 1

    def repeat(self, identity: bytes, report: Remembered) -> None:
        """Remember that a report was told once more: ``report`` is the same one with its last frame and instant."""
        self._seen_before.setdefault(identity, self._seen.get(identity))
        number, frame, alarm, told_us, said = report
        self._seen[identity] = number if said is None else (number, frame, alarm, told_us, *said)

    def end_frame(self, who: AccountId, frame: int) -> None:
        """Remember a device's last frame; its parts do not lie between one another."""
        device = _device(who)
        self._frames_before.setdefault(device, self._frames.get(device))
        self._frames[device] = frame

    def settle(self) -> None:
        """Keep what the batch changed: it was committed."""
        self._seen_before.clear()
        self._frames_before.clear()
        self._added = 0

    def take_back(self) -> None:
        """Forget what the batch changed: it was rolled back."""
        for _ in range(self._added):
            self._order.pop()
        for identity, seen in self._seen_before.items():
            if seen is None:
                del self._seen[identity]
            else:
                self._seen[identity] = seen
        for device, frame in self._frames_before.items():
            if frame is None:
                del self._frames[device]
            else:
                self._frames[device] = frame
        self.settle()


def _device(who: AccountId) -> str:
    """Return the account in one spelling: panels send its hexadecimal digits in both cases."""
    receiver, line, account = who
    return f"{receiver}/{line}/{account if account.isdigit() else account.upper()}"
