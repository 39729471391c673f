"""Draws the live board: makes a screen from one picture of the receiver.

From top to bottom it shows whether the receiver is ready, the open alarms and how long they have waited, the
emergencies in the street, the last signals, the states of the fleet, and the store. Colour marks only what a person
should look at: an alarm that no operator has answered turns yellow at 15 s and red at 30 s, the service's limits for
*t3*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Group
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from vetlla.cli.board.emergencies import Street
from vetlla.cli.kit.moments import local, span, time_of_day
from vetlla.cli.queue.rows import URGENCY, WIDE, heads, layout, legend, lines, waits, words
from vetlla.domain.clock import to_us
from vetlla.domain.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from vetlla.domain.signals import Priority
    from vetlla.receiver.control.messages.queue import AlarmFields
    from vetlla.receiver.control.messages.receiver import Status
    from vetlla.receiver.control.messages.supervision import FleetHealth
    from vetlla.store.journal.stored import Stored

FRAME_LINES = 10
"""Lines of header, titles, column heads and footer."""
MIN_ALARMS = 3
BESIDE_HOME = 60
"""Columns that time, kind, alarm, phase and code of a signal need. A longer home shifts only its own line."""
FLEET = {"lost": "bold red", "late": "yellow", "unknown": "yellow", "ok": "green"}
BARS = "▁▂▃▄▅▆▇█"
NO_EMERGENCY = Street()


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardPicture:
    """The receiver at one moment, as its control socket reports it."""

    at: datetime
    status: Status | None = None
    """Answer to ``status``. None if the daemon does not answer; ``trouble`` then says why."""
    trouble: str = ""
    alarms: Sequence[AlarmFields] = ()
    more: int = 0
    """Number of further open alarms, which are less urgent or younger."""
    apart: int = 0
    """Number of open alarms of accounts on test, which are counted apart."""
    signals: Sequence[Stored] = ()
    """The last signals, newest first."""
    street: Street = NO_EMERGENCY
    """The emergencies in the street, as the registry has them."""
    per_second: Sequence[float] = (0.0,)
    """Signals and heartbeats per second, oldest first."""

    @property
    def ready(self) -> bool:
        """True if the receiver takes reports."""
        return bool(self.status and self.status["ready"])


def screen(picture: BoardPicture, width: int, height: int) -> RenderableType:
    """Return the board for a terminal of this size (80 by 24 is enough)."""
    street = picture.street.drawn()
    rows = max(height - FRAME_LINES - len(street) - bool(street), MIN_ALARMS + 1)
    first = picture.alarms[:rows]
    columns = layout(first, width)
    drawn = [list(lines(alarm, columns, width, whole=False)) for alarm in first]
    for_alarms = max(MIN_ALARMS, min(sum(map(len, drawn)) + 1, rows * 2 // 3))
    return Group(
        _header(picture),
        _alarm_title(picture, legend(first)),
        heads(columns),
        _block(_alarms(drawn, len(picture.alarms) + picture.more, for_alarms), for_alarms),
        *((_title("Units"), *street) if street else ()),
        _title("Last signals"),
        _block(_signals(picture.signals, rows - for_alarms, width), rows - for_alarms),
        Rule(style="dim"),
        _counts(picture),
        _fleet(picture),
        _health(picture),
    )


def line(picture: BoardPicture) -> str:
    """Return the picture as one line of plain text, for a log or a pipe."""
    if picture.status is None:
        return f"{time_of_day(to_us(picture.at))} not reachable: {picture.trouble}"
    unanswered = [alarm for alarm in picture.alarms if waits(alarm)]
    oldest = max((alarm["t3_s"] or 0.0 for alarm in unanswered), default=0.0)
    parts = (
        "ready" if picture.ready else f"NOT READY: {picture.status['why']}",
        f"{(standing := len(picture.alarms) + picture.more)} open alarm{'' if standing == 1 else 's'}",
        f"{len(unanswered)} unanswered{' among the first' if picture.more else ''}"
        + (f", the oldest {span(oldest)}" if unanswered else ""),
        f"{picture.per_second[-1]:.1f} signals/s",
        f"store {picture.status['store']['state']}",
        *_streetwords(picture.street),
        *_fleetwords(picture.status.get("supervision")),
    )
    return f"{time_of_day(to_us(picture.at))} " + " · ".join(parts)


def _streetwords(street: Street) -> Iterable[str]:
    """Yield the words about emergencies in the street for a log; nothing if there is none."""
    if street.trouble:
        yield "emergencies not readable"
    waiting = [one for one in street.lines if one.left_s is not None]
    if waiting:
        without = sum(not one.unit for one in waiting)
        yield f"{len(waiting)} emergenc{'y' if len(waiting) == 1 else 'ies'} in the street, {without} without a unit"


def _fleetwords(fleet: FleetHealth | None) -> Iterable[str]:
    """Yield the words about the fleet for a log; nothing if no device needs attention."""
    for state in ("lost", "late", "unknown"):
        if fleet and fleet["states"][state]:
            yield f"{fleet['states'][state]} {state}"
    if fleet and fleet["incidents_open"]:
        yield f"{fleet['incidents_open']} incident{'' if fleet['incidents_open'] == 1 else 's'}"


def _header(picture: BoardPicture) -> RenderableType:
    grid = Table.grid(expand=True)
    grid.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    grid.add_column(justify="right", no_wrap=True)
    state = Text.assemble((" vetlla ", "bold reverse"))
    if picture.status is None:
        state.append("  ● not reachable  ", style="bold red").append(picture.trouble, style="red")
    elif picture.ready:
        state.append("  ● ready  ", style="bold green").append(_where(picture.status), style="dim")
    else:
        state.append("  ● not ready  ", style="bold red").append(picture.status["why"], style="red")
    right = time_of_day(to_us(picture.at))
    if picture.status is not None:
        right = f"up {span(picture.status['uptime_s'])}  {right}"
    grid.add_row(state, Text(right, style="dim"))
    return Padding(grid, (0, 0, 1, 0))


def _where(status: Status) -> str:
    places: dict[str, list[str]] = {}
    for listener in status["listening"]:
        place = f"{listener['protocol']} on {listener['host']}:{listener['port']}"
        places.setdefault(place, []).append(listener["transport"])
    return "  ".join(f"{place} {'+'.join(transports)}" for place, transports in places.items()) or "listening nowhere"


def _title(text: str | Text) -> RenderableType:
    return Rule(text, align="left", style="dim")


def _alarm_title(picture: BoardPicture, marks: str) -> RenderableType:
    title = Text("Alarms", style="bold")
    for priority, style in URGENCY.items():
        count = _count(picture, priority)
        title.append(f"  {count} {words(priority.name)}", style=style if count else "dim")
    if picture.apart:
        title.append(f"  {picture.apart} on test")
    if marks:
        title.append(f"  ({marks})", style="dim")
    return _title(title)


def _count(picture: BoardPicture, priority: Priority) -> int:
    """Return how many alarms of a priority are open; for more than a page, take the receiver's own count."""
    if picture.more and picture.status is not None:
        return picture.status["counts"]["alarms_open"].get(priority.name, 0)
    return sum(alarm["priority"] == priority.name for alarm in picture.alarms)


