"""Groups codes and commands that are in no table: each account has one alarm for them, not one alarm for each code.

After an operator has closed that alarm, its codes open no alarm for a day. Another unknown code opens a new one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import SECOND_US

if TYPE_CHECKING:
    from vetlla.domain.signals import AccountId

QUIET_S: Final = 86_400
"""How long a code that an operator has seen opens no other alarm."""
CODES_MAX: Final = 100_000
"""Most codes remembered. Above that all are forgotten, which opens more alarms and hides nothing."""


class UnknownCode(NamedTuple):
    """An unknown code that a device sent."""

    home: str
    """The home; for a caller without an account, the address from which it calls."""
    who: AccountId
    device: str
    code: str
    on_test: bool


class UnknownCodes:
    """Remembers the alarm of each unknown code, even after the alarm was closed."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: dict[UnknownCode, tuple[int, int]] = {}

    def find(self, code: UnknownCode, now_us: int) -> int | None:
        """Return the alarm of a code (``now_us`` on the monotonic clock)."""
        alarm, since_us = self._lines.get(code, (None, 0))
        return alarm if alarm is not None and now_us - since_us < QUIET_S * SECOND_US else None

    def remember(self, code: UnknownCode, alarm: int, now_us: int) -> None:
        """Remember the alarm of a code from now on."""
        if len(self._lines) >= CODES_MAX:
            self.forget()
        self._lines[code] = (alarm, now_us)

    def forget(self) -> None:
        """Forget all codes. This can open an alarm too many, but never one too few."""
        self._lines.clear()
