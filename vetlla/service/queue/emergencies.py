"""Which emergency a new call of a home belongs to, so that the contract's clock starts at its first communication.

An emergency lasts as long as an alarm of it is open, and for the chaining window after an operator closed the last one.
A person who calls again after "false alarm" has been waiting since the first call (ANS 11 and 12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from vetlla.domain.signals import Priority

if TYPE_CHECKING:
    from vetlla.domain.alarms import Alarm

Chain: TypeAlias = "tuple[str, bool, bool]"
"""Which alarms continue one another: home, whether a registered account calls for it, and whether that is on test. A
caller that is not registered may name itself as it likes, so that it never stands in the chain of a home."""

EMERGENCY: Final = (Priority.LIFE, Priority.HOME_RISK)
"""Priorities for which help is sent: a closed low battery starts no clock."""


class Emergency(NamedTuple):
    """An emergency by its last alarm, and the beginning of its first communication."""

    alarm: int
    established_us: int


def chain_of(alarm: Alarm) -> Chain:
    """Return the chain that an alarm stands in."""
    return (alarm.home, not alarm.unknown_account, alarm.on_test)


def emergency(alarm: Alarm) -> Emergency | None:
    """Return the emergency that an alarm belongs to; None: it is none."""
    return Emergency(alarm.id, alarm.established_us) if alarm.priority in EMERGENCY else None


class Closed:
    """The emergencies whose alarms were closed within the chaining window, one for each chain."""

    __slots__ = ("_ended",)

    def __init__(self) -> None:
        self._ended: dict[Chain, tuple[int, Emergency]] = {}
        """Until when (monotonic) a call continues it; oldest first."""

    def add(self, alarm: Alarm, until_us: int, now_us: int) -> None:
        """Remember the emergency of an alarm that was closed; both instants are monotonic.

        Of several in one home the newest alarm is continued, with the clock that started first.
        """
        while self._ended and next(iter(self._ended.values()))[0] < now_us:
            del self._ended[next(iter(self._ended))]
        if (ended := emergency(alarm)) is not None:
            chain = chain_of(alarm)
            if before := self.find(chain, now_us):
                ended = Emergency(max(before.alarm, ended.alarm), min(before.established_us, ended.established_us))
            self._ended.pop(chain, None)
            self._ended[chain] = (until_us, ended)

    def find(self, chain: Chain, now_us: int) -> Emergency | None:
        """Return the closed emergency that a call of its chain continues now."""
        until_us, ended = self._ended.get(chain, (0, None))
        return ended if now_us <= until_us else None
