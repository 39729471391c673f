"""Erases homes again after a restore: the backup was made before they were erased, so it brought their data back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.errors import VetllaError
from vetlla.tasks.erasure import NothingKeptError, erase_home, erase_in_journal, find

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.removal import ProofFields


class ErasedAgain(NamedTuple):
    """What became of the erasure of one home."""

    home: str
    refusal: str
    """Why its data are back, and what to do; empty if they were erased again, or if nothing of it was in the backup."""


def erase_again(
    state_dir: Path, clock: Clock, homes: Iterable[str], *, by: str, today: date, window_us: int
) -> Iterator[ErasedAgain]:
    """Yield each home after its erasure. No receiver may run. A home that the backup still attends is refused."""

    def erase(home: str) -> None:
        found = find(state_dir, clock, home, by=by, today=today, window_us=window_us, tell=lambda _, __: None)

        def in_journal(counts: Mapping[str, int]) -> ProofFields:
            return erase_in_journal(state_dir, clock, found.erasure, counts, window_us=window_us, tell=lambda _: None)

        erase_home(state_dir, clock, found.erasure, today, in_journal)

    for home in homes:
        try:
            erase(home)
        except NothingKeptError:
            yield ErasedAgain(home, "")
        except VetllaError as error:
            yield ErasedAgain(home, str(error))
        else:
            yield ErasedAgain(home, "")
