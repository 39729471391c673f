"""Reads the open alarms from the receiver page by page, because an outage may leave a hundred thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.cli.kit.control import ask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vetlla.receiver.control.messages.queue import AlarmFields, ListAlarms


def pages(state_dir: Path, asked: ListAlarms) -> Iterator[AlarmFields]:
    """Yield the open alarms that meet the conditions, in the order in which they should be worked."""
    while True:
        page = ask(state_dir, asked)
        yield from page["alarms"]
        if page["next"] is None:
            return
        asked = asked.following(page["next"])


def count(state_dir: Path, asked: ListAlarms) -> int:
    """Return the number of open alarms that meet the conditions."""
    return ask(state_dir, asked.model_copy(update={"count": True}))["total"]
