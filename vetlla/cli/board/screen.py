"""What the live board looks like: one picture of the receiver in, one screen out.

Top to bottom: is it ready, who must be answered and for how long they have waited, what came in last, who is heard of
the fleet, is the store well. Colour marks only what a person should look at: an alarm nobody has answered turns yellow
at 15 s and red at 30 s, the service's limits for *t3*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from vetlla.alarms import State
from vetlla.clock import to_datetime
from vetlla.signals import Priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from rich.console import RenderableType

    from vetlla.store.stored import Stored

T3_AIM_S = 15
"""Answered within, for 90 of 100 (quality standard ANS 6)."""
T3_LIMIT_S = 30
"""Never later."""
WIDE = 110
"""Columns from which there is room for the reason and the operator."""
FRAME_LINES = 10
"""Lines of header, titles, column heads and footer."""
MIN_ALARMS = 3
URGENCY = {Priority.LIFE: "bold red", Priority.HOME_RISK: "dark_orange", Priority.TECHNICAL: "cyan"}
FLEET = {"lost": "bold red", "late": "yellow", "unknown": "yellow", "ok": "green"}
BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """The receiver at one moment, as its control socket tells it."""

    at: datetime
    status: Mapping[str, Any] | None = None
    """Answer to ``status``; None: the daemon does not answer, and ``trouble`` says why."""
    trouble: str = ""
    alarms: Sequence[Mapping[str, Any]] = ()
    signals: Sequence[Stored] = ()
    """The last ones, newest first."""
    per_second: Sequence[float] = (0.0,)
    """Signals and heartbeats per second, oldest first."""

    @property
    def ready(self) -> bool:
        """Whether reports are being taken."""
        return bool(self.status and self.status["ready"])


def screen(picture: Picture, width: int, height: int) -> RenderableType:
    """Return the board for a terminal of this size (80 by 24 is enough)."""
    rows = max(height - FRAME_LINES, MIN_ALARMS + 1)
    for_alarms = max(MIN_ALARMS, min(len(picture.alarms) + 1, rows * 2 // 3))
    return Group(
        _header(picture),
        _alarm_title(picture),
        _heads(wide=width >= WIDE),
        _block(_alarms(picture.alarms, for_alarms, wide=width >= WIDE), for_alarms),
        _title("Last signals"),
        _block(_signals(picture.signals, rows - for_alarms), rows - for_alarms),
        Rule(style="dim"),
        _counts(picture),
        _fleet(picture),
        _health(picture),
    )


def line(picture: Picture) -> str:
    """Return the picture as one line of plain text, for a log or a pipe."""
    if picture.status is None:
        return f"{picture.at:%H:%M:%S} not reachable: {picture.trouble}"
    unanswered = [alarm for alarm in picture.alarms if _waits(alarm)]
    oldest = max((alarm["t3_s"] or 0.0 for alarm in unanswered), default=0.0)
    parts = (
        "ready" if picture.ready else f"NOT READY: {picture.status['why']}",
        f"{len(picture.alarms)} open alarm{'' if len(picture.alarms) == 1 else 's'}",
        f"{len(unanswered)} unanswered" + (f", the oldest {_seconds(oldest)}" if unanswered else ""),
        f"{picture.per_second[-1]:.1f} signals/s",
        f"store {picture.status['store']['state']}",
        *_fleet_words(picture.status.get("supervision")),
    )
    return f"{picture.at:%H:%M:%S} " + " · ".join(parts)


def _fleet_words(fleet: Mapping[str, Any] | None) -> Iterable[str]:
    """Yield what a log should say of the fleet: nothing while all is well."""
    for state in ("lost", "late", "unknown"):
        if fleet and fleet["states"][state]:
            yield f"{fleet['states'][state]} {state}"
    if fleet and fleet["incidents_open"]:
        yield f"{fleet['incidents_open']} incident{'' if fleet['incidents_open'] == 1 else 's'}"


def _header(picture: Picture) -> RenderableType:
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
    right = f"{picture.at:%H:%M:%S} UTC"
    if picture.status is not None:
        right = f"up {_span(picture.status['uptime_s'])}  {right}"
    grid.add_row(state, Text(right, style="dim"))
    return Padding(grid, (0, 0, 1, 0))


def _where(status: Mapping[str, Any]) -> str:
    places: dict[str, list[str]] = {}
    for listener in status["listening"]:
        place = f"{listener['protocol']} on {listener['host']}:{listener['port']}"
        places.setdefault(place, []).append(listener["transport"])
    return "  ".join(f"{place} {'+'.join(transports)}" for place, transports in places.items()) or "listening nowhere"


def _title(text: str | Text) -> RenderableType:
    return Rule(text, align="left", style="dim")


def _alarm_title(picture: Picture) -> RenderableType:
    title = Text("Alarms", style="bold")
    for priority, style in URGENCY.items():
        count = sum(alarm["priority"] == priority.name for alarm in picture.alarms)
        title.append(f"  {count} {_words(priority.name)}", style=style if count else "dim")
    return _title(title)


def _heads(*, wide: bool) -> Text:
    heads = f"  {'home':<13}{'what':<21}{'since':>7}  {'t3':>7}  {'in whose hands':<26}"
    return Text(heads + ("signals, and why it stands here" if wide else ""), style="dim", no_wrap=True)


def _alarms(alarms: Sequence[Mapping[str, Any]], rows: int, *, wide: bool) -> Iterable[Text]:
    if not alarms:
        yield Text("nobody is waiting", style="dim")
        return
    fit = rows if len(alarms) <= rows else rows - 1
    for alarm in alarms[:fit]:
        yield _alarm(alarm, wide=wide)
    if len(alarms) > fit:
        yield Text(f"and {len(alarms) - fit} more", style="dim")


def _alarm(alarm: Mapping[str, Any], *, wide: bool) -> Text:
    priority = Priority[alarm["priority"]]
    waits = _waits(alarm)
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append("● " if waits else "○ ", style=URGENCY.get(priority, "dim"))
    text.append(f"{alarm['home'][:12]:<13}", style="bold" if waits else "")
    text.append(f"{_words(alarm['kind'])[:20]:<21}", style=URGENCY.get(priority, "") if waits else "dim")
    text.append(f"{_span(alarm['age_s']):>7} ", style="dim")
    text.append(f" {_seconds(alarm['t3_s']):>7}  ", style=_t3_style(alarm))
    text.append(f"{_hands(alarm)[:25]:<26}", style="" if waits else "dim")
    if wide:
        text.append(f"{alarm['signals']:>4}  {alarm['why']}", style="dim")
    return text


def _hands(alarm: Mapping[str, Any]) -> str:
    marks = [mark for mark in ("on_test", "runaway", "unknown_account", "escalated") if alarm.get(mark)]
    state = alarm["state"] + (f" by {alarm['operator']}" if alarm["operator"] else "")
    return " ".join([state, *(_words(mark) for mark in marks)])


def _waits(alarm: Mapping[str, Any]) -> bool:
    return bool(alarm["state"] in (State.WAITING, State.CLAIMED))


def _t3_style(alarm: Mapping[str, Any]) -> str:
    seconds = alarm["t3_s"] or 0.0
    if Priority[alarm["priority"]] > Priority.HOME_RISK:
        return "dim"
    late = "red" if seconds > T3_LIMIT_S else "yellow" if seconds > T3_AIM_S else "green"
    return f"bold {late}" if _waits(alarm) else late


def _signals(signals: Sequence[Stored], rows: int) -> Iterable[Text]:
    if not signals:
        yield Text("nothing yet", style="dim")
    for stored in signals[:rows]:
        signal, event = stored.signal, stored.signal.event
        text = Text(no_wrap=True, overflow="ellipsis")
        text.append(f"{to_datetime(stored.received_us):%H:%M:%S}  ", style="dim")
        text.append(f"{(stored.home or signal.id.account)[:12]:<13}")
        text.append(f"{_words(event.kind)[:20]:<21}", style=URGENCY.get(stored.priority, ""))
        text.append(f"{event.phase:<9}{event.code:<6}", style="dim")
        text.append(f"{stored.transport:<5}{'sealed' if signal.sealed_with else 'plain'}", style="dim")
        yield text


def _counts(picture: Picture) -> Text:
    counts: Mapping[str, Any] = picture.status["counts"] if picture.status else {}
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


def _fleet(picture: Picture) -> Text:
    """Return who of the fleet is heard, and the greatest failure of many that lasts."""
    text = Text(no_wrap=True, overflow="ellipsis")
    fleet = (picture.status or {}).get("supervision")
    if not fleet or not fleet["devices"]:
        return text
    text.append("fleet", style="bold")
    states, between = fleet["states"], " "
    for state in ("lost", "late", "unknown"):  # first, since an 80-column terminal cuts off what comes last
        if states[state]:
            text.append(between, style="dim").append(f"{states[state]:,} {state}", style=FLEET[state])
            between = " · "
    if fleet["incidents_open"]:
        worst, more = fleet["incidents"][0], fleet["incidents_open"] - 1
        told = f"{worst['label']}, {worst['lost']:,} lost" + (f", and {more} more" if more else "")
        text.append(f"{between}incident {worst['incident']}: {told}", style="bold red")
        between = " · "
    text.append(f"{between}{states['ok']:,} ok", style=FLEET["ok"])
    text.append(f" · {states['not_supervised']:,} not supervised", style="dim")
    return text


def _health(picture: Picture) -> Text:
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


def _words(name: str) -> str:
    return name.lower().replace("_", " ")


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{int(seconds)} s" if seconds < 600 else _span(seconds)


def _span(seconds: float) -> str:
    """Return a time span as people say it: 7 s, 3:05, 2 h 10, 4 d."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600} h {whole // 60 % 60:02d}" if whole < 86_400 else f"{whole // 86_400} d"
