"""Import a file of homes, people or devices: all of its rows or, if any of them is bad, nothing."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from vetlla.domain.columns import Fault
from vetlla.domain.errors import UsageError
from vetlla.service.inventory import movements, row_checks
from vetlla.service.inventory.leading_zeros import Zeros
from vetlla.store.inventory import queries as inventory
from vetlla.store.inventory import write as inventory_write
from vetlla.store.inventory.bulk import DeviceImport, Effect
from vetlla.store.registry.transaction import roll_back, transaction
from vetlla.tasks.good_rows import good_rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.devices import Home, Person
    from vetlla.service.inventory.columns import DeviceRow, HomeRow, PersonRow

V = TypeVar("V", bound="Home | Person")

Read: TypeAlias = "tuple[int, Any | list[Fault]]"
"""A row's number in the file, and its values (``vetlla.service.inventory.columns``) or what is wrong in it."""

_CODES = {
    "devices": (("serial", "type"), ("account", "")),
    "homes": (("code", ""), ("district", ""), ("base", "")),
    "people": (("code", ""),),
}
"""Columns whose leading zeros a spreadsheet may have lost. The second name is the column whose values divide the codes
into groups (``leading_zeros.Zeros``); it is "" if all codes are one group."""


class Imported(NamedTuple):
    """What the rows of a file changed in the registry, and what is wrong with them."""

    effects: Counter[Effect]
    faults: list[Fault]
    warnings: list[Fault]
    never_active: int = 0
    """Homes without an active period, where homes were imported."""


class _Rows(Protocol):
    """Takes the rows of one kind."""

    def put(self, row: int, values: Any) -> Effect | list[Fault]:  # noqa: ANN401 - each kind has its own type
        """Put a row into the registry; return what it changed, or what is wrong with it."""

    def finish(self) -> None:
        """Write the rows that are not yet written."""


def import_rows(
    state_dir: Path,
    clock: Clock,
    what: str,
    rows: Iterable[Read],
    day: date,
    *,
    keep_good_rows: bool = False,
    dry_run: bool = False,
    large: bool = False,
) -> Imported:
    """Put the rows of a file into the registry. If a row is bad, nothing is kept, unless ``keep_good_rows`` is set.

    ``what`` is devices, homes or people. A device without a day of its own came on ``day``. With ``large`` a copy is
    changed, so that the running receiver is not slowed down.
    """
    with transaction(state_dir, clock, dry_run=dry_run, large=large) as connection:
        imported = _put_all(connection, what, rows, _ROWS[what](connection, day, clock))
        if what == "homes":
            imported = imported._replace(never_active=inventory.never_active(connection))
        if imported.faults and not keep_good_rows:
            roll_back(connection)
    return imported


def _put_all(connection: sqlite3.Connection, what: str, rows: Iterable[Read], taker: _Rows) -> Imported:
    faults: list[Fault] = []
    effects: Counter[Effect] = Counter()
    zeros = Zeros()
    for row, values in good_rows(rows, faults):
        outcome = taker.put(row, values)
        if isinstance(outcome, list):
            faults += outcome
            continue
        effects[outcome] += 1
        for column, group in _CODES[what]:
            if (code := values[column]) and code.isdecimal():
                zeros.see(row, column, code, values[group] if group else "")
    taker.finish()
    for column, kind, code in inventory.codes(connection, what):
        zeros.compare(column, kind, code)
    return Imported(effects, faults, zeros.found)


class _Devices:
    def __init__(self, connection: sqlite3.Connection, day: date, clock: Clock) -> None:
        self._checks = row_checks.DeviceRows(_home_codes(connection), day)
        self._day = day
        self._bulk = DeviceImport(connection, clock.now().utc_us)
        self.finish = self._bulk.flush

    def put(self, row: int, values: DeviceRow) -> Effect | list[Fault]:
        found = self._checks.found(row, values)
        if isinstance(found, list):
            return found
        known = self._bulk.known(found.device)
        try:
            movement = movements.imported(found, known.standing if known else None, self._day)
        except UsageError as error:
            return [Fault(row, "home", found.home, str(error))]
        return self._bulk.put(found, known, movement)


class _Replacing(Generic[V]):
    """Takes homes or people: a row replaces what the registry holds under its code."""

    def __init__(
        self,
        known: Mapping[str, V],
        check: Callable[[int, Any, dict[str, int]], V | list[Fault]],
        put: Callable[[V], None],
    ) -> None:
        self._known = known
        self._check = check
        self._put = put
        self._seen: dict[str, int] = {}

    def put(self, row: int, values: HomeRow | PersonRow) -> Effect | list[Fault]:
        value = self._check(row, values, self._seen)
        if isinstance(value, list):
            return value
        code = values["code"]
        if self._known.get(code) == value:
            return Effect.UNCHANGED
        self._put(value)
        return Effect.CHANGED if code in self._known else Effect.NEW

    def finish(self) -> None:
        pass


def _homes(connection: sqlite3.Connection, _: date, __: Clock) -> _Rows:
    known = inventory.homes(connection)
    return _Replacing(known, partial(row_checks.home, known=known), partial(inventory_write.put_home, connection))


def _people(connection: sqlite3.Connection, _: date, __: Clock) -> _Rows:
    known = {person.code: person for person in inventory.people(connection)}
    check = partial(row_checks.person, homes=_home_codes(connection))
    return _Replacing(known, check, partial(inventory_write.put_person, connection))


_ROWS: dict[str, Callable[[sqlite3.Connection, date, Clock], _Rows]] = {
    "devices": _Devices,
    "homes": _homes,
    "people": _people,
}


def _home_codes(connection: sqlite3.Connection) -> row_checks.HomeCodes:
    return row_checks.HomeCodes(inventory.home_codes(connection))
