"""Code tables, loaded once: the meaning of each code of a standard or a maker, in telecare's words.

``tables/<system>.csv`` holds every code of a standard. ``tables/<system>_classes.csv`` gives an unknown code its class
by its first characters, so that no code is dropped.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import NO_MEASUREMENTS, NOTHING, Event, Kind, Phase
from vetlla.protocols.codes.rows import read_code, read_rows
from vetlla.protocols.codes.scaip import SCAIP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vetlla.protocols.codes.rows import Code
    from vetlla.protocols.codes.scaip import ScaipTable

MAX_CODE: Final = 32
"""Most characters of an event's code. The longest code in the tables has 20, and the longest token of DC-09 has 16."""
NO_CODE: Final = "?"
"""Stands before the digest that replaces an invalid code. No valid code contains it, so no remap can name it."""
_CODE: Final = re.compile(rf"[0-9A-Za-z$#*+._/()-]{{0,{MAX_CODE}}}")
NO_ALARM: Final = frozenset({
    Kind.MANUAL_TEST, Kind.PERIODIC_TEST, Kind.HEARTBEAT, Kind.PRESENCE, Kind.STAFF_PRESENCE, Kind.CANCEL, Kind.RESET,
    Kind.CONFIGURATION, Kind.VITALS, Kind.POSITION, Kind.LISTEN_IN,
})  # fmt: skip
"""Kinds that open no alarm by themselves."""


def code_of(text: str) -> str:
    """Return a code as a device sent it; if it is not valid, return ``NO_CODE`` and a digest of it.

    Operators read codes at their terminals, and any stranger may send one. The raw bytes keep what was sent. The digest
    distinguishes two invalid codes, because a report with one must not be taken for a report with the other.
    """
    if _CODE.fullmatch(text):
        return text
    return NO_CODE + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=3).hexdigest()


EVENTS_MAX: Final = 64
"""Most events of one frame that are reported one by one. A panel that empties its memory sends about twenty, and 4 kB
can hold more than a thousand."""


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
    """True if the device says that it reported this before."""


def more(system: str, count: int) -> Report:
    """Return the report that stands for ``count`` further events of a frame, which may be calls."""
    event = Event(Kind.UNREADABLE, Phase.NEW, "more", system)
    return Report(event, text=f"and {count} more events are in the bytes of the frame")


class CodeTable:
    """The codes of one standard. ``known`` holds its rows; ``find`` has a row for every code."""

    def __init__(self, system: str) -> None:
        self.system = system
        self.known: dict[str, Code] = {row["code"]: read_code(row) for row in read_rows(f"{system}.csv")}
        self._events = {code: Event(row.kind, row.phase, code, system) for code, row in self.known.items()}
        self._classes: dict[str, Code] = {row["prefix"]: read_code(row) for row in read_rows(f"{system}_classes.csv")}
        self._longest_class = max(map(len, self._classes))

    def find(self, code: str) -> Code:
        """Return the code's row, or that of its class."""
        return self.known.get(code) or self._classes[self._class_of(code)]

    def _class_of(self, code: str) -> str:
        """Return the longest beginning of a code that has a class; "" has one in every table."""
        sizes = range(min(len(code), self._longest_class), -1, -1)
        return next(code[:size] for size in sizes if code[:size] in self._classes)

    def event(self, code: str) -> Event:
        """Return the event of a code."""
        event = self._events.get(code)
        if event is None:
            event = self._unknown(code)
        return event

    def _unknown(self, code: str) -> Event:
        """Return the event of a code that has no row. An invalid code is at least as urgent as an unknown one."""
        name = self._class_of(code)
        row = self._classes[name]
        if (shown := code_of(code)) == code:
            return Event(row.kind, row.phase, code, self.system)
        return Event(Kind.UNKNOWN if row.kind in NO_ALARM else row.kind, Phase.NEW, name + shown, self.system)

    def __iter__(self) -> Iterator[tuple[str, Code]]:
        return iter(self.known.items())


CONTACT_ID: Final = CodeTable("contact_id")
SIA_DCS: Final = CodeTable("sia_dcs")
EVIEW: Final = CodeTable("eview")
WATCH3G: Final = CodeTable("watch3g")
MINIFINDER: Final = CodeTable("minifinder")
QUECLINK: Final = CodeTable("queclink")
THINKRACE: Final = CodeTable("thinkrace")
MQTT: Final = CodeTable("mqtt")
PULSE: Final = CodeTable("pulse")
"""Event characters that line receivers print for pulse formats and DTMF 4/2 and 4/3."""
HIGH_SPEED: Final = CodeTable("high_speed")
"""Channels of Ademco High Speed; ``S`` and the ninth digit for the report as a whole."""
TABLES: Final[Mapping[str, CodeTable | ScaipTable]] = {
    table.system: table
    for table in (
        CONTACT_ID,
        SIA_DCS,
        EVIEW,
        WATCH3G,
        MINIFINDER,
        QUECLINK,
        THINKRACE,
        MQTT,
        PULSE,
        HIGH_SPEED,
        SCAIP,
    )
}


def name_of(event: Event) -> str:
    """Return the standard's name for an event's code, or for its class; "" if the system has no table."""
    table = TABLES.get(event.system)
    return table.find(event.code).name if table is not None else ""
