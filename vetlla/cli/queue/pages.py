"""Reads the open alarms from the receiver page by page, because an outage may leave a hundred thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vetlla.cli.kit.control import ask

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def pages(state_dir: Path, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the open alarms that meet the conditions, in the order in which they should be worked."""
    after: list[int] | None = None
    while True:
        page = ask(state_dir, "queue.list", after=after, **asked)
        yield from page["alarms"]
        after = page["next"]
        if after is None:
            return


def count(state_dir: Path, **asked: Any) -> int:  # noqa: ANN401 - each condition has its own type
    """Return the number of open alarms that meet the conditions."""
    total: int = ask(state_dir, "queue.list", count=True, **asked)["total"]
    return total
