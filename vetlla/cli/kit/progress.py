"""Shows the progress of long work: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from vetlla.cli.kit.output import talk

if TYPE_CHECKING:
    from collections.abc import Iterator


class Tell(Protocol):
    """Takes how much is done, of how much (0 if unknown), and what is being done now."""

    def __call__(self, done: int, of: int, doing: str = "") -> None:
        """Move the bar."""
        ...


@contextmanager
def progress(doing: str) -> Iterator[Tell]:
    """Show a bar while the body works."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    out = talk()
    with Progress(*columns, console=out, disable=not out.is_terminal, transient=True) as bar:
        task = bar.add_task(doing, total=None)

        def move(done: int, of: int, doing: str = doing) -> None:
            bar.update(task, completed=done, total=of or None, description=doing)

        yield move
