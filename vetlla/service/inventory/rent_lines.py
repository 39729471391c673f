"""The lines by which devices are rented, one for each price (tender 20220428, section 5 and the list of section 11)."""

from __future__ import annotations

from typing import Final

from vetlla.domain.devices import DIGITAL, TERMINALS, DeviceType

ANALOG_LINE: Final = "terminal_analog"
DIGITAL_LINE: Final = "terminal_digital"
DEVICE_LINES: Final = tuple(kind for kind in DeviceType if kind not in TERMINALS and kind is not DeviceType.UCR)
"""Types that are a line of their own."""
RENT_LINES: Final = (ANALOG_LINE, DIGITAL_LINE, *(kind.value for kind in DEVICE_LINES))
"""All lines in the order of the tender; ``price.rent.LINE`` is the parameter of the price."""


def rent_line(kind: DeviceType) -> str | None:
    """Return the line of a type; None for a UCR, which has no price: 1.2 of them are in the price of a terminal."""
    if kind in TERMINALS:
        return DIGITAL_LINE if kind is DIGITAL else ANALOG_LINE
    return None if kind is DeviceType.UCR else kind.value
