"""Which events are not possible at their time, for kinds of duties whose acts have an order: keys and emergencies.

Every way in asks here: the commands of the subject, ``vetlla duties open`` and ``event``, and both imports. So the
rules of ``service/custody`` and ``service/dispatch`` hold for all of them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.codes import code_key
from vetlla.domain.columns import Fault
from vetlla.domain.duties import DutyEvent, Impossible
from vetlla.domain.emergencies import TYPE_OF_KIND
from vetlla.domain.errors import UsageError
from vetlla.service.custody.chain import KEY, chain, remedy
from vetlla.service.dispatch import possible
from vetlla.service.duties.grouping import group
from vetlla.store.duties import events as store

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

    from vetlla.domain.duties import Duty, NewEvent
    from vetlla.service.custody.chain import CustodyKey
    from vetlla.service.duties.kinds import DutyKind
    from vetlla.service.duties.terms import DutyRules

KINDS: Final = frozenset({KEY, *TYPE_OF_KIND})
"""The kinds whose acts have an order."""
_NOT_CEDED: Final = "was not ceded before that: give its ceding first"
_CODE: Final = "give the new key another code"


# --- one event --------------------------------------------------------------------------------------------------------


def keys_of_code(connection: sqlite3.Connection, rules: DutyRules, code: str) -> list[CustodyKey]:
    """Return every key that has or had a code. Codes that differ only in case or spaces are one."""
    kind, wanted = rules.kinds.kind(KEY), code_key(code)
    homes = {home for home, ref in store.references(connection, KEY) if code_key(ref) == wanted}
    return [
        chain(duty)
        for home in sorted(homes)
        for duty in group(kind, store.of_subject(connection, KEY, home)).duties
        if code_key(duty.ref) == wanted
    ]


class KeyCodes:
    """The codes of keys as they are on record: files may write them with other capitals or spaces."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read the codes of all keys."""
        self._recorded = set(store.references(connection, KEY))
        self._of_home = {(home, code_key(code)): code for home, code in self._recorded}
        self._of_any = {code_key(code): code for _, code in self._recorded}

    def spelled(self, event: NewEvent) -> NewEvent:
        """Return an event of a key with the recorded spelling of its code; of a new code the first one counts."""
        if event.kind != KEY or not event.ref or (event.subject, event.ref) in self._recorded:
            return event
        key = code_key(event.ref)
        code = self._of_home.get((event.subject, key)) or self._of_any.setdefault(key, event.ref)
        return event._replace(ref=code)


def refuse_code(connection: sqlite3.Connection, rules: DutyRules, told: NewEvent) -> None:
    """Raise UsageError if an opening cedes a key under a code that a key in custody has, or had in the same home.

    Two chains under one code could not be told apart.
    """
    if told.kind != KEY or not told.ref:
        return
    for other in keys_of_code(connection, rules, told.ref):
        if other.in_custody:
            raise UsageError(
                f"{other.code} is in custody already: it opens {other.home}, and {other.whereabouts()}", remedy=_CODE
            )
        if other.home == told.subject:
            raise UsageError(f"{told.subject} had a key {other.code} before, which {other.whereabouts()}", remedy=_CODE)


def refuse_impossible(connection: sqlite3.Connection, rules: DutyRules, told: NewEvent) -> None:
    """Raise UsageError if an event is not possible at its time, or makes another one impossible that was possible."""
    if told.kind not in KINDS:
        return
    kind = rules.kinds.kind(told.kind)
    recorded = store.of_subject(connection, told.kind, told.subject)
    before = {one.event.id for one in _impossible(rules, kind, recorded)}
    event = DutyEvent(store.LATEST, told, "", 0)
    for one in _impossible(rules, kind, [*recorded, event]):
        if one.event.id in before:
            continue
        if one.event.id == event.id:
            raise UsageError(one.reason, remedy=_remedy(kind, recorded, one))
        other = one.event.told
        when = "later" if other.at_us >= told.at_us else "earlier"
        raise UsageError(
            f"then {other.event} of event {one.event.id}, which came {when}, would not be possible: it has the time"
            f" {rules.calendar.shown(other.at_us)}",
            remedy=f"correct --at; {_show(kind, recorded, told)} has the times",
        )


