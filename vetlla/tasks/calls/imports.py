"""Import a file of calls: all of it or, if any row is bad, nothing. The same file again adds nothing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias

from vetlla.domain.calls import CallKey, CallRecord, Origin, PhoneCall, TieMethod
from vetlla.domain.columns import Effect, Fault
from vetlla.service.calls.columns import record_of
from vetlla.service.calls.erased import erased_fields, without_erased
from vetlla.service.calls.joining import joined, order_fault, overlaid, updated
from vetlla.store.calls.write import CallBook, add_tie
from vetlla.store.registry.transaction import roll_back, transaction
from vetlla.tasks.calls.agenda import AgendaCounter
from vetlla.tasks.calls.tying import Alarms, Tier
from vetlla.tasks.good_rows import good_rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from datetime import tzinfo
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.service.calls.columns import CallRow
    from vetlla.service.local_time import LocalTime
    from vetlla.store.calls.write import Known
    from vetlla.tasks.calls.agenda import CallCounting

BATCH: Final = 20_000
"""Calls held before they are written. Lines of one call lie close together, so few are written in two parts."""

COLUMN_OF: Final = {"digest": "recording_sha256"}
"""Columns of a file that have another name than their field of a record."""
Found: TypeAlias = "tuple[str, CallRecord] | list[Fault] | None"
"""A call's id and what a row says of it; or what is wrong; or None if the row is about no call."""


class RowReader(Protocol):
    """Makes a record of a row of one kind of file."""

    def read(self, row: int, values: Any, /) -> Found:  # noqa: ANN401 - each kind has its own type
        """Return what a row says."""


class CallRows:
    """Reads rows of calls (``vetlla.service.calls.columns``)."""

    def __init__(self, local: LocalTime) -> None:
        self._local = local

    def read(self, row: int, values: CallRow, /) -> Found:
        """Return what a row says of its call."""
        record = record_of(row, values, self._local)
        return record if isinstance(record, list) else (values["external_id"], record)


class CallImport(NamedTuple):
    """What is imported, and the user who imports it."""

    origin: Origin
    source: str
    by: str
    file: str
    zone: tzinfo
    window_us: int
    counting: CallCounting | None = None
    """How calls that came in are counted as calls of the agenda; None if they are not."""


class ImportedCalls(NamedTuple):
    """What the rows of a file changed, and what is wrong with them."""

    effects: Counter[Effect]
    ties: Counter[TieMethod]
    """How the calls of the file are tied now."""
    skipped: int
    """Rows that are about no call of the service: events of a queue, calls between extensions."""
    faults: list[Fault]
    has_journal: bool
    repeated: int
    """Rows that only say again what an earlier row of the file says of the same call."""
    erased: int
    """Calls whose numbers or recording the file has, and which stay erased."""
    counted: int
    """Calls that now count as calls of the agenda."""


def import_calls(
    state_dir: Path,
    clock: Clock,
    about: CallImport,
    rows: Iterable[tuple[int, Any | list[Fault]]],
    reader: RowReader,
    *,
    keep_good_rows: bool = False,
    dry_run: bool = False,
    large: bool = False,
) -> ImportedCalls:
    """Put the rows of a file into the registry, and tie their calls. If a row is bad, nothing is kept.

    With ``keep_good_rows`` the good ones are kept all the same. With ``large`` a copy of the registry is changed, so
    that the running receiver is not slowed down (``transaction``).
    """
    with transaction(state_dir, clock, dry_run=dry_run, large=large) as connection:
        taker = _Taker(connection, Alarms(state_dir, about.window_us), about, clock.now().utc_us)
        faults: list[Fault] = []
        for row, values in good_rows(rows, faults):
            found = reader.read(row, values)
            if isinstance(found, list):
                faults += found
            else:
                faults += taker.take(row, found)
        faults += taker.flush()
        if faults and not keep_good_rows:
            roll_back(connection)
        elif not taker.effects[Effect.NEW] + taker.effects[Effect.CHANGED] and not (taker.has_tied or taker.counted):
            roll_back(connection)  # the import itself is nothing to note, if it added nothing
    return taker.done(faults)


