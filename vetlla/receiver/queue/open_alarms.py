"""The open alarms by number and by line. A line holds alarms of a home that continue one another."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, TypeAlias

from vetlla.domain.errors import UsageError
from vetlla.domain.signals import Kind
from vetlla.service.queue.emergencies import chain_of, emergency
from vetlla.service.queue.triage import line_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.domain.alarms import Alarm
    from vetlla.receiver.queue.alarm_view import AlarmView
    from vetlla.service.queue.emergencies import Chain, Emergency

_EMERGENCY_LINES = ("", Kind.UNREADABLE.value)
"""Lines that may hold an emergency: bytes that could not be read may have been its first communication."""


Line: TypeAlias = "tuple[str, bool, bool, str]"
"""Alarms of one line continue one another: they share their chain (home, known, on test) and ``triage.line_of``."""


class OpenAlarms(dict[int, "AlarmView"]):
    """The views of the open alarms by number, and the lines that hold them."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[Line, list[int]] = {}
        """Alarm numbers, oldest first."""
        self.strangers = 0
        """Number of open alarms from callers that are not registered."""

    def __setitem__(self, number: int, view: AlarmView) -> None:
        """Replace the view of an open alarm, and move the alarm if it now belongs to another line."""
        before = self[number].alarm
        dict.__setitem__(self, number, view)  # costs half as much as super()
        if before is view.alarm:
            return
        old, new = _line(before), _line(view.alarm)
        if old != new:
            self._take_out(old, number)
            insort(self._lines.setdefault(new, []), number)
            self.strangers += view.alarm.unknown_account - before.unknown_account

    def add(self, view: AlarmView) -> None:
        """Add the view of a new alarm."""
        super().__setitem__(view.alarm.id, view)
        self._lines.setdefault(_line(view.alarm), []).append(view.alarm.id)
        self.strangers += view.alarm.unknown_account

    def remove(self, alarm: Alarm) -> None:
        """Remove an alarm."""
        del self[alarm.id]
        self._take_out(_line(alarm), alarm.id)
        self.strangers -= alarm.unknown_account

    def _take_out(self, line: Line, number: int) -> None:
        held = self._lines[line]
        held.remove(number)
        if not held:
            del self._lines[line]

    def find(self, number: int) -> AlarmView:
        """Return the open alarm of this number. Raises UsageError if there is no such alarm."""
        if view := self.get(number):
            return view
        raise UsageError(f"no open alarm {number}", remedy="vetlla queue list shows the open alarms")

    def newest(self, line: Line) -> AlarmView | None:
        """Return the alarm that was added last to a line, or None."""
        held = self._lines.get(line)
        return self[held[-1]] if held else None

    def emergency(self, chain: Chain) -> Emergency | None:
        """Return the open emergency of a chain, or None."""
        for name in _EMERGENCY_LINES:
            held: Iterable[int] = self._lines.get((*chain, name), ())
            for number in reversed(tuple(held)):
                if (begun := emergency(self[number].alarm)) is not None:
                    return begun
        return None


def _line(alarm: Alarm) -> Line:
    return (*chain_of(alarm), line_of(alarm.kind, alarm.priority, alarm.account))
