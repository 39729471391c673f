"""The emergencies in the street on the live board: who waits, which unit goes, and how much time is left.

The registry is read only when it has changed. A registry that cannot be read costs the board only this panel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rich.text import Text

from vetlla.cli.kit.moments import span
from vetlla.domain.clock import SECOND_US, SystemClock
from vetlla.domain.emergencies import EmergencyType
from vetlla.domain.errors import VetllaError
from vetlla.domain.printable import printable
from vetlla.service.dispatch.order import in_order, is_escalated
from vetlla.store.registry.registry import stamp
from vetlla.store.registry.transaction import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from vetlla.service.dispatch.emergency import StreetEmergency
    from vetlla.service.dispatch.order import StreetMarks
    from vetlla.service.duties.terms import DutyRules

SHOWN: Final = 6
"""Most emergencies on the board, because the queue needs the lines; the others are counted."""
_HEADS: Final = f"{'alarm':<9}{'home':<12}{'type':<6}{'unit':<14}{'since first':>12}{'to 30':>9}{'to limit':>10}"


class StreetLine(NamedTuple):
    """An open emergency on the board; times are seconds."""

    alarm: str
    """Its first alarm; ``D`` and the number of its duty if no alarm is known."""
    home: str
    type: str
    unit: str
    waited_s: int
    to_share_s: int | None
    """Time left to the mark of the share (30 minutes), of type I."""
    left_s: int | None
    """Time left to the limit of 35 or 90 minutes; None if the unit has got in, or nothing was recorded for a day."""
    style: str


class Street(NamedTuple):
    """The panel at one moment."""

    lines: Sequence[StreetLine] = ()
    trouble: str = ""
    """Why the registry cannot be read."""

    def fields(self) -> list[dict[str, Any]]:
        """Return the lines for a machine."""
        return [{name: value for name, value in one._asdict().items() if name != "style"} for one in self.lines]

    def drawn(self) -> list[Text]:
        """Return the lines of the panel with its heads; nothing if there is nothing to say."""
        if self.trouble:
            return [Text(f"the emergencies cannot be read: {self.trouble}", style="yellow", no_wrap=True)]
        if not self.lines:
            return []
        return [Text(_HEADS, style="bold", no_wrap=True), *self._rows()]

    def _rows(self) -> Iterator[Text]:
        for one in self.lines[:SHOWN]:
            home = printable(one.home)
            text = f"{printable(one.alarm):<9}{home:<12}{one.type:<6}{printable(one.unit) or 'NO UNIT':<14}"
            times = f"{span(one.waited_s):>12}{_left(one.to_share_s):>9}{_left(one.left_s):>10}"
            yield Text(text + times, style=one.style, no_wrap=True, overflow="ellipsis")
        if (more := len(self.lines) - SHOWN) > 0:
            yield Text(f"and {more} more: vetlla dispatch board", style="dim")


def _left(seconds: int | None) -> str:
    if seconds is None:
        return ""
    return f"-{span(-seconds)}" if seconds < 0 else span(seconds)


class StreetWatch:
    """Reads the open emergencies of a registry again and again."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._clock = SystemClock()
        self._stamp: object = None
        self._rules: DutyRules | None = None
        self._open: Sequence[StreetEmergency] = ()
        self._marks: StreetMarks | None = None

    def street(self) -> Street:
        """Return the panel of now."""
        now_us = self._clock.now().utc_us
        try:
            found = stamp(self._state_dir)
            if found is not None and found != self._stamp:
                self._read(now_us)
                self._stamp = found
        except (VetllaError, OSError) as error:
            self._stamp = None
            return Street(trouble=str(error.args[0]) if error.args else repr(error))
        if self._marks is None:
            return Street()
        marks = self._marks
        return Street([_line(one, marks, now_us) for one in in_order(self._open, now_us)])

    def _read(self, now_us: int) -> None:
        # These take a fifth of a second to load, which a board without a registry need not wait for.
        from vetlla.tasks.dispatch import figures, looking  # noqa: PLC0415
        from vetlla.tasks.duties.rules import load_rules  # noqa: PLC0415

        rules = self._rules = self._rules or load_rules()
        with snapshot(self._state_dir, self._clock) as connection:
            self._open = looking.open_ones(connection, rules, now_us)
        self._marks = figures.marks(rules, now_us)


def _line(one: StreetEmergency, marks: StreetMarks, now_us: int) -> StreetLine:
    due_us = one.standing.due_us
    waits = one.waits and not one.has_no_news(now_us)
    left_us = due_us - now_us if waits and due_us is not None else None
    to_share_us = one.opened_us + marks.share_us - now_us if waits and one.type is EmergencyType.I else None
    style = ""
    if left_us is None:
        style = "dim"
    elif left_us < 0 or is_escalated(one, marks, now_us):
        style = "bold red"
    elif min(left_us, left_us if to_share_us is None else to_share_us) <= marks.warn_us:
        style = "yellow"
    return StreetLine(
        one.label,
        one.home,
        one.type.value,
        one.unit,
        (now_us - one.opened_us) // SECOND_US,
        None if to_share_us is None else to_share_us // SECOND_US,
        None if left_us is None else left_us // SECOND_US,
        style,
    )
