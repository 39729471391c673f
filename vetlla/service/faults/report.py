"""How many devices of each model were faulty in a time (tender 20220428, 13.1.e): faulty devices / devices."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from vetlla.service.inventory.movements import name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from vetlla.domain.devices import DeviceRecord


class ModelFaults(NamedTuple):
    """The devices of a type and model that were in homes, and how many of them had a fault."""

    type: str
    model: str
    """Empty if it is not known."""
    devices: int
    faulty: int

    @property
    def percent(self) -> Decimal | None:
        """The faulty ones in percent, to a hundredth; None without devices."""
        return (Decimal(self.faulty * 100) / self.devices).quantize(Decimal("0.01")) if self.devices else None


def by_model(fleet: Iterable[DeviceRecord], faulty: AbstractSet[str]) -> list[ModelFaults]:
    """Return the figures of each type and model; ``fleet`` has every device that counts, once.

    ``faulty`` names devices (``type:serial``). A device counts once, however many faults it had.
    """
    counts: dict[tuple[str, str], list[int]] = {}
    for kept in fleet:
        device = kept.device
        count = counts.setdefault((device.type.value, device.model), [0, 0])
        count[0] += 1
        count[1] += name(device) in faulty
    return [ModelFaults(kind, model, *count) for (kind, model), count in sorted(counts.items())]