class _Taker:
    """Gathers what rows say of each call, and writes it in batches."""

    def __init__(self, connection: sqlite3.Connection, alarms: Alarms, about: CallImport, now_us: int) -> None:
        self._connection = connection
        self._origin = about.origin
        self._now_us = now_us
        self._book = CallBook(connection, about.source)
        self._number = self._book.begin(about.origin, at_us=now_us, by=about.by, file=about.file)
        self._alarms = alarms
        self._tier = Tier(connection, alarms, about.zone)
        self._agenda = AgendaCounter(connection, about.counting) if about.counting else None
        self._source = about.source
        self._pending: dict[str, CallRecord] = {}
        self._rows: dict[str, int] = {}
        self._told: dict[str, tuple[int, CallRecord]] = {}
        """By id: the first row of the file about a call, and what its rows so far say. Only for rows of people."""
        self.repeated = 0
        self.effects: Counter[Effect] = Counter()
        self.ties: Counter[TieMethod] = Counter()
        self.skipped = 0
        self.erased: set[int] = set()
        self.has_tied = False
        self.has_journal = alarms.are_there

    @property
    def counted(self) -> int:
        """How many calls now count as calls of the agenda."""
        return self._agenda.counted if self._agenda else 0

    def done(self, faults: list[Fault]) -> ImportedCalls:
        """Return what the rows changed, and what is wrong with them."""
        return ImportedCalls(
            self.effects,
            self.ties,
            self.skipped,
            faults,
            self.has_journal,
            self.repeated,
            len(self.erased),
            self.counted,
        )

    def take(self, row: int, found: tuple[str, CallRecord] | None) -> list[Fault]:
        """Take what a row says; return what is wrong with the rows that this writes."""
        if found is None:
            self.skipped += 1
            return []
        external, record = found
        if record.home and record.home not in self._tier.homes:
            return [Fault(row, "home", record.home, "is not registered: import the homes first")]
        if self._origin is Origin.ROWS and (fault := self._conflict(row, external, record)):
            return [fault]
        self._pending[external] = updated(self._origin, self._pending.get(external), record)
        self._rows[external] = row
        return self.flush() if len(self._pending) >= BATCH else []

    def _conflict(self, row: int, external: str, record: CallRecord) -> Fault | None:
        """Return what a row says otherwise than an earlier row of the file; no rule says which of them is right."""
        first, said = self._told.get(external, (row, CallRecord()))
        pairs = zip(said._fields, said, record, strict=True)
        if name := next((name for name, old, new in pairs if old and new and old != new), None):
            return Fault(row, COLUMN_OF.get(name, name), "", f"differs from row {first}, which is about the same call")
        joint = overlaid(said, record)
        self.repeated += joint == said and first != row
        self._told[external] = (first, joint)
        return None

    def flush(self) -> list[Fault]:
        """Write the calls that are not yet written; return what is wrong with them."""
        faults: list[Fault] = []
        written: list[_Written] = []
        for external, said in self._pending.items():
            known = self._book.known(external)
            earlier = known.records.get(self._origin) if known else None
            record, fields = self._allowed(known, earlier, said)
            new = updated(self._origin, earlier, record)
            if self._origin is Origin.ROWS and (wrong := order_fault(new)):
                faults.append(Fault(self._rows[external], wrong[0], "", f"lies before {wrong[1]} of the same call"))
            else:
                written.append(self._write(external, known, earlier, new, is_erased=bool(fields)))
        alarms = self._alarms.around([one.record for one in written])
        for one in written:
            tie = self._tier.tie(
                one.record, one.external, one.tie, alarms, is_changed=one.is_changed, is_erased=one.is_erased
            )
            self.ties[tie.method] += 1
            if tie != one.tie:
                add_tie(self._connection, one.call, tie, self._now_us)
                self.has_tied = True
            if self._agenda is not None:
                self._agenda.offer(PhoneCall(one.call, CallKey(self._source, one.external), one.record, tie=tie))
        self._pending.clear()
        self._rows.clear()
        return faults

    def _allowed(
        self, known: Known | None, earlier: CallRecord | None, record: CallRecord
    ) -> tuple[CallRecord, frozenset[str]]:
        """Return what may be kept of a record, and the fields that its call must not get again."""
        fields = erased_fields(known.records.values(), known.tie) if known else frozenset[str]()
        if not fields or known is None:
            return record, fields
        allowed = without_erased(record, earlier, fields)
        if allowed != record:
            self.erased.add(known.id)
        return allowed, fields

    def _write(
        self, external: str, known: Known | None, earlier: CallRecord | None, new: CallRecord, *, is_erased: bool
    ) -> _Written:
        is_changed = new != earlier
        call = known.id if known else self._book.add_call(external)
        if is_changed:
            self._book.add_record(call, new)
        if known is None:
            self.effects[Effect.NEW] += 1
        elif known.imports.get(self._origin) != self._number:  # else an earlier batch of this import counted it
            self.effects[Effect.CHANGED if is_changed else Effect.UNCHANGED] += 1
        records = {**(known.records if known else {}), self._origin: new}
        return _Written(call, external, joined(records), known.tie if known else None, is_changed, is_erased)


class _Written(NamedTuple):
    call: int
    external: str
    record: CallRecord
    tie: Any
    is_changed: bool
    is_erased: bool
