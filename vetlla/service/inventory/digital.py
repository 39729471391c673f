"""Computes the share of digital terminals, and the homes that must be next (tender, 13.1.g and 13.2.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vetlla.domain.devices import DIGITAL, TERMINALS, DeviceRecord, Ownership
from vetlla.service.inventory.in_service import in_service
from vetlla.service.percent import count_for, percent_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date
    from decimal import Decimal

    from vetlla.domain.homes import Home
    from vetlla.service.parameters import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitalShare:
    """GSM-IP terminals compared with the promises of contract and offer. Shares are in % with one decimal."""

    day: date
    terminals: int
    """Terminals in homes that are in the service, active and suspended ones (13.2.c)."""
    digital: int
    offered: int
    """Digital terminals installed at no cost."""
    target: int
    """Target in % of terminals, without the offered points."""
    offered_points: int
    offered_by: date
    level_3: int
    level_3_waiting: tuple[str, ...]
    """Homes of level 3 without a GSM-IP terminal."""
    level_2: int
    level_2_digital: int
    level_2_needed: int
    level_2_next: tuple[str, ...]
    """Homes of level 2 that come next until half are digital, users who live alone first."""
    reached_by: date
    """End of the contract. By then 13.1.g demands the target, all homes of level 3 and half of level 2."""

    @property
    def share(self) -> Decimal:
        """Digital terminals in % of all terminals."""
        return percent_of(self.digital, self.terminals)

    @property
    def offered_share(self) -> Decimal:
        """Digital terminals at no cost in % of all terminals."""
        return percent_of(self.offered, self.terminals)

    @property
    def missing(self) -> int:
        """Digital terminals that are still missing for the target plus the offered points."""
        needed = count_for(self.target + self.offered_points, self.terminals)
        return max(needed - self.digital, 0)

    @property
    def kept(self) -> bool:
        """Whether everything that contract and offer demand by this day is reached."""
        offered = count_for(self.offered_points, self.terminals)
        late_offer = self.day > self.offered_by and self.offered < offered
        behind = self.missing or self.level_3_waiting or self.level_2_digital < self.level_2_needed
        return not (late_offer or (self.day >= self.reached_by and behind))


def digital_share(fleet: Iterable[DeviceRecord], homes: Mapping[str, Home], reading: Reading) -> DigitalShare:
    """Return the share on the reading's day; ``fleet`` is the fleet on that day."""
    terminals = [kept for kept in in_service(fleet, homes, reading.day) if kept.device.type in TERMINALS]
    digital = [kept for kept in terminals if kept.device.type is DIGITAL]
    have = {kept.standing.home for kept in digital}
    attended = [home for home in homes.values() if home.active_on(reading.day)]
    level_3 = [home for home in attended if home.level == 3]
    level_2 = [home for home in attended if home.level == 2]
    needed = count_for(reading.integer("digital.level_2_share"), len(level_2))
    ready = sum(home.code in have for home in level_2)
    waiting = sorted((home for home in level_2 if home.code not in have), key=lambda home: (not home.alone, home.code))
    return DigitalShare(
        day=reading.day,
        terminals=len(terminals),
        digital=len(digital),
        offered=sum(kept.standing.ownership is Ownership.OFFERED for kept in digital),
        target=reading.integer("digital.target"),
        offered_points=reading.integer("digital.offered"),
        offered_by=reading.the_date("digital.offered_by"),
        level_3=len(level_3),
        level_3_waiting=tuple(home.code for home in level_3 if home.code not in have),
        level_2=len(level_2),
        level_2_digital=ready,
        level_2_needed=needed,
        level_2_next=tuple(home.code for home in waiting[: max(needed - ready, 0)]),
        reached_by=reading.the_date("contract.end"),
    )