def _impossible(rules: DutyRules, kind: DutyKind, events: Iterable[DutyEvent]) -> list[Impossible]:
    return [one for duty in group(kind, events).duties for one in of_duty(rules, duty)]


def of_duty(rules: DutyRules, duty: Duty) -> Sequence[Impossible]:
    """Return the events of a duty that were not possible at their time; none of a kind without an order."""
    if duty.kind == KEY:
        return chain(duty).impossible
    return possible.impossible(duty, rules.calendar.shown) if duty.kind in TYPE_OF_KIND else ()


def _of_event(kind: DutyKind, events: Iterable[DutyEvent], told: NewEvent) -> Duty | None:
    duties = group(kind, events).duties
    return next((duty for duty in duties if told.duty == duty.id or (told.ref and told.ref == duty.ref)), None)


def _show(kind: DutyKind, events: Iterable[DutyEvent], told: NewEvent) -> str:
    if told.kind == KEY:
        return f"vetlla custody show {told.ref}"
    duty = _of_event(kind, events, told)
    return f"vetlla duties show {duty.id}" if duty else f"vetlla duties list --subject {told.subject}"


def _remedy(kind: DutyKind, events: Iterable[DutyEvent], one: Impossible) -> str:
    """Return what to do first; for an act in the past, when the others happened."""
    told, because = one.event.told, one.because
    duty = _of_event(kind, events, told)
    if told.kind == KEY and duty is not None and told.at_us >= (key := chain(duty)).since_us:
        return remedy(key)
    show = _show(kind, events, told)
    if told.event == "cancelled" and because is not None and because.told.at_us <= told.at_us:
        return f"vetlla dispatch finished ends it; {show} has the times"
    return f"correct --at; {show} has the times"


# --- the rows of a file -----------------------------------------------------------------------------------------------


class _Row(NamedTuple):
    """An event of a file with the rows that tell it."""

    event: NewEvent
    rows: list[int]


def impossible_rows(
    connection: sqlite3.Connection, rules: DutyRules, told: Iterable[tuple[int, NewEvent]], code_column: str
) -> list[Fault]:
    """Return the faults of rows that contradict each other or what is recorded, whatever the order of the rows is.

    ``code_column`` has the code of a key. Of a row that is recorded already nothing is returned.
    """
    new: dict[tuple[str, str], dict[tuple[int, str, str], _Row]] = defaultdict(dict)
    for row, event in told:
        same = new[event.kind, event.subject].setdefault((event.at_us, event.event, event.ref), _Row(event, []))
        same.rows.append(row)
    faults: list[Fault] = []
    files = [_File(connection, rules, kind, subject, list(rows.values())) for (kind, subject), rows in new.items()]
    keys = [file for file in files if file.name == KEY]
    for file in keys:
        faults += file.without_code(code_column)
    faults += _shared_codes(connection, rules, keys, code_column)
    for file in files:
        faults += file.impossible()
    return sorted(faults, key=lambda fault: fault.row)


