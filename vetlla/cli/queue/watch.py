"""``vetlla queue watch`` shows the queue as it changes, across restarts of the receiver."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from vetlla.cli.kit.control import follow
from vetlla.cli.kit.moments import Utc, stamp_us, time_of_day
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.queue.words import about, happened, tested
from vetlla.domain.accounts import AccountKey
from vetlla.domain.clock import SystemClock, iso
from vetlla.domain.errors import AccessError, LinkError, StoreError
from vetlla.receiver.control.messages.watch import WatchQueue
from vetlla.receiver.watchers import happening
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from vetlla.receiver.control.messages.queue import AlarmFields
    from vetlla.receiver.control.messages.watch import AlarmEvent, Happening, ListedEvent, OnTestEvent, WatchEvent

RETRY_S = 0.5
"""Time between two attempts to reach a receiver that restarts."""
LOST, BACK = "lost", "back"
OWN = {
    LOST: "the receiver closed the connection: nothing is shown until it is back (vetlla status)",
    BACK: "the receiver is back",
}
"""Event of this command itself -> its text."""
TELLING = ("state", "operator", "priority", "signals", "escalated", "warned", "told_again")
"""Fields of an alarm whose change an operator wants to see."""


def watch(state_dir: StateDir = DEFAULT_STATE_DIR, _utc: Utc = False, as_json: AsJson = False) -> None:
    """Follow the queue: show what is open now, then every change with who did it and when, until Ctrl-C.

    The command goes on when the receiver restarts: it says that the receiver is away and that it is back, and shows
    what changed meanwhile. With --json each event has its time and its actor, and each signal is shown, too, when it is
    durable.

    Example: vetlla queue watch --json | jq .alarm.why
    """
    story = Story(state_dir)
    out = console()
    with suppress(KeyboardInterrupt):
        for told in story.events():
            if as_json:
                print_json(told.event)
            elif told.line:
                out.print(told.line, soft_wrap=True)


class Told(NamedTuple):
    """One event of the queue, as the watch shows it."""

    event: Mapping[str, object]
    """Its fields, for programs."""
    line: str
    """Its line for a person; "" if it says nothing to them."""


class Story:
    """The open alarms as this watcher knows them, across connections."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._open: dict[int, AlarmFields] = {}
        self._before: dict[int, AlarmFields] | None = None
        """What was open when the receiver closed the connection, until it has listed what is open now."""
        self._lost_us = 0

    def events(self) -> Iterator[Told]:
        """Yield the receiver's events, and ``LOST`` and ``BACK``. Raises LinkError if no receiver runs at first."""
        began, away = False, False
        while True:
            try:
                for event in follow(self._state_dir, WatchQueue(listed=True)):
                    if away:
                        yield _link(BACK)
                    began, away = True, False
                    yield from self._taken(event)
            except (LinkError, AccessError):  # a starting receiver lets others use its socket a moment later
                if not began:
                    raise
            if not away:
                away = True
                self._lost_us = SystemClock().now().utc_us
                self._before, self._open = self._before or self._open, {}
                yield _link(LOST)
            time.sleep(RETRY_S)

    def _taken(self, event: WatchEvent) -> Iterator[Told]:
        """Keep what an event says of the open alarms and yield it; before the end of their list, yield what is gone."""
        if event["event"] == "listed" and self._before is not None:
            yield from self._gone(self._before)
            self._before = None
        if "alarm" in event:
            alarm = event["alarm"]
            if alarm["state"] == "closed":
                self._open.pop(alarm["id"], None)
            else:
                self._open[alarm["id"]] = alarm
            is_listed_again = event["event"] == "open" and self._before is not None
            yield Told(event, self._meanwhile(alarm) if is_listed_again else happened(event))
        elif "at" not in event:  # the receiver sends such a line when this client is too slow
            missed = _own(event["event"])
            text = f"missed {event['count']} events: vetlla queue list shows what is open"
            yield Told({**missed, "count": event["count"]}, _at(missed, text))
        elif "count" in event:
            yield Told(
                event, _at(event, f"{event['count']} {'alarm is' if event['count'] == 1 else 'alarms are'} open")
            )
        elif "account" in event:
            yield Told(event, _at(event, _tested(event)))
        else:
            yield Told(event, "")

    def _meanwhile(self, alarm: AlarmFields) -> str:
        assert self._before is not None
        before = self._before.get(alarm["id"])
        if before is None:
            return about(alarm, "new meanwhile")
        if any(before.get(name) != alarm.get(name) for name in TELLING):
            return about(alarm, "changed meanwhile")
        return ""

    def _gone(self, before: Mapping[int, AlarmFields]) -> Iterator[Told]:
        """Yield the end of each alarm that is no longer open. The audit says who closed it."""
        gone = {number: alarm for number, alarm in before.items() if number not in self._open}
        closed = self._closed(gone) if gone else {}
        for number, alarm in gone.items():
            event: AlarmEvent = {**closed.get(number, _own("closed")), "alarm": {**alarm, "state": "closed"}}
            yield Told({**event, "meanwhile": True}, f"meanwhile: {happened(event)}")

    def _closed(self, gone: Mapping[int, object]) -> dict[int, Happening]:
        question = history.records(
            actions=["close"],
            subjects=[f"alarm {number}" for number in gone],
            since_us=self._lost_us - history.STEP_US,
        )
        # Some operators are not allowed to read the journal.
        with suppress(StoreError, AccessError), Archive(self._state_dir) as archive:
            return {
                int(record.subject.removeprefix("alarm ")): {
                    "event": "closed",
                    "at": iso(record.at_us),
                    "actor": record.actor,
                    "action": record.action,
                    "detail": dict(record.detail),
                }
                for record in history.newest(archive, question, len(gone))
            }
        return {}


def _link(event: str) -> Told:
    own = _own(event)
    return Told(own, _at(own, OWN[event]))


def _own(event: str) -> Happening:
    at, action = SystemClock().now(), "close" if event == "closed" else ""
    return happening(event, at, action)


def _at(event: Happening | ListedEvent | OnTestEvent, text: str) -> str:
    return f"{time_of_day(stamp_us(event['at']))}  {text}"


def _tested(event: OnTestEvent) -> str:
    account, detail = AccountKey(event["account"], event["receiver"], event["line"]), event["detail"]
    until = None if detail["until"] is None else str(detail["until"])
    return tested(event["actor"], account, until, str(detail["reason"]))
