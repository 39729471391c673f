"""The duplicate window: the reports that were stored lately, so that a retry is answered again and not stored again.

``service/queue/retelling.py`` decides what a retry is; this module remembers what that decision needs. All instants are
monotonic, so a wall clock that is set changes no verdict.
"""

from __future__ import annotations

from collections import deque
from heapq import merge
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from vetlla.domain.clock import SECOND_US
from vetlla.service.queue.retelling import Remembered, Said

if TYPE_CHECKING:
    from vetlla.domain.previous_run import Recent
    from vetlla.domain.signals import AccountId
    from vetlla.settings.store import StoreSettings

Record: TypeAlias = "tuple[bytes, int, int, int, int | None, int | None, int | None, int]"
"""Identity, number, instant of the last sending, frame, alarm and the fields of ``Said``. It is one flat tuple,
because there may be a million of them, and the garbage collector does not follow such a tuple. Its first fields are
those of a report that is read back without details."""
_Seen: TypeAlias = "Record | int"
"""After a restart, a report that was read back without details is kept as its number."""


class Duplicates:
    """Identities of stored signals, limited in age and number.

    A queue beside the dictionary gives the oldest identity. A dictionary that lost its first keys finds its next key
    only after a search over all lost keys. With a full window that cost 40 us a signal, and 100 ms at once.
    """

    def __init__(self, settings: StoreSettings, recent: Recent) -> None:
        self.apply(settings)
        calls = [(call.identity, call.number, call.stored_us) for call in recent.calls]
        self._order: deque[Record | tuple[bytes, int, int]] = deque(
            merge(recent.plain, calls, key=itemgetter(1)) if calls else recent.plain
        )
        """Identity, number, instant of storage, and what else the record had then."""
        self._seen: dict[bytes, _Seen] = {identity: number for identity, number, _ in recent.plain}
        for call in recent.calls:
            said = Said(call.occurred_us, call.sent_us, call.content)
            self._seen[call.identity] = (call.identity, call.number, call.told_us, call.frame, call.alarm, *said)
        self._frames = {_device(call.who): call.last_frame for call in recent.calls}
        """The last frame of each device. ``_older_frames`` has the devices that were silent during the last window."""
        self._older_frames: dict[str, int] = {}
        self._turned_us = 0
        self._new: dict[bytes, _Seen] = {}
        self._new_frames: dict[str, int] = {}
        self._added = 0
        """Additions of the batch under way."""

    def apply(self, settings: StoreSettings) -> None:
        """Apply settings."""
        self._window_us = round(settings.duplicate_window_s * SECOND_US)
        self._max = settings.duplicate_window_max

    def forget(self, now_us: int) -> None:
        """Forget reports that are too old, or that exceed the limit."""
        order, horizon_us = self._order, now_us - self._window_us
        while order and (order[0][2] < horizon_us or len(order) > self._max):
            identity, number = order.popleft()[:2]
            seen = self._seen[identity]
            if number == (seen if isinstance(seen, int) else seen[1]):  # otherwise it was stored again later
                del self._seen[identity]
        if self._turned_us < horizon_us or len(self._frames) > self._max:
            self._older_frames, self._frames, self._turned_us = self._frames, {}, now_us

    def find(self, identity: bytes) -> Remembered | None:
        """Return the report that was stored last under this identity, or None."""
        seen = self._new.get(identity) or self._seen.get(identity)
        if seen is None:
            return None
        if isinstance(seen, int):
            return Remembered(seen, 0, None, 0, None)
        _, number, told_us, frame, alarm, occurred_us, sent_us, content = seen
        return Remembered(number, frame, alarm, told_us, Said(occurred_us, sent_us, content))

    def lies_between(self, report: Remembered, who: AccountId) -> bool:
        """Return True if the device sent another report after it last sent this one, or if that is not known."""
        device = _device(who)
        kept = (self._new_frames, self._frames, self._older_frames)
        return next((frames[device] for frames in kept if device in frames), None) != report.frame

    def add(self, record: Record) -> None:
        """Remember a signal of the batch under way."""
        self._new[record[0]] = record
        self._order.append(record)
        self._added += 1

    def repeat(self, identity: bytes, report: Remembered) -> None:
        """Remember that a report was sent again; ``report`` is the same one with its last frame and instant."""
        number, frame, alarm, told_us, said = report
        self._new[identity] = number if said is None else (identity, number, told_us, frame, alarm, *said)

    def end_frame(self, who: AccountId, frame: int) -> None:
        """Remember a device's last frame after its last part, because its parts do not lie between one another."""
        self._new_frames[_device(who)] = frame

    def committed(self) -> None:
        """Keep the additions of the batch: it was committed."""
        self._seen.update(self._new)
        self._frames.update(self._new_frames)
        self._begin()

    def rolled_back(self) -> None:
        """Forget the additions of the batch: it was rolled back."""
        for _ in range(self._added):
            self._order.pop()
        self._begin()

    def _begin(self) -> None:
        """Begin the next batch."""
        self._new.clear()
        self._new_frames.clear()
        self._added = 0


def _device(who: AccountId) -> str:
    """Return the account in one spelling: panels send its hexadecimal digits in both cases."""
    return "/".join(who).upper()
