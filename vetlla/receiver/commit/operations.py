"""Operators' actions, which are done between two batches and reported when it is known whether they are durable.

An action is not rolled back when its batch is: it stays in memory and is written with the next batch.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from vetlla.domain.errors import VetllaError

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.store.journal.batch import Batch

log = structlog.get_logger()


class Operation(NamedTuple):
    """An operator's action: ``step`` works on the desk, and ``done(result, durable)`` is called with the result.

    The result is an exception if the queue's rules forbid the action. An action that is not durable holds only as long
    as this process runs.
    """

    step: Callable[[Batch], Any]
    done: Callable[[Any, bool], None]


class Operations:
    """The actions that wait for the next batch, and those whose batch is under way."""

    def __init__(self) -> None:
        self._waiting: deque[Operation] = deque()
        self._performed: list[tuple[Operation, Any]] = []

    def __len__(self) -> int:
        """Return the number of actions that wait for the next batch."""
        return len(self._waiting)

    def add(self, operation: Operation) -> None:
        """Let an action wait for the next batch."""
        self._waiting.append(operation)

    def apply(self, batch: Batch) -> None:
        """Perform the actions that wait; their rows go into the batch."""
        while self._waiting:
            operation = self._waiting.popleft()
            try:
                result = operation.step(batch)
            except VetllaError as error:
                result = error  # the caller gets the error; the batch goes on
            except Exception as error:
                log.exception("operation.failed")
                result = error
            self._performed.append((operation, result))

    def report(self, *, durable: bool) -> None:
        """Tell the callers the results of the actions that were performed."""
        performed, self._performed = self._performed, []
        for operation, result in performed:
            try:
                operation.done(result, durable)
            except Exception:
                # Go on, because the frames of the batch still wait for their verdicts.
                log.exception("operation.failed")
