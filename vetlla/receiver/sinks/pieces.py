"""Cuts what was read into pieces for the peer, and cuts it in the same way after an attempt that failed.

A peer may have taken a piece although its answer was lost. It can recognise only a piece that comes again as it was, so
neither newer signals nor newer labels change it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vetlla.domain.onward import Onward


class Piece(NamedTuple):
    """Signals that were read at once, and those that the sink wants."""

    read: Sequence[Onward]
    wanted: Sequence[Onward]

    def passed(self, taken: int) -> tuple[int, int]:
        """Return the position after the peer took the first wanted signals, and how many signals are up to it."""
        if taken == len(self.wanted):
            return self.read[-1].number, len(self.read)
        upto = self.wanted[taken].number - 1
        return upto, sum(record.number <= upto for record in self.read)

    @property
    def is_replay(self) -> bool:
        """True if its signals are sent again on order. New signals and a replay are never in one piece."""
        return self.read[0].replayed


class Pieces:
    """The pieces of one sink."""

    def __init__(self, described: Callable[[Onward], Onward], wants: Callable[[Onward], bool]) -> None:
        """Take a function that adds what the registry knows, and one that says whether a signal passes the filter."""
        self._described = described
        self._wants = wants
        self._tried: dict[bool, Piece] = {}
        """By whether it is a replay."""

    def cut(self, records: Sequence[Onward], at_once: int) -> Piece:
        """Return the beginning of what was read that has this many wanted signals, or the piece that was tried.

        A piece is made again if what was read differs, as after the erasure of a home.
        """
        tried = self._tried.get(records[0].replayed)
        if tried is not None and tried.read == records[: len(tried.read)]:
            return tried
        wanted: list[Onward] = []
        for count, bare in enumerate(records):
            record = self._described(bare)
            if not self._wants(record):
                continue
            if len(wanted) == at_once:
                return Piece(records[:count], wanted)
            wanted.append(record)
        return Piece(records, wanted)

    def tries(self, piece: Piece) -> None:
        """Keep a piece that is handed over now."""
        self._tried[piece.is_replay] = piece

    def settled(self, piece: Piece) -> None:
        """Take notice that the peer has answered: it took the piece, or a part of it, or refused it."""
        self._tried.pop(piece.is_replay, None)

    def forget(self) -> None:
        """Cut new pieces, because an engineer changed something."""
        self._tried.clear()
