"""The interface of the parts that write with the next commit.

Group commit has a list of participants, and calls them in the order of the list. For each batch it calls ``plan``, and
then either ``committed`` or ``rolled_back``; no second batch begins before that. A new subsystem that writes into the
journal is a new participant: it is added to the list in ``wiring.py``, and no other part has to know it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vetlla.domain.clock import Instant
    from vetlla.store.journal.batch import Batch


class Participant:
    """A part of the receiver that writes with the next commit. A class that derives from it may leave methods out."""

    @property
    def pending(self) -> bool:
        """True if something waits that should be committed at once."""
        return False

    def plan(self, batch: Batch, now: Instant) -> None:
        """Decide on all that waits, and fill the batch with the result."""

    def committed(self, batch: Batch, now: Instant, next_batch: Batch) -> None:
        """Acknowledge and show the content of the batch: it was committed. To record that, add to ``next_batch``."""

    def rolled_back(self, batch: Batch) -> None:
        """Undo what ``plan`` changed in memory and in the batch: it was rolled back."""

    def flush_soon(self) -> None:
        """Put what is held back for a later batch into the next ones, because the receiver stops."""

    def drop_waiting(self) -> None:
        """Drop what waits if its sender may repeat it, because nothing new can be stored."""
