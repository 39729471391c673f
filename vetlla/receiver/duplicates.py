"""The duplicate window: which reports were stored lately, so that a retry is answered again and not stored again.

``vetlla.service.retelling`` decides what a retry is; this module remembers what that decision needs. All instants are
monotonic: a stepped wall clock changes no verdict.
"""

from __future__ import annotations

from collections import deque
from heapq import merge
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from vetlla.clock import SECOND_US
from vetlla.service.retelling import Remembered, Said
from vetlla.signals import AccountId

if TYPE_CHECKING:
    from vetlla.settings.model import StoreSettings
    from vetlla.store.recent import Recent

_NO_ONE = AccountId("", "", "")


class _Place(NamedTuple):
    """A stored report in the order of the window. Reports read back without details are plain tuples of this shape."""

    identity: bytes
    """b"" for a report that is never a retry, but lies between two that may be."""
    number: int
    stored_us: int
    who: AccountId | None


class _Device:
    """A device that has reports in the window."""

    __slots__ = ("last_frame", "places")

    def __init__(self, last_frame: int) -> None:
        self.last_frame = last_frame
        self.places = 0
        """How many of its reports the window holds."""


class Duplicates:
    """Identities of stored signals within a time and a number.

    Beside the dictionary a queue says which is the oldest: the first key of a dictionary that loses its first keys is
    found only behind all that were lost. With a full window that cost 40 us a signal, and 100 ms at a stretch.
    """

    def __init__(self, settings: StoreSettings, recent: Recent) -> None:
        self.use(settings)
        places = [_Place(call.identity, call.number, call.stored_us, _spelled(call.who)) for call in recent.calls]
        self._order = deque(merge(recent.plain, places, key=itemgetter(1)) if places else recent.plain)
        self._seen: dict[bytes, Remembered | int] = {place[0]: place[1] for place in recent.plain}
        """A report that was read back without details is its number."""
        for call in recent.calls:
            said = Said(call.occurred_us, call.sent_us, call.content)
            self._seen[call.identity] = Remembered(call.number, call.who, call.frame, call.alarm, call.told_us, said)
        self._devices: dict[AccountId, _Device] = {}
        for call in recent.calls:
            self._devices.setdefault(_spelled(call.who), _Device(call.last_frame)).places += 1
        self._seen_before: dict[bytes, Remembered | int | None] = {}
        self._last_before: dict[AccountId, int] = {}
        """What the batch under way has changed, as it was before."""
        self._added = 0

    def use(self, settings: StoreSettings) -> None:
        """Go on with another window."""
        self._window_us = round(settings.duplicate_window_s * SECOND_US)
        self._max = settings.duplicate_window_max

    def forget(self, now_us: int) -> None:
        """Forget what is too old or too much."""
        order, horizon_us = self._order, now_us - self._window_us
        while order and (order[0][2] < horizon_us or len(order) > self._max):
            identity, number, _, who = order.popleft()
            if identity and self._number(identity) == number:  # else it was stored again since
                del self._seen[identity]
            if who is not None:
                self._leave(who)

    def _leave(self, who: AccountId) -> None:
        device = self._devices[who]
        device.places -= 1
        if not device.places:
            del self._devices[who]

    def _number(self, identity: bytes) -> int | None:
        seen = self._seen.get(identity)
        return seen.number if isinstance(seen, Remembered) else seen

    def find(self, identity: bytes) -> Remembered | None:
        """Return the report that was stored last under this identity."""
        seen = self._seen.get(identity)
        return Remembered(seen, _NO_ONE, 0, None, 0, None) if isinstance(seen, int) else seen

    def lies_between(self, report: Remembered) -> bool:
        """Return True if the device told another report since it told this one last."""
        device = self._devices.get(_spelled(report.who))
        return device is not None and device.last_frame != report.frame

    def add(self, identity: bytes, report: Remembered) -> None:
        """Remember a signal of the batch under way; b"" if it can be no retry, and only lies between others."""
        who = _spelled(report.who)
        device = self._devices.get(who)
        if identity:
            self._seen_before.setdefault(identity, self._seen.get(identity))
            self._seen[identity] = report
        elif device is None:
            return
        if device is None:
            device = self._devices[who] = _Device(report.frame)
        self._tell(who, device, report.frame)
        device.places += 1
        self._order.append(_Place(identity, report.number, report.told_us, who))
        self._added += 1

    def repeat(self, identity: bytes, report: Remembered) -> None:
        """Remember that a report was told once more: ``report`` is the same one with its last frame and instant."""
        self._seen_before.setdefault(identity, self._seen.get(identity))
        self._seen[identity] = report
        who = _spelled(report.who)
        if (device := self._devices.get(who)) is not None:
            self._tell(who, device, report.frame)

    def _tell(self, who: AccountId, device: _Device, frame: int) -> None:
        self._last_before.setdefault(who, device.last_frame)
        device.last_frame = frame

    def settle(self) -> None:
        """Keep what the batch changed: it was committed."""
        self._seen_before.clear()
        self._last_before.clear()
        self._added = 0

    def take_back(self) -> None:
        """Forget what the batch changed: it was rolled back."""
        for who, frame in self._last_before.items():
            self._devices[who].last_frame = frame
        for _ in range(self._added):
            *_, who = self._order.pop()
            assert who is not None  # what this run adds names its device
            self._leave(who)
        for identity, seen in self._seen_before.items():
            if seen is None:
                del self._seen[identity]
            else:
                self._seen[identity] = seen
        self.settle()


def _spelled(who: AccountId) -> AccountId:
    """Return the account in one spelling: panels send the hexadecimal digits of their account in both cases."""
    return who if who.account.isdigit() else who._replace(account=who.account.lower())
