"""``vetlla board`` shows the receiver's state live in the terminal."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

import typer
from rich.live import Live

from vetlla.cli.board.emergencies import StreetWatch
from vetlla.cli.board.screen import BoardPicture, line, screen
from vetlla.cli.kit.control import ask
from vetlla.cli.kit.moments import Utc
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.queue.pages import count
from vetlla.domain.errors import AccessError, LinkError, StoreError, VetllaError
from vetlla.receiver.control.messages.queue import ListAlarms
from vetlla.receiver.control.messages.receiver import ShowStatus
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.history import newest, signals

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vetlla.receiver.control.messages.receiver import Status
    from vetlla.store.journal.stored import Stored

REFRESH_S = 0.5
"""Time between two pictures. It is so short that a clock in seconds never seems to stop."""
LINE_EVERY_S = 5.0
"""Time between two lines if the output is not a terminal."""
SAMPLE_S = 2.0
"""Time that one bar of the rate stands for."""
SAMPLES = 16
SIGNALS_SHOWN = 60
"""More than most terminals have lines."""
PAGE = (132, 40)
"""Columns and lines of a single picture if the output is not a terminal."""


class Watch:
    """Reads one receiver again and again: its state from the control socket, its last signals from the journal."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._archive: Archive | None = None
        self._street = StreetWatch(state_dir)
        self._totals: deque[tuple[float, int]] = deque(maxlen=SAMPLES + 1)

    def picture(self) -> BoardPicture:
        """Return the receiver's state now. If it does not answer, the picture says why."""
        now = datetime.now(UTC)
        try:
            status = ask(self._state_dir, ShowStatus())
            listed = ask(self._state_dir, ListAlarms())
            apart = count(self._state_dir, ListAlarms(on_test=True))
        except AccessError:
            raise  # waiting does not help
        except VetllaError as error:
            return BoardPicture(at=now, trouble=error.args[0])
        self._sample(status)
        return BoardPicture(
            at=now,
            status=status,
            alarms=listed["alarms"],
            more=listed["total"] - len(listed["alarms"]),
            apart=apart,
            signals=self._signals(),
            street=self._street.street(),
            per_second=self._rates(),
        )

    def close(self) -> None:
        """Close the journal."""
        if self._archive is not None:
            self._archive.close()
            self._archive = None

    def _signals(self) -> tuple[Stored, ...]:
        # A user who may ask the receiver may still not read its journal. The board then shows no signals.
        with suppress(StoreError, AccessError):
            self._archive = self._archive or Archive(self._state_dir)
            return tuple(newest(self._archive, signals(), SIGNALS_SHOWN))[::-1]
        return ()

    def _sample(self, status: Status) -> None:
        uptime_s, counts = status["uptime_s"], status["counts"]
        total = counts["signals"] + counts["heartbeats"]
        if self._totals and (uptime_s < self._totals[-1][0] or total < self._totals[-1][1]):
            self._totals.clear()  # another receiver runs now
        if not self._totals or uptime_s - self._totals[-1][0] >= SAMPLE_S:
            self._totals.append((uptime_s, total))

    def _rates(self) -> tuple[float, ...]:
        rates = ((after - before) / (at - earlier) for (earlier, before), (at, after) in pairwise(self._totals))
        return tuple(rates) or (0.0,)


async def show(state_dir: Path, stop: asyncio.Event, *, as_json: bool = False) -> None:
    """Show the board until ``stop`` is set: live on a terminal, elsewhere as a line every few seconds.

    A thread of its own asks, reads and waits. A signal handler must not set that thread's event, because the handler
    may run at the moment in which the event's own lock is held.
    """
    ended = threading.Event()
    shown = asyncio.create_task(asyncio.to_thread(_show, state_dir, ended, as_json=as_json))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({shown, stopping}, return_when=asyncio.FIRST_COMPLETED)
    ended.set()
    stopping.cancel()
    await shown


def _show(state_dir: Path, ended: threading.Event, *, as_json: bool) -> None:
    watch = Watch(state_dir)
    try:
        if as_json:
            _repeat(watch, ended, lambda picture: print_json(_fields(picture)))
        elif sys.stdout.isatty():
            _show_live(watch, ended)
        else:
            _repeat(watch, ended, lambda picture: console().print(line(picture), soft_wrap=True))
    finally:
        watch.close()


def board(
    once: Annotated[bool, typer.Option("--once", help="Show one picture, then stop.")] = False,
    state_dir: StateDir = DEFAULT_STATE_DIR,
    _utc: Utc = False,
    as_json: AsJson = False,
) -> None:
    """Show the receiver live: whether it is ready, which alarms wait and how long, units, the last signals, the store.

    If the output is not a terminal, the command prints one line every few seconds. Ctrl-C ends it.

    Example: vetlla board --once
    """
    if once:
        _show_once(state_dir, as_json=as_json)
        return
    asyncio.run(_show_until_told(state_dir, as_json=as_json))


async def _show_until_told(state_dir: Path, *, as_json: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await show(state_dir, stop, as_json=as_json)


def _show_once(state_dir: Path, *, as_json: bool) -> None:
    watch = Watch(state_dir)
    picture = watch.picture()
    watch.close()
    if picture.status is None:
        raise LinkError(picture.trouble, remedy="start it (systemctl start vetlla), or name its --state-dir")
    if as_json:
        print_json(_fields(picture))
    else:
        out = console()
        width, height = out.size if out.is_terminal else PAGE
        out.print(screen(picture, width, height), width=width)


def _show_live(watch: Watch, ended: threading.Event) -> None:
    out = console()
    with Live(console=out, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        while not ended.is_set():
            live.update(screen(watch.picture(), *out.size), refresh=True)
            ended.wait(REFRESH_S)


def _repeat(watch: Watch, ended: threading.Event, tell: Callable[[BoardPicture], None]) -> None:
    while not ended.is_set():
        tell(watch.picture())
        ended.wait(LINE_EVERY_S)


def _fields(picture: BoardPicture) -> dict[str, object]:
    return {
        "at": f"{picture.at:%Y-%m-%dT%H:%M:%SZ}",
        "trouble": picture.trouble,
        "per_second": round(picture.per_second[-1], 1),
        "status": picture.status,
        "alarms": list(picture.alarms),
        "more_alarms": picture.more,
        "emergencies": picture.street.fields(),
    }
