"""The base of what another system recorded: it may spell a base in its own way, or leave it to the home."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.codes import code_key
from vetlla.store.homes import queries as home_store

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import date


class RecordedBase(NamedTuple):
    """A base as a duty has it, and the home and day that decide if it has none."""

    base: str
    home: str
    day: date


def bases_of(connection: sqlite3.Connection, recorded: Sequence[RecordedBase]) -> list[str]:
    """Return each base as homes write it; instead of an empty one that of the home on the day, "" if it has none."""
    if not recorded:
        return []
    known = home_store.bases(connection)
    spelled = {code_key(base): base for base in reversed(known)} | {base: base for base in known}
    without: dict[date, set[str]] = defaultdict(set)
    for one in recorded:
        if not one.base:
            without[one.day].add(one.home)
    own = {
        (code, day): home.base
        for day, codes in without.items()
        for code, home in home_store.homes(connection, sorted(codes), day=day).items()
    }
    return [
        spelled.get(one.base) or spelled.get(code_key(one.base), one.base)
        if one.base
        else own.get((one.home, one.day), "")
        for one in recorded
    ]
