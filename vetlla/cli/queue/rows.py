"""Shows open alarms as lines of a terminal, for ``queue list`` and the board.

Number and home are never cut, because an operator types them again. State, operator and marks have columns of their
own, so that one cannot push another aside. What the home reported is cut first. Marks are letters at fixed places: see
``MARKS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from vetlla.cli.kit.moments import span, stamp_us, time_of_day
from vetlla.domain.alarms import RECEIVER, State
from vetlla.domain.printable import printable
from vetlla.domain.signals import Priority

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from vetlla.receiver.control.messages.queue import AlarmFields as Alarm

T3_AIM_S = 15
"""Time within which 90 of 100 alarms must be answered (quality standard ANS 6)."""
T3_LIMIT_S = 30
"""Time within which every alarm must be answered."""
WIDE = 110
"""Width from which a line has room for the age, whole names of priorities, and the reason."""
URGENCY = {Priority.LIFE: "bold red", Priority.HOME_RISK: "dark_orange", Priority.TECHNICAL: "cyan"}
SHORT = {Priority.LIFE: "LIFE", Priority.HOME_RISK: "HOME", Priority.TECHNICAL: "TECH", Priority.ROUTINE: "ROUT"}
MARKS = {
    "T": "on test",
    "R": "runaway",
    "U": "unknown account",
    "W": "warned",
    "E": "escalated",
    "L": "left",
}
"""Letter -> its meaning. W: the alarm has waited for ``t3_warn_s``. E: it is before a supervisor. L: its operator has
let the hold time of an answered alarm pass. W and E share a place."""
WHY_MOST = 300
"""Most characters of a reason in a line. Kind, code, zone, age and a note have up to 200."""
NUMBER_LEAST, HOME_LEAST, WHAT_LEAST, WHAT_MOST = 5, 4, 18, 20


class LineColumn(NamedTuple):
    """A column of a line; the last one has no width."""

    head: str
    width: int
    align: str = "<"

    def filled(self, text: str) -> str:
        """Return a text at the column's width, cut if it is longer. A character may take no column, one or two."""
        if not self.width:
            return text
        if cell_len(text) > self.width:
            return set_cell_size(text, self.width - 1) + "…"
        blanks = " " * (self.width - cell_len(text))
        return blanks + text if self.align == ">" else text + blanks


def layout(alarms: Sequence[Alarm], width: int) -> list[LineColumn]:
    """Return the columns for these alarms: the longest home gets its width, as far as the others keep theirs."""
    wide = width >= WIDE
    number = max([NUMBER_LEAST, *(len(str(alarm["id"])) for alarm in alarms)])
    longest = max([HOME_LEAST, *(cell_len(printable(alarm["home"])) for alarm in alarms)])
    before = [
        LineColumn("", 1),
        LineColumn("alarm", number, ">"),
        LineColumn("priority", 9) if wide else LineColumn("prio", 4),
    ]
    after = [
        LineColumn("t3", 6, ">"),
        LineColumn("state", 8),
        LineColumn("by", 12 if wide else 9),
        LineColumn("marks", 5),
    ]
    if wide:
        after = [LineColumn("since", 7, ">"), *after, LineColumn("what, and why it stands here", 0)]
    left = width - sum(column.width + 1 for column in (*before, *after)) - 1
    home = LineColumn("home", max(HOME_LEAST, min(longest, left - WHAT_LEAST)))
    what = [] if wide else [LineColumn("what", max(HOME_LEAST, min(WHAT_MOST, left - home.width)))]
    return [*before, home, *what, *after]


def heads(columns: Sequence[LineColumn]) -> Text:
    """Return the names of the columns."""
    names = (column.filled(column.head) for column in columns)
    return Text(" ".join(names), style="dim", no_wrap=True, overflow="ellipsis")


def legend(alarms: Sequence[Alarm]) -> str:
    """Return what the marks of these alarms mean; "" if there are no marks."""
    there = set("".join(map(marks, alarms)))
    return ", ".join(f"{letter} {meaning}" for letter, meaning in MARKS.items() if letter in there)


def table(alarms: Sequence[Alarm], width: int) -> Iterator[Text]:
    """Yield open alarms whole: names of the columns, the lines of each alarm, and what the marks mean."""
    columns = layout(alarms, width)
    names = heads(columns)
    names.truncate(width)
    yield names
    for alarm in alarms:
        yield from lines(alarm, columns, width, whole=True)
    if letters := legend(alarms):
        yield Text(letters, style="dim")


