"""Which emergency a new call of a home belongs to, so that the contract's clock starts at its first communication.

An emergency lasts as long as an alarm of it is open, and for the chaining window after an operator closed the last one.
A person who calls again after "false alarm" has been waiting since the first call (ANS 11 and 12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.signals import Priority

if TYPE_CHECKING:
    from vetlla.alarms import Alarm

EMERGENCY: Final = (Priority.LIFE, Priority.HOME_RISK)
"""Priorities for which help is sent: a closed low battery starts no clock."""


class Emergency(NamedTuple):
    """An emergency by its last alarm, and the beginning of its first communication."""

    alarm: int
    established_us: int


def emergency(alarm: Alarm) -> Emergency | None:
    """Return the emergency that an alarm belongs to; None: it is none."""
    return Emergency(alarm.id, alarm.established_us) if alarm.priority in EMERGENCY else None


class Closed:
    """The emergencies whose alarms were closed within the chaining window, one for each home."""

    __slots__ = ("_ended",)

    def __init__(self) -> None:
        self._ended: dict[tuple[str, bool], tuple[int, Emergency]] = {}
        """By home, and apart for its accounts on test: until when (monotonic) a call continues it; oldest first."""

    def add(self, alarm: Alarm, until_us: int, now_us: int) -> None:
        """Remember the emergency of an alarm that was closed; both instants are monotonic.

        Of several in one home the newest alarm is continued, with the clock that started first.
        """
        while self._ended and next(iter(self._ended.values()))[0] < now_us:
            del self._ended[next(iter(self._ended))]
        if (ended := emergency(alarm)) is not None:
            if before := self.find(alarm.home, on_test=alarm.on_test, now_us=now_us):
                ended = Emergency(max(before.alarm, ended.alarm), min(before.established_us, ended.established_us))
            home = (alarm.home, alarm.on_test)
            self._ended.pop(home, None)
            self._ended[home] = (until_us, ended)

    def find(self, home: str, *, on_test: bool, now_us: int) -> Emergency | None:
        """Return the closed emergency of a home that a call continues now."""
        until_us, ended = self._ended.get((home, on_test), (0, None))
        return ended if now_us <= until_us else None