class _File:
    """The rows of a file about one subject and kind, beside what is recorded about it."""

    def __init__(
        self, connection: sqlite3.Connection, rules: DutyRules, name: str, subject: str, told: Iterable[_Row]
    ) -> None:
        self.name = name
        self.subject = subject
        self.kind = rules.kinds.kind(name)
        self._rules = rules
        self._recorded = store.of_subject(connection, name, subject)
        known = {_same(event.told) for event in self._recorded}
        first = store.LATEST  # numbers after those of all recorded events
        fresh = (one for one in told if _same(one.event) not in known)
        self._rows = {first + place: one for place, one in enumerate(fresh)}

    def opened(self) -> Iterator[tuple[int, NewEvent]]:
        """Yield the openings that are new, with their numbers."""
        return ((number, one.event) for number, one in self._rows.items() if one.event.event == self.kind.opens)

    def events(self) -> list[DutyEvent]:
        """Return the recorded events and those of the rows that are left."""
        return [*self._recorded, *(DutyEvent(number, one.event, "", 0) for number, one in self._rows.items())]

    def drop(self, number: int, column: str, reason: str) -> list[Fault]:
        """Leave out the rows of an event; return their faults."""
        one = self._rows.pop(number)
        value = one.event.ref if column != "event" else one.event.event
        return [Fault(row, column, value, reason) for row in one.rows]

    def without_code(self, column: str) -> list[Fault]:
        """Leave out keys without a code; return their faults."""
        numbers = [number for number, event in self.opened() if not event.ref]
        return [
            fault
            for number in numbers
            for fault in self.drop(number, column, "is empty, but it is the code that is written on the key")
        ]

    def impossible(self) -> list[Fault]:
        """Leave out the rows that are not possible, until the others are; return their faults."""
        faults: list[Fault] = []
        before = {one.event.id for one in self._wrong(self._recorded)}
        while True:
            wrong: dict[int, str] = {}
            because: dict[int, int] = {}
            for one in self._wrong(self.events()):
                if one.event.id in self._rows:
                    wrong[one.event.id] = one.reason
                    because[one.event.id] = one.because.id if one.because else 0
                elif one.event.id not in before and (number := self._cause(one)):
                    told = one.event.told
                    time = self._rules.calendar.shown(told.at_us)
                    reason = f"then {told.event} of event {one.event.id} at {time} would not be possible"
                    wrong.setdefault(number, reason)
            if not wrong:
                return faults
            # A row may be possible as soon as the wrong row that stands in its way is left out.
            first = {number: reason for number, reason in wrong.items() if because.get(number) not in wrong}
            for number, reason in (first or wrong).items():
                ref = self._rows[number].event.ref
                faults += self.drop(number, "event", f"{ref}: {reason}" if ref else reason)

    def _wrong(self, events: Sequence[DutyEvent]) -> list[Impossible]:
        grouped = group(self.kind, events)
        found = [one for duty in grouped.duties for one in of_duty(self._rules, duty)]
        if self.name != KEY:
            return found  # what belongs to no emergency may still get its opening from another file
        found += (Impossible(event, _NOT_CEDED) for event in grouped.loose)
        for duty in grouped.duties:
            again = (event for event in duty.events[1:] if event.told.event == self.kind.opens)
            found += (Impossible(event, f"was ceded already: {_CODE}") for event in again)
        return found

    def _cause(self, one: Impossible) -> int | None:
        """Return the event of a row that makes a recorded one impossible; None if it is not one of the rows."""
        if one.because is not None:
            return one.because.id if one.because.id in self._rows else None
        for duty in group(self.kind, self.events()).duties:
            if one.event in duty.events:
                place = duty.events.index(one.event)
                return next((event.id for event in reversed(duty.events[:place]) if event.id in self._rows), None)
        return None


def _same(event: NewEvent) -> tuple[int, str, str]:
    return event.at_us, event.event, event.ref


def _shared_codes(
    connection: sqlite3.Connection, rules: DutyRules, files: Sequence[_File], column: str
) -> Iterator[Fault]:
    """Yield the faults of keys whose code a key in custody of another home has; these rows are left out."""
    fresh = {(file.subject, event.ref): (file, number) for file in files for number, event in file.opened()}
    codes = {code for _, code in fresh}
    if not codes:
        return
    kind = rules.kinds.kind(KEY)
    touched = {file.subject: file.events() for file in files}
    others = (found for _, home, found in store.by_subject(connection, [KEY]) if home not in touched)
    held: dict[str, list[CustodyKey]] = defaultdict(list)
    for events in (*others, *touched.values()):
        for key in map(chain, group(kind, events).duties):
            if key.in_custody and key.code in codes:
                held[key.code].append(key)
    for code, keys in held.items():
        first, *later = sorted(keys, key=lambda key: ((key.home, code) in fresh, key.duty.opened_us, key.home))
        for file, number in (fresh[key.home, code] for key in later if (key.home, code) in fresh):
            yield from file.drop(number, column, f"is in custody already, and opens {first.home}")
