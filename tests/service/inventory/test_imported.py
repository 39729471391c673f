"""The movement that a row of an import tells of: its kind, its day, and when it is refused."""

from __future__ import annotations

from datetime import date

import pytest

from vetlla.domain.devices import Device, DeviceType, ImportedDevice, MovementKind, Ownership, Place, Standing
from vetlla.domain.errors import UsageError
from vetlla.service.inventory.movements import imported

FIRST, LAST, TODAY = date(2025, 1, 7), date(2025, 6, 2), date(2026, 3, 9)
AT_HOME = Standing(Place.HOME, "H1", Ownership.LEASED, LAST)
IN_STORE = Standing(Place.WAREHOUSE, "", Ownership.LEASED, LAST)


def row(
    place: Place, home: str = "", *, ownership: Ownership = Ownership.LEASED, moved: date | None = None
) -> ImportedDevice:
    return ImportedDevice(
        device=Device(type=DeviceType.SMOKE, serial="S1"),
        place=place,
        home=home,
        ownership=ownership,
        since=moved or FIRST,
        moved=moved,
        last_battery=None,
        last_maintenance=None,
    )


@pytest.mark.parametrize(
    ("before", "found", "kind", "day"),
    [
        (None, row(Place.HOME, "H1"), MovementKind.INSTALLED, FIRST),
        (None, row(Place.WAREHOUSE), MovementKind.RECEIVED, FIRST),
        (None, row(Place.RETIRED), MovementKind.RETIRED, FIRST),
        (AT_HOME, row(Place.HOME, "H2"), MovementKind.MOVED, TODAY),
        (AT_HOME, row(Place.WAREHOUSE), MovementKind.REMOVED, TODAY),
        (AT_HOME, row(Place.RETIRED), MovementKind.RETIRED, TODAY),
        (IN_STORE, row(Place.HOME, "H1"), MovementKind.INSTALLED, TODAY),
        (AT_HOME, row(Place.HOME, "H1", ownership=Ownership.MUNICIPAL), MovementKind.TRANSFERRED, TODAY),
        (AT_HOME, row(Place.HOME, "H2", moved=date(2025, 7, 1)), MovementKind.MOVED, date(2025, 7, 1)),
        (AT_HOME, row(Place.HOME, "H2", moved=LAST), MovementKind.MOVED, TODAY),
        (AT_HOME, row(Place.HOME, "H2", moved=date(2027, 1, 1)), MovementKind.MOVED, TODAY),
    ],
)
def test_a_movement_has_its_kind_and_its_day(
    before: Standing | None, found: ImportedDevice, kind: MovementKind, day: date
) -> None:
    """The file's day counts if it lies after the last movement and not after the import."""
    movement = imported(found, before, TODAY)
    assert movement is not None
    assert (movement.kind, movement.day, movement.note) == (kind, day, "import")
    assert (movement.place, movement.home, movement.ownership) == (found.place, found.home, found.ownership)


def test_a_device_that_stays_has_no_movement() -> None:
    """Importing the same state again adds nothing, on an earlier day too."""
    assert imported(row(Place.HOME, "H1"), AT_HOME, FIRST) is None


def test_history_is_not_changed_by_an_import_of_an_earlier_day() -> None:
    """A movement of a later day refuses the row."""
    with pytest.raises(UsageError, match="last moved on 2025-06-02, after the import's day 2025-01-07"):
        imported(row(Place.WAREHOUSE), AT_HOME, FIRST)
