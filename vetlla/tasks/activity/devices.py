"""The tables of the devices: totals, movements, digital share and renewals, from the fleet on the month's last day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.service.activity import devices
from vetlla.service.calendar import add_months
from vetlla.service.inventory.digital import digital_share
from vetlla.service.inventory.report import totals
from vetlla.store.inventory import queries as inventory
from vetlla.tasks.renewals import due_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.domain.figures import FigureTable
    from vetlla.service.parameters import Reading
    from vetlla.tasks.sla.month import MonthRecord


def device_tables(record: MonthRecord, reading: Reading) -> list[FigureTable]:
    """Return the tables of the devices; ``reading`` notes the parameters that they rest on."""
    return list(_tables(record, reading))


def _tables(record: MonthRecord, reading: Reading) -> Iterator[FigureTable]:
    fleet = list(inventory.fleet(record.connection, record.last))
    moved = inventory.moved(record.connection, record.month, record.last)
    yield devices.inventory(totals(fleet))
    yield devices.movements(moved)
    yield devices.digital(digital_share(fleet, record.homes, reading), reading.integer("digital.level_2_share"))
    due = due_on(fleet, record.homes, reading, record.last, add_months(record.last, 12))
    endings = (devices.Ending(one.due.kept.device.type, one.due.ends) for one in due)
    yield devices.renewals(moved, endings, record.last)
