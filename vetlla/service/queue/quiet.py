"""Codes and commands that no table has: a device has one quiet line in the queue for them, not an alarm for each.

After an operator has closed the line, what it said stays quiet for a day; something that it did not say opens another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import SECOND_US

if TYPE_CHECKING:
    from vetlla.domain.signals import AccountId

QUIET_S: Final = 86_400
"""How long a code that an operator has seen opens no other line."""
CODES_MAX: Final = 100_000
"""Codes remembered; beyond it all are forgotten, which opens lines and hides nothing."""


class UnknownCode(NamedTuple):
    """What a device said that no table has."""

    home: str
    """Tells callers apart that name no account: where they call from."""
    who: AccountId
    device: str
    code: str
    on_test: bool


class QuietLines:
    """Remembers under which alarm each unknown code stands, open or closed since."""

    __slots__ = ("_lines",)

    def __init__(self) -> None:
        self._lines: dict[UnknownCode, tuple[int, int]] = {}

    def find(self, code: UnknownCode, now_us: int) -> int | None:
        """Return the alarm that stands for a code (``now_us`` on the monotonic clock)."""
        alarm, since_us = self._lines.get(code, (None, 0))
        return alarm if alarm is not None and now_us - since_us < QUIET_S * SECOND_US else None

    def remember(self, code: UnknownCode, alarm: int, now_us: int) -> None:
        """Remember the alarm that stands for a code from now on."""
        if len(self._lines) >= CODES_MAX:
            self.forget()
        self._lines[code] = (alarm, now_us)

    def forget(self) -> None:
        """Forget all: a line more is opened rather than one too few."""
        self._lines.clear()
