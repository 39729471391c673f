"""SCAIP's code tables (SS 91100, CLC/TS 50134-9), for every protocol that uses them; ``0003-0010`` is a pendant.

A code is the device type ``dty`` and the status ``stc``, four digits each. Only both together say what happened.
``tables/scaip_stc.csv`` holds what a status means for every device. Where its kind is empty, the device type's kind in
``scaip_dty.csv`` counts ("manual alarm" of a smoke detector is smoke). ``scaip_pairs.csv`` holds the exceptions, and
``scaip_types.csv`` the messages whose type (``mty``) says what they are: ``PI``, ``RE`` and ``IN``.
Names and numbers come from CARU's open gateway, so they are at second hand; the standard's text was not used.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

from vetlla.domain.signals import Kind, Phase
from vetlla.protocols.codes.rows import Code, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SYSTEM: Final = "scaip"
UNKNOWN: Final = "0000"
"""Device type of a report that names none."""
MANUAL_ALARM: Final = "0010"
"""Status of a report that names none. It is SCAIP's default and fail-safe: such a report is always an alarm."""

_NO_ALARM: Final = frozenset(
    {Kind.FAULT, Kind.PATH_TROUBLE, Kind.MAINS_LOST, Kind.TAMPER, Kind.STAFF_PRESENCE, Kind.UNKNOWN}
)
"""Kinds of device types that are no alarm of a person. A person who presses a button there still wants an alarm."""


class ScaipTable:
    """The codes ``dty-stc``. ``find`` has a row for every code; an unknown code is an alarm."""

    system = SYSTEM

    def __init__(self) -> None:
        self._devices = {row["code"]: (row["name"], Kind(row["kind"])) for row in read_rows("scaip_dty.csv")}
        self._states = {
            row["code"]: (row["name"], Kind(row["kind"]) if row["kind"] else None, Phase(row["phase"]))
            for row in read_rows("scaip_stc.csv")
        }
        self._whole = {
            row["code"]: Code(row["name"], "device", Kind(row["kind"]), Phase(row["phase"]))
            for name in ("scaip_pairs.csv", "scaip_types.csv")
            for row in read_rows(name)
        }

    def find(self, code: str) -> Code:
        """Return the meaning of a code ``dty-stc``, or of the type of a message."""
        if code in self._whole:
            return self._whole[code]
        dty, _, stc = code.partition("-")
        device, kind = self._devices.get(dty, ("unknown device", Kind.GENERAL_ALARM))
        if stc not in self._states:
            return Code(f"{device}: unknown status", "device", _alarm(kind), Phase.NEW)
        name, own, phase = self._states[stc]
        if own is None:
            own = _alarm(kind) if stc == MANUAL_ALARM else kind
        return Code(f"{device}: {name}", "device", own, phase)

    def __iter__(self) -> Iterator[tuple[str, Code]]:
        for dty, stc in product(self._devices, self._states):
            yield f"{dty}-{stc}", self.find(f"{dty}-{stc}")


def spelled(dty: str, stc: str) -> str:
    """Return the code of digits as received, because devices leave leading zeros out or add one."""
    return f"{_padded(dty, 4)}-{_padded(stc, 4)}"


def location(lco: str) -> str:
    """Return the name of a location code as received; "" if the table has none."""
    return LOCATIONS.get(_padded(lco, 3), "")


def component(dco: str) -> str:
    """Return the name of a device component as received; "" if the table has none."""
    return COMPONENTS.get(_padded(dco, 3), "")


def _padded(digits: str, size: int) -> str:
    return digits.lstrip("0").rjust(size, "0")


def _alarm(kind: Kind) -> Kind:
    return Kind.GENERAL_ALARM if kind in _NO_ALARM else kind


SCAIP: Final = ScaipTable()
COMPONENTS: Final[Mapping[str, str]] = {row["code"]: row["name"] for row in read_rows("scaip_dco.csv")}
LOCATIONS: Final[Mapping[str, str]] = {row["code"]: row["name"] for row in read_rows("scaip_lco.csv")}
