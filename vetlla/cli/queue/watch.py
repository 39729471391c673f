"""``vetlla queue watch`` shows the queue as it changes, across restarts of the receiver."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from vetlla.cli.kit.control import follow
from vetlla.cli.kit.moments import Utc, stamp_us, time_of_day
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.kit.output import console, print_json
from vetlla.cli.queue.words import about, happened, tested
from vetlla.domain.clock import SystemClock, iso
from vetlla.domain.errors import AccessError, LinkError, StoreError
from vetlla.receiver.dispatch import RECEIVER
from vetlla.store.journal import history
from vetlla.store.journal.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

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
        for event in story.events():
            if as_json:
                print_json(event)
            elif said := story.line(event):
                out.print(said, soft_wrap=True)


class Story:
    """The open alarms as this watcher knows them, across connections."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._open: dict[int, Mapping[str, Any]] = {}
        self._before: dict[int, Mapping[str, Any]] | None = None
        """What was open when the receiver closed the connection, until it has listed what is open now."""
        self._lost_us = 0

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the receiver's events, and ``LOST`` and ``BACK``. Raises LinkError if no receiver runs at first."""
        began, away = False, False
        while True:
            try:
                for event in follow(self._state_dir, "watch", listed=True):
                    if away:
                        yield self._own(BACK)
                    began, away = True, False
                    yield from self._taken(event)
            except (LinkError, AccessError):  # a starting receiver lets others use its socket a moment later
                if not began:
                    raise
            if not away:
                away = True
                self._lost_us = SystemClock().now().utc_us
                self._before, self._open = self._before or self._open, {}
                yield self._own(LOST)
            time.sleep(RETRY_S)

    def line(self, event: Mapping[str, Any]) -> str:
        """Return an event as a line for a person; "" if it says nothing to them."""
        if "alarm" not in event:
            said = _said(event)
            return f"{time_of_day(stamp_us(event['at']))}  {said}" if said else ""
        if event["event"] == "open" and self._before is not None:
            return self._meanwhile(event["alarm"])
        return ("meanwhile: " if event.get("meanwhile") else "") + happened(event)

    def _taken(self, event: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Keep what an event says of the open alarms and yield it; before the end of their list, yield what is gone."""
        if event["event"] == "listed" and self._before is not None:
            yield from self._gone(self._before)
            self._before = None
        if "at" not in event:  # the receiver sends such a line when this client is too slow
            event = self._own(event["event"]) | event
        if (alarm := event.get("alarm")) is not None:
            if alarm["state"] == "closed":
                self._open.pop(alarm["id"], None)
            else:
                self._open[alarm["id"]] = alarm
        yield event

    def _meanwhile(self, alarm: Mapping[str, Any]) -> str:
        assert self._before is not None
        before = self._before.get(alarm["id"])
        if before is None:
            return about(alarm, "new meanwhile")
        if any(before.get(name) != alarm.get(name) for name in TELLING):
            return about(alarm, "changed meanwhile")
        return ""

    def _gone(self, before: Mapping[int, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the end of each alarm that is no longer open. The audit says who closed it."""
        gone = {number: alarm for number, alarm in before.items() if number not in self._open}
        closed = self._closed(gone) if gone else {}
        for number, alarm in gone.items():
            event = closed.get(number, self._own("closed"))
            yield event | {"alarm": {**alarm, "state": "closed"}, "meanwhile": True}

    def _closed(self, gone: Mapping[int, object]) -> dict[int, dict[str, Any]]:
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
                    "detail": record.detail,
                }
                for record in history.newest(archive, question, len(gone))
            }
        return {}

    @staticmethod
    def _own(event: str) -> dict[str, Any]:
        at = iso(SystemClock().now().utc_us)
        return {
            "event": event,
            "at": at,
            "actor": RECEIVER,
            "action": "close" if event == "closed" else "",
            "detail": {},
        }


def _said(event: Mapping[str, Any]) -> str:
    """Return the text of an event that is not about an alarm."""
    match event["event"]:
        case "listed":
            return f"{event['count']} {'alarm is' if event['count'] == 1 else 'alarms are'} open"
        case "missed":
            return f"missed {event['count']} events: vetlla queue list shows what is open"
        case "test":
            return tested({"operator": event["actor"], **event, **event["detail"]})
        case name:
            return OWN.get(name, "")
