"""Finds the emergency to which a home's new call belongs: the contract's clock starts at its first communication.

An emergency lasts while one of its alarms is open, and for the chaining window after an operator closed the last one.
A user who calls again after "false alarm" has been waiting since the first call (ANS 11 and 12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from vetlla.domain.signals import Priority

if TYPE_CHECKING:
    from vetlla.domain.alarms import Alarm

Chain: TypeAlias = "tuple[str, bool, bool]"
"""Key of alarms that continue one another: home, whether the account is registered, whether it is on test. A stranger
can use any name, so it must never be in the chain of a home."""

EMERGENCY: Final = (Priority.LIFE, Priority.HOME_RISK)
"""Priorities for which help is sent. A closed alarm of a low battery, for example, starts no clock."""


class Emergency(NamedTuple):
    """The last alarm of an emergency and the start of its first communication."""

    alarm: int
    established_us: int


def chain_of(alarm: Alarm) -> Chain:
    """Return the chain to which an alarm belongs."""
    return (alarm.home, not alarm.unknown_account, alarm.on_test)


def emergency(alarm: Alarm) -> Emergency | None:
    """Return the emergency of an alarm; None if its priority is not one of an emergency."""
    return Emergency(alarm.id, alarm.established_us) if alarm.priority in EMERGENCY else None


class Closed:
    """Remembers the emergencies with alarms closed within the chaining window, one for each chain."""

    __slots__ = ("_ended",)

    def __init__(self) -> None:
        self._ended: dict[Chain, tuple[int, Emergency]] = {}
        """For each chain: until when (monotonic) a call continues it, and the emergency; oldest first."""

    def add(self, alarm: Alarm, until_us: int, now_us: int) -> None:
        """Remember the emergency of a closed alarm; both instants are monotonic.

        Of several alarms in one chain, a call continues the newest one, with the clock that started first.
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
        """Return the closed emergency that a call of this chain continues now."""
        until_us, ended = self._ended.get(chain, (0, None))
        return ended if now_us <= until_us else None
