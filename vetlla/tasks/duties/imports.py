"""Imports a file of duty events: all of its rows or, if any of them is bad, nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from vetlla.domain.columns import Fault
from vetlla.domain.emergencies import TYPE_OF_KIND
from vetlla.service.duties.columns import EventRows
from vetlla.service.duties.kinds import COMMUNICATION, THE_SERVICE, Subject
from vetlla.service.homes.rows import HomeCodes
from vetlla.store.duties import events as store
from vetlla.store.duties.erasure import without_free_text
from vetlla.store.homes import queries as stored_homes
from vetlla.store.inventory import queries as inventory
from vetlla.store.registry.transaction import roll_back, transaction
from vetlla.tasks.duties.index import keep_index, loose_of
from vetlla.tasks.duties.order import KINDS, KeyCodes, impossible_rows
from vetlla.tasks.good_rows import good_rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.duties import DutyEvent, NewEvent
    from vetlla.service.duties.columns import EventRow
    from vetlla.service.duties.terms import DutyRules

    Doubts: TypeAlias = Callable[[sqlite3.Connection, DutyRules, Sequence[tuple[int, NewEvent]], int], Sequence[Fault]]


class ImportedEvents(NamedTuple):
    """What a file of events changed."""

    new: int
    known: int
    """Events that were recorded already."""
    faults: list[Fault]
    loose: int
    """Events of the file's subjects that belong to no duty, because none or several were open at their time."""
    differing: int = 0
    """Known events that the file tells with another person, note or detail; what was recorded stays."""
    erased: int = 0
    """Events about erased people, of which no note and no free detail was written."""
    warnings: Sequence[Fault] = ()
    """What is doubtful about rows that were taken."""


def import_events(
    state_dir: Path,
    clock: Clock,
    rules: DutyRules,
    rows: Iterable[tuple[int, EventRow | list[Fault]]],
    source: str,
    *,
    keep_good_rows: bool = False,
    dry_run: bool = False,
    large: bool = False,
    doubts: Doubts | None = None,
) -> ImportedEvents:
    """Append the events of a file. If a row is bad, nothing is kept, unless ``keep_good_rows`` is set.

    ``doubts`` says what is doubtful about the new events of emergencies, after all rows were appended.

    With ``large`` a copy of the registry is changed, so that the running receiver is not slowed down.
    """
    now_us = clock.now().utc_us
    with transaction(state_dir, clock, dry_run=dry_run, large=large) as connection:
        taker = _Taker(connection, rules, source, now_us)
        faults: list[Fault] = []
        for row, values in good_rows(rows, faults):
            faults += taker.put(row, values)
        faults += taker.put_held()
        if faults and not keep_good_rows:
            roll_back(connection)
            return ImportedEvents(0, 0, faults, 0)
        keep_index(connection, rules, taker.changed, large=large)
        loose = loose_of(connection, rules, taker.subjects)
        warnings = doubts(connection, rules, taker.emergencies, now_us) if doubts else ()
        return ImportedEvents(taker.new, taker.known, faults, loose, taker.differing, taker.erased, warnings)


