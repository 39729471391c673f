"""Spreads calls evenly over cells, such as the working days of a month or the hours of a day.

A cell has a weight (how much staff it has) and may hold calls already. Calls that may lie in any cell fill the others
up to one level. What each cell gets differs from its exact share by less than one call.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

WITHIN: Final = 1
"""A cell's number of calls differs from its exact share by less than this, if every call may lie in any cell."""


class Dealt(NamedTuple):
    """A call to be spread over cells."""

    key: str
    """It decides the order of calls with the same position."""
    position: float
    """How far into all cells it should lie, from 0 up to 1."""
    cells: int
    """The cells in which it may lie, as bits; the first cell is bit 0."""
    fixed: bool = False
    """Whether it must lie where its position puts it, because of another call to the same home."""


def shares(number: int, weights: Sequence[int], held: Sequence[int]) -> list[int]:
    """Return how many of ``number`` calls each cell gets, so that calls and weights are in proportion.

    ``held`` are the calls that the cells have already. Cells without weight get none; there must be one with weight.
    """
    exact = _exact_shares(number, weights, held)
    found = [int(one) for one in exact]
    rest = sorted(range(len(exact)), key=lambda cell: (found[cell] - exact[cell], cell))
    for cell in rest[: number - sum(found)]:
        found[cell] += 1
    return found


def _exact_shares(number: int, weights: Sequence[int], held: Sequence[int]) -> list[Fraction]:
    """Return what each cell lacks to the level at which ``number`` more calls fill the cells."""
    exact = [Fraction(0)] * len(weights)
    staffed = sorted((Fraction(held[cell], weight), cell) for cell, weight in enumerate(weights) if weight)
    weight = calls = 0
    for place, (_, cell) in enumerate(staffed):
        weight, calls = weight + weights[cell], calls + held[cell]
        level = Fraction(number + calls, weight)
        if place + 1 == len(staffed) or level <= staffed[place + 1][0]:
            for _, filled in staffed[: place + 1]:
                exact[filled] = level * weights[filled] - held[filled]
            break
    return exact


def deal(calls: Sequence[Dealt], weights: Sequence[int], held: Sequence[int]) -> list[int]:
    """Return the cell of each call, in the order of the calls. Each must have a cell with weight."""
    staffed = sum(1 << cell for cell, weight in enumerate(weights) if weight)
    placed = [-1] * len(calls)
    free: list[int] = []
    load = list(held)
    for place, call in enumerate(calls):
        allowed = call.cells & staffed
        if allowed == staffed and not call.fixed:
            free.append(place)
        else:
            placed[place] = _nth(allowed, call.position)
            load[placed[place]] += 1
    wanted = _exact_shares(len(calls), weights, held)
    _level(calls, placed, staffed, load, [ceil(share) + had for share, had in zip(wanted, held, strict=True)])
    free.sort(key=lambda place: (calls[place].position, calls[place].key))
    begin = 0
    for cell, number in enumerate(shares(len(free), weights, load)):
        for place in free[begin : begin + number]:
            placed[place] = cell
        begin += number
    return placed


def _nth(cells: int, position: float) -> int:
    """Return the cell that lies as far into the allowed ones as the position says."""
    found = bits(cells)
    return found[int(position * len(found))]


def bits(cells: int) -> list[int]:
    """Return the numbers of the bits that are set, in order."""
    return [cell for cell in range(cells.bit_length()) if cells >> cell & 1]


def _level(calls: Sequence[Dealt], placed: list[int], staffed: int, load: list[int], most: Sequence[int]) -> None:
    """Move calls that cannot lie everywhere out of cells that have more than ``most``, as far as that is possible.

    A call may have to make room for another one, so this looks for the shortest chain of moves that ends in a cell with
    room. If there is none, no arrangement of these calls is more even.
    """
    movable: list[dict[int, list[int]]] = [{} for _ in load]
    for place, call in enumerate(calls):
        if placed[place] >= 0 and not call.fixed:
            movable[placed[place]].setdefault(call.cells & staffed, []).append(place)
    for full in range(len(load)):
        while load[full] > most[full] and (moves := _chain(movable, full, load, most)):
            for begin, end, cells in moves:
                place = movable[begin][cells].pop()
                if not movable[begin][cells]:
                    del movable[begin][cells]
                movable[end].setdefault(cells, []).append(place)
                placed[place] = end
            load[full] -= 1
            load[moves[0][1]] += 1


def _chain(
    movable: Sequence[dict[int, list[int]]], full: int, load: Sequence[int], most: Sequence[int]
) -> list[tuple[int, int, int]]:
    """Return moves (from, to, cells of the call), the last one first, that bring one call from a cell to room."""
    came: dict[int, tuple[int, int]] = {full: (-1, 0)}
    waiting = [full]
    for cell in waiting:
        if load[cell] < most[cell]:
            moves = []
            while came[cell][0] >= 0:
                before, cells = came[cell]
                moves.append((before, cell, cells))
                cell = before  # noqa: PLW2901 - walks back along the chain
            return moves
        for cells in movable[cell]:
            for following in bits(cells):
                if following not in came:
                    came[following] = (cell, cells)
                    waiting.append(following)
    return []