def lines(alarm: Alarm, columns: Sequence[LineColumn], width: int, *, whole: bool) -> Iterator[Text]:
    """Yield an alarm's lines: its columns, then the words of an operator who asks for a supervisor.

    ``whole`` also yields the reason for its place, if the columns have no room for all of it.
    """
    names = [column.head for column in columns]
    home, reason = names.index("home"), why(alarm)
    cells = _cells(alarm)
    row, indent = Text(no_wrap=True, overflow="ellipsis"), sum(column.width + 1 for column in columns[:home])
    for place, column in enumerate(columns):
        text, style = cells[column.head] if column.width else (reason, "dim")
        if place == home and cell_len(text) > column.width:
            yield row.append(f" {text}", style=style)
            row = Text(" " * (indent + column.width), no_wrap=True, overflow="ellipsis")
        elif column.width or not whole or row.cell_len + 1 + cell_len(reason) <= width:
            row.append(" " if row else "").append(column.filled(text), style=style)
            reason = reason if column.width else ""
    yield row
    below = [(reason, "dim")] if whole else []
    for text, style in (*below, (asks(alarm), "yellow")):
        if text:
            yield Text(" " * indent + text, style=style, no_wrap=True, overflow="ellipsis")


def why(alarm: Alarm) -> str:
    """Return the reason for an alarm's place in the queue, its number of signals and its repetitions."""
    more = f", {alarm['signals']} signals" if alarm["signals"] > 1 else ""
    return short_why(alarm) + more + (f", {again}" if (again := told_again(alarm)) else "")


def short_why(alarm: Alarm) -> str:
    """Return the reason for an alarm's place, cut to ``WHY_MOST``, because a stranger may have written part of it."""
    reason = printable(alarm["why"])
    return reason if len(reason) <= WHY_MOST else f"{reason[:WHY_MOST]}… (queue show {alarm['id']})"


def told_again(alarm: Alarm) -> str:
    """Return how often its signals were repeated, and when last; "" if each came once."""
    count, last = alarm.get("told_again"), alarm.get("last_told_again")
    if not count or last is None:
        return ""
    often = {1: "once", 2: "twice"}.get(count, f"{count} times")
    return f"told again {often}, last at {time_of_day(stamp_us(last))}"


def asks(alarm: Alarm) -> str:
    """Return the words of the operator who asked for a supervisor; "" if no operator did, or gave no words.

    A receiver that has not been restarted since an upgrade does not send all fields.
    """
    by, reason = alarm.get("escalated_by"), alarm.get("escalated_why")
    return printable(f"{by} asks for a supervisor: {reason}") if reason and by != RECEIVER else ""


def waits(alarm: Alarm) -> bool:
    """Return True if no operator has answered the alarm."""
    return alarm["state"] in (State.WAITING, State.CLAIMED)


def words(name: str) -> str:
    """Return an identifier of the program as people read it: "home risk" for HOME_RISK."""
    return name.lower().replace("_", " ")


def _cells(alarm: Alarm) -> dict[str, tuple[str, str]]:
    """Return text and style of each column, by its name."""
    priority, waiting = Priority[alarm["priority"]], waits(alarm)
    urgency, strong = URGENCY.get(priority, "dim"), "bold" if waiting else ""
    return {
        "": ("●" if waiting else "○", urgency),
        "alarm": (str(alarm["id"]), strong),
        "priority": (priority.name, urgency),
        "prio": (SHORT[priority], urgency),
        "home": (printable(alarm["home"]), strong),
        "what": (words(alarm["kind"]), urgency if waiting else "dim"),
        "since": (span(alarm["age_s"]), "dim"),
        "t3": (span(alarm["t3_s"]), t3_style(alarm)),
        "state": (alarm["state"], "" if waiting else "dim"),
        "by": (printable(alarm["operator"]), ""),
        "marks": (marks(alarm), "yellow"),
    }


def t3_style(alarm: Alarm) -> str:
    """Return the style of the time that a home waits, by the service's limits; bold while no operator has answered."""
    if Priority[alarm["priority"]] > Priority.HOME_RISK:
        return "dim"
    seconds = alarm["t3_s"] or 0.0
    late = "red" if seconds > T3_LIMIT_S else "yellow" if seconds > T3_AIM_S else "green"
    return f"bold {late}" if waits(alarm) else late


def marks(alarm: Alarm) -> str:
    """Return a letter, or a blank, for each place."""
    places = (
        "T" if alarm["on_test"] else " ",
        "R" if alarm["runaway"] else " ",
        "U" if alarm["unknown_account"] else " ",
        "E" if alarm["escalated"] else "W" if alarm.get("warned") else " ",
        "L" if alarm.get("lapsed") else " ",
    )
    return "".join(places)
