"""Compares the keys of a stock-taking with the keys that the record has in their places."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.codes import code_key
from vetlla.service.custody.chain import KeyState, place_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vetlla.service.custody.chain import CustodyKey


class DifferenceKind(StrEnum):
    """How the cabinets differ from the record."""

    MISSING = "missing"
    """It should be in its place, and was not found."""
    UNEXPECTED = "unexpected"
    """It was found, and should not be there."""
    ELSEWHERE = "elsewhere"
    """It was found in another place."""
    TWICE = "twice"
    """The list has it twice."""


class StockDifference(NamedTuple):
    """One difference. Places are empty if they are not known."""

    key: str
    home: str
    difference: DifferenceKind
    recorded: str
    """Where it should be."""
    found: str
    """Where it was found."""


def compare(keys: Mapping[str, CustodyKey], counted: Iterable[tuple[str, str]]) -> Iterator[StockDifference]:
    """Yield the differences between the record and the counted keys, each with its place or "".

    ``keys`` has the keys by ``code_key``. Codes and places may differ in case and spaces.
    """
    seen: set[str] = set()
    for code, place in counted:
        name = code_key(code)
        key = keys.get(name)
        home, recorded = (key.home, key.whereabouts()) if key else ("", "is not on record")
        if name in seen:
            yield StockDifference(code, home, DifferenceKind.TWICE, recorded, place)
        elif key is None or key.state is not KeyState.IN_PLACE:
            yield StockDifference(code, home, DifferenceKind.UNEXPECTED, recorded, place)
        elif place and place_key(place) != place_key(key.place):
            yield StockDifference(code, home, DifferenceKind.ELSEWHERE, recorded, place)
        seen.add(name)
    for name, key in keys.items():
        if key.state is KeyState.IN_PLACE and name not in seen:
            yield StockDifference(key.code, key.home, DifferenceKind.MISSING, key.whereabouts(), "")
