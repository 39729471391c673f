"""Values the rented devices on a day from the registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.devices import DeviceType
from vetlla.service.budget.residual import Park, PurchaseOption, purchase
from vetlla.service.inventory.rent_lines import rent_line
from vetlla.store.homes import queries as stored_homes
from vetlla.store.inventory import queries as inventory

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from datetime import date

    from vetlla.service.parameters import Reading


def purchases(connection: sqlite3.Connection, days: Sequence[date], parameters: Reading) -> list[PurchaseOption]:
    """Return the purchase option on each day. ``connection``: a snapshot; ``parameters`` remembers what was read.

    Raises UsageError or ConfigError for a parameter that cannot be used.
    """
    made = []
    for on in days:
        reading = parameters.at(on)
        pilots = reading.names("rent.pilot_lines")
        types = [kind for kind in DeviceType if rent_line(kind) in pilots]
        park = Park(
            fleet=list(inventory.fleet(connection, on, retired=True)),
            histories=list(inventory.histories(connection, on, types=types)),
            homes=stored_homes.homes(connection, day=on),
        )
        made.append(purchase(park, on, reading))
    return made
