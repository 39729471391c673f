"""Which reports of terminals are faults of equipment: a trouble that a device reports and that lasts long enough.

A table in the parameters says for each sort of trouble after how many minutes it is a fault
(``fault.after.battery``); a sort that the table leaves out never is. Nothing here reads a clock or a store.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import MINUTE_US
from vetlla.domain.signals import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from vetlla.service.parameters import Parameters, Reading


class FaultCode(StrEnum):
    """Sorts of faults."""

    BATTERY = "battery"
    MAINS = "mains"
    LOST = "lost"
    """The terminal no longer hears a device of the home."""
    NO_TEST = "no_test"
    """The terminal itself is silent: supervision has lost it."""
    TAMPER = "tamper"
    PATH = "path"
    JAMMING = "jamming"
    BROKEN = "broken"
    OTHER = "other"


CODES: Final = {
    Kind.BATTERY_LOW: FaultCode.BATTERY,
    Kind.MAINS_LOST: FaultCode.MAINS,
    Kind.DEVICE_LOST: FaultCode.LOST,
    Kind.TAMPER: FaultCode.TAMPER,
    Kind.PATH_TROUBLE: FaultCode.PATH,
    Kind.JAMMING: FaultCode.JAMMING,
    Kind.FAULT: FaultCode.BROKEN,
}
"""The sort of fault that a kind of report tells of. Supervision tells of ``no_test``."""


class TroubleKey(NamedTuple):
    """What has a trouble: one account on one receiver and line, and a device of it."""

    receiver: str
    line: str
    account: str
    device: str
    """Zone, UCR or transmitter as the terminal names it; empty for the terminal itself."""
    code: FaultCode


class TroubleReport(NamedTuple):
    """One report about a trouble; times are microseconds UTC."""

    key: TroubleKey
    at_us: int
    is_over: bool
    """Whether it says that the trouble is over."""
    home: str
    """Code of the home as the receiver knew it; empty if it knew none."""
    alarm: int | None


class Trouble(NamedTuple):
    """A report whose trouble lasted long enough to be a fault, unless a fault covers it already."""

    report: TroubleReport
    fault_us: int
    """When it was a fault: the minutes of the table after the report."""
    over_us: int | None
    """When the trouble was over; None if it lasts."""


class KnownFault(NamedTuple):
    """A fault on record; ``ended_us`` is None while it is open."""

    opened_us: int
    ended_us: int | None


def minutes_of(values: Reading, parameters: Parameters) -> dict[FaultCode, int]:
    """Return after how many minutes each sort of trouble is a fault. Raises UsageError for a value that is none."""
    names = frozenset(parameters.names())
    return {code: values.integer(name) for code in FaultCode if (name := f"fault.after.{code}") in names}


def troubles(reports: Iterable[TroubleReport], after: Mapping[FaultCode, int], now_us: int) -> list[Trouble]:
    """Return the troubles that are faults, in the order in which they became that.

    Every report of a lasting trouble is returned, because a fault may have been solved between two of them;
    ``is_covered`` leaves out those that a fault covers.
    """
    by_key: dict[TroubleKey, list[TroubleReport]] = {}
    for report in reports:
        if report.key.code in after:
            by_key.setdefault(report.key, []).append(report)
    found = [one for timeline in by_key.values() for one in _of_timeline(timeline, after, now_us)]
    return sorted(found, key=lambda one: (one.fault_us, one.report.key, one.report.at_us))


def is_covered(one: Trouble, known: Sequence[KnownFault]) -> bool:
    """Return True if a fault of the same device and sort stands for a trouble.

    It does if it was opened before the trouble was over, and if it was not solved before the report came. A fault that
    is still open covers a new trouble, too: the technician who solves it sees both.
    """
    return any(
        (one.over_us is None or fault.opened_us <= one.over_us)
        and (fault.ended_us is None or fault.ended_us >= one.report.at_us)
        for fault in known
    )


def _of_timeline(reports: Iterable[TroubleReport], after: Mapping[FaultCode, int], now_us: int) -> Iterator[Trouble]:
    """Yield the troubles of one device and sort."""
    ordered = sorted(reports, key=lambda report: (report.at_us, report.is_over))
    for place, report in enumerate(ordered):
        if report.is_over:
            continue
        over = next((later.at_us for later in ordered[place + 1 :] if later.is_over), None)
        fault_us = report.at_us + after[report.key.code] * MINUTE_US
        if fault_us <= (now_us if over is None else over):
            yield Trouble(report, fault_us, over)