class _Taker:
    def __init__(self, connection: sqlite3.Connection, rules: DutyRules, source: str, now_us: int) -> None:
        self._connection = connection
        self._rules = rules
        self._source = source
        self._now_us = now_us
        self._people = _People(connection, rules)
        self._event_rows = EventRows(rules.kinds, rules.calendar.local_time, now_us, _missing(connection, self._people))
        self._once = {name: rules.kinds.kind(name).happens_once for name in rules.kinds.names()}
        self._opens = {name: rules.kinds.kind(name).opens for name in rules.kinds.names()}
        self._unnamed: dict[int, int] = {}
        """By number of the event: the row that told an opening without a reference."""
        self._codes = KeyCodes(connection)
        self._held: list[tuple[int, NewEvent]] = []
        """Events whose kind has an order: they are judged together, so the order of the rows makes no difference."""
        self.changed: set[tuple[str, str]] = set()
        self._unchanged: set[tuple[str, str]] = set()
        self.emergencies: list[tuple[int, NewEvent]] = []
        """New events of emergencies, with their rows."""
        self.known = 0
        self.new = 0
        self.differing = 0
        self.erased = 0

    @property
    def subjects(self) -> set[tuple[str, str]]:
        """Kind and subject of every event that is recorded now."""
        return self.changed | self._unchanged

    def put(self, row: int, values: EventRow) -> list[Fault]:
        event = self._event_rows.event(row, values)
        if isinstance(event, list):
            return event
        if event.kind in self._people.kinds and self._people.is_erased(event):
            self.erased += 1
            event = without_free_text(event)
        if event.kind in KINDS:
            self._held.append((row, self._codes.spelled(event)))
            return []
        return self._put(row, event)

    def put_held(self) -> list[Fault]:
        """Append the events whose kind has an order, but none that is not possible; return the faults of the others."""
        faults = impossible_rows(self._connection, self._rules, self._held, "ref")
        wrong = {fault.row for fault in faults}
        return faults + [fault for row, event in self._held if row not in wrong for fault in self._put(row, event)]

    def _put(self, row: int, event: NewEvent) -> list[Fault]:
        if event.ref and event.event in self._once[event.kind]:
            recorded = store.with_reference(self._connection, event)
            for other in recorded:
                if other.told.at_us == event.at_us:
                    return self._known(row, event, other)
            # A row with another time is right if what was recorded before was taken back.
            if recorded and (standing := store.same_reference(self._connection, event)):
                return [self._otherwise(row, event, standing[0].told.at_us)]
        number = store.add(self._connection, event, self._source, self._now_us)
        if number is None:
            (other,) = store.at_that_time(self._connection, event)
            return self._known(row, event, other)
        self.changed.add((event.kind, event.subject))
        if self._is_unnamed(event):
            self._unnamed[number] = row
        self.new += 1
        if event.kind in TYPE_OF_KIND:
            self.emergencies.append((row, event))
        return []

    def _is_unnamed(self, event: NewEvent) -> bool:
        return not event.ref and event.event == self._opens[event.kind]

    def _known(self, row: int, event: NewEvent, other: DutyEvent) -> list[Fault]:
        """Return the fault of a row that is recorded with another promise, or may be a second duty of this file.

        An event that was withdrawn stays so.
        """
        told = other.told
        if self._is_unnamed(event) and (first := self._unnamed.setdefault(other.id, row)) != row:
            return [Fault(row, "ref", "", _SECOND.format(first))]
        if (told.begin_us, told.end_us) != (event.begin_us, event.end_us):
            return [self._promised_otherwise(row, event, told.end_us)]
        self._unchanged.add((event.kind, event.subject))
        self.known += 1
        self.differing += (told.by, told.note, told.details) != (event.by, event.note, event.details)
        return []

    def _otherwise(self, row: int, event: NewEvent, at_us: int) -> Fault:
        reason = f"{event.event} of {event.ref} is recorded at {self._shown(at_us)}: {_TAKE_BACK}"
        return Fault(row, "at", self._shown(event.at_us), reason)

    def _promised_otherwise(self, row: int, event: NewEvent, end_us: int | None) -> Fault:
        recorded = f", up to {self._shown(end_us)}" if end_us is not None else ""
        reason = f"{event.event} is recorded with another promise{recorded}: {_TAKE_BACK}"
        return Fault(row, "to", self._shown(event.end_us), reason)

    def _shown(self, at_us: int | None) -> str:
        """Return a moment on the clock of the service, as files have it; "" for none."""
        return "" if at_us is None else self._rules.calendar.shown(at_us)


_SECOND: Final = (
    "is empty, and row {} opens a duty without one at the same time, too: give each duty a reference of its own,"
    " or leave out the row that says the same again"
)
_TAKE_BACK: Final = "if that is wrong, take it back with vetlla duties withdraw EVENT --reason TEXT"


class _People:
    """The people who are registered, and those who were erased: of these only the duties are left."""

    def __init__(self, connection: sqlite3.Connection, rules: DutyRules) -> None:
        self._connection = connection
        self.kinds = frozenset(name for name in rules.kinds.names() if rules.kinds.kind(name).subject is Subject.PERSON)
        self._registered = frozenset(stored_homes.person_codes(connection))
        self._erased: dict[str, bool] = {}
        """Codes without a registered person that were asked for, and whether duties were recorded before this file."""

    def missing(self, code: str) -> str:
        """Return what is wrong with the code of a person; "" if the person is registered or was erased."""
        if code in self._registered or self._was_erased(code):
            return ""
        return "no such person: import the people first, or leave out the rows of a person who was erased"

    def is_erased(self, event: NewEvent) -> bool:
        """Return True if an event is about a person who was erased."""
        return event.kind in self.kinds and event.subject not in self._registered and self._was_erased(event.subject)

    def _was_erased(self, code: str) -> bool:
        if code not in self._erased:
            self._erased[code] = bool(store.kinds_about(self._connection, code, self.kinds))
        return self._erased[code]


def _missing(connection: sqlite3.Connection, people: _People) -> Mapping[Subject, Callable[[str], str]]:
    """Return for each sort of subject that must be registered the function that says what is wrong with a code."""
    homes = HomeCodes(stored_homes.home_codes(connection))
    devices = frozenset(inventory.device_names(connection))
    return {
        Subject.HOME: homes.missing,
        Subject.PERSON: people.missing,
        Subject.DEVICE: lambda name: "" if name in devices else "no such device: write TYPE:SERIAL",
        Subject.SERVICE: lambda name: "" if name == THE_SERVICE else f"should be {THE_SERVICE}",
        Subject.HOME_OR_SERVICE: lambda code: "" if code == THE_SERVICE else homes.missing(code),
        Subject.COMMUNICATION: lambda name: (
            "" if COMMUNICATION.fullmatch(name) else "should be call:ID or alarm:NUMBER"
        ),
    }