def _alarms(drawn: Sequence[Sequence[Text]], count: int, rows: int) -> Iterable[Text]:
    """Yield the lines of the most urgent alarms, and how many more there are. An alarm is shown whole or not at all."""
    if not count:
        yield Text("no alarm is open", style="dim")
    left = rows
    for shown, alarm in enumerate(drawn):
        if len(alarm) > left - (shown + 1 < count):
            yield Text(f"and {count - shown} more: vetlla queue list", style="dim")
            return
        yield from alarm
        left -= len(alarm)


def _signals(signals: Sequence[Stored], rows: int, width: int) -> Iterable[Text]:
    if not signals:
        yield Text("nothing yet", style="dim")
    shown = signals[:rows]
    homes = [printable(stored.home or stored.signal.id.account) for stored in shown]
    longest = min(max(map(cell_len, homes), default=0), max(width - BESIDE_HOME, 0))
    for stored, home in zip(shown, homes, strict=True):
        signal, event = stored.signal, stored.signal.event
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"{local(stored.received_us):%H:%M:%S}  ", style="dim")
        text.append(home + " " * (longest - cell_len(home) + 2))
        text.append(f"{words(event.kind):<20} ", style=URGENCY.get(stored.priority, ""))
        text.append(f"{f'alarm {stored.alarm}' if stored.alarm else '':<12}")
        text.append(f"{event.phase:<9}{event.code:<6}", style="dim")
        if width >= WIDE:
            text.append(f"{stored.transport:<5}{'sealed' if signal.sealed_with else 'plain'}", style="dim")
        yield text


def _counts(picture: BoardPicture) -> Text:
    counts: dict[str, object] = {**picture.status["counts"]} if picture.status else {}
    highest = max(*picture.per_second, 1.0)
    bars = "".join(BARS[min(int(value / highest * len(BARS)), len(BARS) - 1)] for value in picture.per_second)
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{picture.per_second[-1]:6.1f}/s ", style="bold").append(bars + " ", style="green")
    parts = (f"{counts[name]:,} {name}" for name in ("signals", "heartbeats", "duplicates") if name in counts)
    text.append(" · ".join(parts), style="dim")
    for name in ("refused", "rejects"):
        if counts.get(name):
            text.append(f" · {counts[name]:,} {name}", style="yellow")
    return text


def _fleet(picture: BoardPicture) -> Text:
    """Return the number of devices in each state, and the largest open incident."""
    text = Text(no_wrap=True, overflow="ellipsis")
    fleet = picture.status.get("supervision") if picture.status else None
    if not fleet or not fleet["devices"]:
        return text
    text.append("fleet", style="bold")
    states, between = fleet["states"], " "
    for state in ("lost", "late", "unknown"):  # first, because an 80-column terminal cuts off the end
        if states[state]:
            text.append(between, style="dim").append(f"{states[state]:,} {state}", style=FLEET[state])
            between = " · "
    if fleet["incidents_open"]:
        worst, more = fleet["incidents"][0], fleet["incidents_open"] - 1
        summary = f"{worst['label']}, {worst['lost']:,} lost" + (f", and {more} more" if more else "")
        text.append(f"{between}incident {worst['incident']}: {summary}", style="bold red")
        between = " · "
    text.append(f"{between}{states['ok']:,} ok", style=FLEET["ok"])
    text.append(f" · {states['not_supervised']:,} not supervised", style="dim")
    return text


def _health(picture: BoardPicture) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    if picture.status is None:
        return text
    store = picture.status["store"]
    text.append(f"store {store['state']}", style="green" if store["state"] == "ok" else "bold red")
    text.append(
        f" · {store['free_bytes'] / 2**30:,.1f} GiB free · last commit {store['commit_ms_last']:.1f} ms"
        f" · {picture.status['counts']['connections']:,} connections",
        style="dim",
    )
    return text


def _block(lines: Iterable[Text], rows: int) -> RenderableType:
    shown = list(lines)[:rows]
    return Group(*shown, *(Text("") for _ in range(rows - len(shown))))
