"""Open alarms as lines of a terminal, for ``queue list`` and the board: numbers to type and whole identifiers.

What an operator types again (number, home) is never cut. State, operator and marks have columns of their own, so that
none pushes another aside; what the home reported is cut first. Marks are letters at fixed places: see ``MARKS``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rich.text import Text

from vetlla.alarms import State
from vetlla.cli.moments import span, stamp_us, time_of_day
from vetlla.cli.output import printable
from vetlla.receiver.dispatch import RECEIVER
from vetlla.signals import Priority

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Alarm = Mapping[str, Any]

T3_AIM_S = 15
"""Answered within, for 90 of 100 (quality standard ANS 6)."""
T3_LIMIT_S = 30
"""Never later."""
WIDE = 110
"""Columns from which there is room for the age, whole names of priorities, and the reason in the same line."""
URGENCY = {Priority.LIFE: "bold red", Priority.HOME_RISK: "dark_orange", Priority.TECHNICAL: "cyan"}
SHORT = {Priority.LIFE: "LIFE", Priority.HOME_RISK: "HOME", Priority.TECHNICAL: "TECH", Priority.ROUTINE: "ROUT"}
MARKS = {
    "T": "on test",
    "R": "runaway",
    "U": "unknown account",
    "W": "warned: unanswered",
    "E": "before a supervisor",
    "L": "left by its operator",
}
"""Letter -> what it says of an alarm. W and E share a place: who is before a supervisor was warned of before."""
NUMBER_LEAST, HOME_LEAST, WHAT_LEAST, WHAT_MOST = 5, 4, 10, 20
BY, BY_WIDE = 9, 14
STATE, T3, AGE, MARKS_PLACES = 8, 6, 7, 5


class Layout(NamedTuple):
    """How wide the columns are whose width depends on the alarms or on the terminal."""

    width: int
    number: int
    home: int
    what: int

    @property
    def wide(self) -> bool:
        """Whether there is room for more than what is needed to work an alarm."""
        return self.width >= WIDE

    @property
    def priority(self) -> int:
        """Columns of the priority."""
        return 9 if self.wide else 4

    @property
    def by(self) -> int:
        """Columns of the operator's name."""
        return BY_WIDE if self.wide else BY


def layout(alarms: Sequence[Alarm], width: int) -> Layout:
    """Return the columns for these alarms: the longest home gets its place, as far as the others keep theirs."""
    number = max([NUMBER_LEAST, *(len(str(alarm["id"])) for alarm in alarms)])
    longest = max([HOME_LEAST, *(len(printable(alarm["home"])) for alarm in alarms)])
    bare = Layout(width, number, 0, 0)
    left = width - len(heads(bare).plain.partition("marks")[0]) - MARKS_PLACES
    home = max(HOME_LEAST, min(longest, left - WHAT_LEAST))
    return Layout(width, number, home, max(WHAT_LEAST, min(WHAT_MOST, left - home)))


def heads(columns: Layout) -> Text:
    """Return the names of the columns."""
    text = f"  {'alarm':>{columns.number}}  {'priority' if columns.wide else 'prio':<{columns.priority}}  "
    text += f"{'home'[: columns.home]:<{columns.home}}  {'what'[: columns.what]:<{columns.what}}  "
    text += f"{'since':>{AGE}}  " if columns.wide else ""
    text += f"{'t3':>{T3}}  {'state':<{STATE}}  {'by':<{columns.by}}  {'marks':<{MARKS_PLACES}}"
    return Text(text + ("  signals and why" if columns.wide else ""), style="dim", no_wrap=True, overflow="ellipsis")


def legend(alarms: Sequence[Alarm]) -> str:
    """Return what the letters mean that these alarms are marked with; "" if there are none."""
    there = set("".join(map(marks, alarms)))
    return ", ".join(f"{letter} {said}" for letter, said in MARKS.items() if letter in there)


