"""The emergencies that wait, as the receiver reads them from ``registry.db`` (``ports.EmergencyReader``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.store.dispatch.emergencies import waiting
from vetlla.store.registry.registry import reading, stamp

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from pathlib import Path

    from vetlla.domain.clock import Clock
    from vetlla.domain.emergencies import WaitingEmergency

PATIENCE_S: Final = 2.0
"""How long a read waits for a commit. The next look comes some seconds later, so there is no need to wait for long."""


class RegistryEmergencies:
    """The emergencies in the registry of a state directory."""

    def __init__(self, state_dir: Path, clock: Clock) -> None:
        self._state_dir = state_dir
        self._clock = clock

    def stamp(self) -> Hashable:
        """Return what changes whenever the registry changes; None while there is none. Costs one stat()."""
        return stamp(self._state_dir)

    def read(self) -> Sequence[WaitingEmergency]:
        """Return the emergencies to which no unit has got in yet. Blocks. Raises StoreError."""
        with reading(self._state_dir, self._clock, patience_s=PATIENCE_S) as connection:
            return waiting(connection)
