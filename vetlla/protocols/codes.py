"""Code tables as data: what a code of a standard, or of a maker, means in telecare's words, loaded once.

``tables/<system>.csv`` holds every code of a standard, ``tables/<system>_classes.csv`` what its first characters say
of one that no table knows: such a code keeps its class and is never dropped.
"""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.signals import NO_MEASUREMENTS, NOTHING, Event, Kind, Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_TABLES: Final = files("vetlla.protocols") / "tables"


class Code(NamedTuple):
    """One row: the standard's name, what the number behind the code counts (zone, user, area ... or ""), our words."""

    name: str
    address: str
    kind: Kind
    phase: Phase


class Report(NamedTuple):
    """One event as a payload states it, before the envelope's facts are added."""

    event: Event
    account: str = ""
    """The account as the payload spells it; "" when it names none."""
    device: str = ""
    area: str = ""
    text: str = ""
    details: Mapping[str, str] = NOTHING
    measurements: Mapping[str, float] = NO_MEASUREMENTS
    repeated: bool = False
    """Reported before, says the device."""


class CodeTable:
    """The codes of one standard. ``known`` holds its rows; ``find`` has an answer for every code."""

    def __init__(self, system: str) -> None:
        self.system = system
        self.known: dict[str, Code] = {row["code"]: _code(row) for row in _rows(f"{system}.csv")}
        self._classes: dict[str, Code] = {row["prefix"]: _code(row) for row in _rows(f"{system}_classes.csv")}

    def find(self, code: str) -> Code:
        """Return the code's row, or that of its class: the longest prefix that has one."""
        return self.known.get(code) or next(
            self._classes[code[:size]] for size in range(len(code), -1, -1) if code[:size] in self._classes
        )

    def __iter__(self) -> Iterator[tuple[str, Code]]:
        return iter(self.known.items())


def _rows(name: str) -> Iterable[dict[str, str]]:
    return csv.DictReader((_TABLES / name).read_text(encoding="utf-8").splitlines())


def _code(row: dict[str, str]) -> Code:
    return Code(row["name"], row.get("address", ""), Kind(row["kind"]), Phase(row.get("phase", Phase.NEW)))


CONTACT_ID: Final = CodeTable("contact_id")
SIA_DCS: Final = CodeTable("sia_dcs")
EVIEW: Final = CodeTable("eview")
WATCH3G: Final = CodeTable("watch3g")
MINIFINDER: Final = CodeTable("minifinder")
QUECLINK: Final = CodeTable("queclink")
THINKRACE: Final = CodeTable("thinkrace")
TABLES: Final[Mapping[str, CodeTable]] = {
    table.system: table for table in (CONTACT_ID, SIA_DCS, EVIEW, WATCH3G, MINIFINDER, QUECLINK, THINKRACE)
}


def name_of(event: Event) -> str:
    """Return the standard's name of an event's code, or of its class; "" in a system that has no table."""
    table = TABLES.get(event.system)
    return table.find(event.code).name if table is not None else ""
