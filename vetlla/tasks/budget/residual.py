"""Values the rented devices on a day from the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.devices import DeviceType
from vetlla.service.budget.residual import Park, PurchaseOption, purchase, rent_span
from vetlla.service.inventory.rent_lines import rent_line
from vetlla.service.inventory.renting import is_rented_when_suspended, pilot_lines
from vetlla.service.invoice.attendance import MonthAttendance
from vetlla.service.invoice.concepts import ESSENTIAL
from vetlla.store.homes import queries as stored_homes
from vetlla.store.inventory import queries as inventory

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence
    from datetime import date

    from vetlla.domain.homes import Home
    from vetlla.service.homes.attended import DaySpan
    from vetlla.service.parameters import Reading


def purchases(connection: sqlite3.Connection, days: Sequence[date], parameters: Reading) -> list[PurchaseOption]:
    """Return the purchase option on each day. ``connection``: a snapshot; ``parameters`` remembers what was read.

    Raises UsageError or ConfigError for a parameter that cannot be used.
    """
    made = []
    for on in days:
        reading = parameters.at(on)
        pilots = pilot_lines(reading)
        types = [kind for kind in DeviceType if rent_line(kind) in pilots]
        histories = list(inventory.histories(connection, on, types=types))
        homes, attended = stored_homes.homes(connection, day=on), {}
        if not is_rented_when_suspended(reading):
            attended = _attended(connection, rent_span(histories, on), homes)
        park = Park(
            fleet=list(inventory.fleet(connection, on, retired=True)),
            histories=histories,
            homes=homes,
            attended=attended,
        )
        made.append(purchase(park, on, reading))
    return made


def _attended(connection: sqlite3.Connection, span: DaySpan, homes: Mapping[str, Home]) -> dict[str, int]:
    """Return the days of homes (bits) on which a user is attended, as the invoice counts them."""
    found = MonthAttendance(span, homes, {}, ())
    for one in stored_homes.person_spans(connection, span.first, span.last):
        found.add(*one)
    return found.days[ESSENTIAL]
