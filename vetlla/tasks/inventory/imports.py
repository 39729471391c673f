"""Import a file of homes, people or devices: all of its rows or, if any of them is bad, nothing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from vetlla.domain.columns import Effect, Fault
from vetlla.domain.errors import UsageError
from vetlla.service.homes.rows import HomeCodes
from vetlla.service.inventory import movements, row_checks
from vetlla.service.inventory.leading_zeros import Zeros
from vetlla.store.homes import queries as homes
from vetlla.store.homes.queries import home_codes
from vetlla.store.inventory import queries as inventory
from vetlla.store.inventory.bulk import DeviceImport
from vetlla.store.registry.transaction import roll_back, transaction
from vetlla.tasks.good_rows import good_rows
from vetlla.tasks.homes.rows import STAYS, home_rows, person_rows

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.devices import ImportedDevice
    from vetlla.service.inventory.columns import DeviceRow
    from vetlla.store.inventory.bulk import KnownDevice
    from vetlla.tasks.homes.rows import Dated

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
    corrected: int = 0
    """Rows that changed an answer about days before the day from which they hold."""
    kept: Sequence[Fault] = ()
    """Values of the file that are no news: what was recorded by hand since then stays."""


class _Rows(Protocol):
    """Takes the rows of one kind; ``corrected`` counts those that corrected the past."""

    corrected: int

    @property
    def kept(self) -> Sequence[Fault]:
        """The values of the file that an import said before, where the value recorded by hand stays."""

    def put(self, row: int, values: Any) -> Effect | list[Fault]:  # noqa: ANN401 - each kind has its own type
        """Put a row into the registry; return what it changed, or what is wrong with it."""

    def finish(self) -> None:
        """Write the rows that are not yet written."""


def import_rows(
    state_dir: Path,
    clock: Clock,
    what: str,
    rows: Iterable[Read],
    dated: Dated,
    *,
    keep_good_rows: bool = False,
    dry_run: bool = False,
    large: bool = False,
) -> Imported:
    """Put the rows of a file into the registry. If a row is bad, nothing is kept, unless ``keep_good_rows`` is set.

    ``what`` is devices, homes or people. With ``large`` a copy is changed, so that the running receiver is not slowed
    down. Raises UsageError for a correction of devices.
    """
    if dated.correct and what == "devices":
        raise UsageError(
            "the history of a device is not corrected by a file", remedy="vetlla inventory move, transfer ..."
        )
    with transaction(state_dir, clock, dry_run=dry_run, large=large) as connection:
        imported = _put_all(connection, what, rows, _ROWS[what](connection, dated))
        if what == "homes":
            imported = imported._replace(never_active=homes.never_active(connection))
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
    for column, kind, code in inventory.codes(connection) if what == "devices" else homes.codes(connection, what):
        zeros.compare(column, kind, code)
    return Imported(effects, faults, zeros.found, corrected=taker.corrected, kept=taker.kept)


class _Devices:
    corrected = 0
    """A file of devices tells of movements, which are never before those that are recorded."""

    def __init__(self, connection: sqlite3.Connection, dated: Dated) -> None:
        self._checks = row_checks.DeviceRows(HomeCodes(home_codes(connection)), dated.day)
        self._day = dated.day
        self._overrule = dated.overrule
        self.kept: list[Fault] = []
        self._bulk = DeviceImport(connection, dated.recording.at_us)
        self.finish = self._bulk.flush

    def put(self, row: int, values: DeviceRow) -> Effect | list[Fault]:
        found = self._checks.found(row, values)
        if isinstance(found, list):
            return found
        known = self._bulk.known(found.device)
        said = None if known is None or self._overrule else known.imported
        if known and said and movements.without_news(found, known.standing, said):
            return self._keep(row, found, known)
        try:
            movement = movements.imported(found, known.standing if known else None, self._day)
        except UsageError as error:
            return [Fault(row, "home", found.home, str(error))]
        return self._bulk.put(found, known, movement)

    def _keep(self, row: int, found: ImportedDevice, known: KnownDevice) -> Effect:
        """Leave a device where it was moved by hand, and take what else the row says of it."""
        if (found.place, found.home) == known.standing[:2]:
            column, value = "ownership", str(found.ownership)
        else:
            column, value = ("home", found.home) if found.home else ("place", str(found.place))
            found = found._replace(device=known.with_cost_days(found.device))  # the movement by hand may have set them
        self.kept.append(Fault(row, column, value, STAYS))
        return self._bulk.put(found, known, None)


_ROWS: dict[str, Callable[[sqlite3.Connection, Dated], _Rows]] = {
    "devices": _Devices,
    "homes": home_rows,
    "people": person_rows,
}
