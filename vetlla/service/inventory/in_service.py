"""Finds the devices that count for the contract: those in homes that are in the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.devices import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from vetlla.domain.devices import DeviceRecord
    from vetlla.domain.homes import Home


def in_service(fleet: Iterable[DeviceRecord], homes: Mapping[str, Home], day: date) -> Iterator[DeviceRecord]:
    """Yield the devices in homes that are active or suspended on a day (tender, 13.2.c).

    The equipment of a home that left is still in it until it is recovered, but it counts for nothing any more.
    """
    for kept in fleet:
        if kept.standing.place is Place.HOME:
            home = homes.get(kept.standing.home)
            if home is not None and home.active_on(day):
                yield kept
