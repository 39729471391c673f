"""Numbers of the listeners through which devices were heard. Devices that share one may be lost together."""

from __future__ import annotations

from vetlla.receiver.supervision.fleet import NOWHERE

LISTENERS_MAX = 255
"""One byte for each device stores the listener through which it was last heard."""


class ListenerNumbers(dict[str, int]):
    """The number of each listener by its name. A name that is new gets the next number, or NOWHERE if all are used."""

    def __init__(self) -> None:
        super().__init__({"": 0})

    def __missing__(self, name: str) -> int:
        """Return the number of a listener through which no report came before."""
        if len(self) >= LISTENERS_MAX:
            return NOWHERE
        number = self[name] = len(self)
        return number

    def label(self, number: int) -> str:
        """Return the label that all devices of a listener share; empty if they were heard through none."""
        name = list(self)[number]
        return f"listener:{name}" if name else ""