def table(alarms: Sequence[Alarm], width: int) -> Iterator[Text]:
    """Yield open alarms whole: names of the columns, the lines of each, and what the letters among the marks mean."""
    columns = layout(alarms, width)
    yield heads(columns)
    for alarm in alarms:
        yield from lines(alarm, columns, whole=True)
    if letters := legend(alarms):
        yield Text(letters, style="dim")


def lines(alarm: Alarm, columns: Layout, *, whole: bool) -> Iterator[Text]:
    """Yield an alarm's lines: its columns, then the words of an operator who wants a supervisor.

    ``whole``: with the reason for its place, uncut. Otherwise the reason stands where there is room for it.
    """
    home, reason = printable(alarm["home"]), why(alarm)
    if len(home) > columns.home:
        yield _below(columns, home, style="bold")
        home = ""
    row = _columns(alarm, columns, home)
    if columns.wide and (not whole or row.cell_len + 2 + len(reason) <= columns.width):
        row.append(f"  {reason}", style="dim")
        reason = ""
    yield row
    if whole and reason:
        yield _below(columns, reason, style="dim")
    if asked := asks(alarm):
        yield _below(columns, asked, style="yellow")


def why(alarm: Alarm) -> str:
    """Return why an alarm stands where it stands, and how much it has grown."""
    more = f", {alarm['signals']} signals" if alarm["signals"] > 1 else ""
    return printable(alarm["why"]) + more + (f", {again}" if (again := told_again(alarm)) else "")


def told_again(alarm: Alarm) -> str:
    """Return how often its signals came once more, and when last; "" if each came once."""
    if not (count := alarm.get("told_again")):
        return ""
    often = {1: "once", 2: "twice"}.get(count, f"{count} times")
    return f"told again {often}, last at {time_of_day(stamp_us(alarm['last_told_again']))}"


def asks(alarm: Alarm) -> str:
    """Return the words of the operator who asked for a supervisor; "" where none did, or without words."""
    by, said = alarm["escalated_by"], alarm["escalated_why"]
    return printable(f"{by} asks for a supervisor: {said}") if said and by != RECEIVER else ""


def waits(alarm: Alarm) -> bool:
    """Return True if no operator has answered the alarm."""
    return alarm["state"] in (State.WAITING, State.CLAIMED)


def words(name: str) -> str:
    """Return a name of the program's vocabulary as people read it."""
    return name.lower().replace("_", " ")


def _below(columns: Layout, said: str, *, style: str) -> Text:
    indent = " " * (2 + columns.number + 2 + columns.priority + 2)
    return Text(indent + said, style=style, no_wrap=True, overflow="ellipsis")


def _columns(alarm: Alarm, columns: Layout, home: str) -> Text:
    priority, waiting = Priority[alarm["priority"]], waits(alarm)
    urgency = URGENCY.get(priority, "dim")
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("● " if waiting else "○ ", style=urgency)
    text.append(f"{alarm['id']:>{columns.number}}  ", style="bold" if waiting else "")
    text.append(f"{priority.name if columns.wide else SHORT[priority]:<{columns.priority}}  ", style=urgency)
    text.append(f"{home:<{columns.home}}  ", style="bold" if waiting else "")
    text.append(f"{_cut(words(alarm['kind']), columns.what)}  ", style=urgency if waiting else "dim")
    if columns.wide:
        text.append(f"{span(alarm['age_s']):>{AGE}}  ", style="dim")
    text.append(f"{span(alarm['t3_s']):>{T3}}  ", style=t3_style(alarm))
    text.append(f"{alarm['state']:<{STATE}}  ", style="" if waiting else "dim")
    text.append(f"{_cut(alarm['operator'], columns.by)}  ")
    text.append(marks(alarm), style="yellow")
    return text


def t3_style(alarm: Alarm) -> str:
    """Return the colour of the time that a home waits: by the limits of the service while no operator answers."""
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
        "E" if alarm["escalated"] else "W" if alarm["warned"] else " ",
        "L" if alarm["lapsed"] else " ",
    )
    return "".join(places)


def _cut(text: str, width: int) -> str:
    return f"{text:<{width}}" if len(text) <= width else text[: width - 1] + "…"
