"""Compares the record of a closed month as it is known now with what it was when the month was closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.month_findings import FindingKind, MonthFinding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vetlla.domain.closing import ClosedInput


class Excuses(NamedTuple):
    """What may have changed the record since without a change by hand."""

    erased_homes: int = 0
    """Homes that were erased since, as the audit of the journal says."""
    pruned: bool = False
    """Whether the journal removed signals, or parts of them, by age."""
    ledger_from: str = ""
    """The first day that the ledger of supervision has: the journal keeps it for a number of months."""
    devices_corrected: bool = False
    """Whether devices were described otherwise since: the registry keeps no earlier account or serial of a device."""

    aged: bool = False
    """Whether the journal has removed signals or days of the month because they were too old."""

    @property
    def hide_homes(self) -> bool:
        """Whether homes may be missing from results that are made again."""
        return self.erased_homes > 0 or self.devices_corrected


def compare_inputs(
    kept: Iterable[ClosedInput], found: Iterable[ClosedInput], excuses: Excuses
) -> Iterator[MonthFinding]:
    """Yield each part of the record that differs, by name."""
    before, after = {one.name: one for one in kept}, {one.name: one for one in found}
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if one != other:
            yield _differing(name, one.rows if one else 0, other.rows if other else 0, excuses)


def _differing(name: str, before: int, after: int, excuses: Excuses) -> MonthFinding:
    if after > before:
        text = f"{_rows(after - before)} more than when the month was closed, recorded as if before"
    elif after < before:
        text = f"{_rows(before - after)} fewer than when the month was closed"
    else:
        text = f"its {_rows(after)} are not those that were known when the month was closed"
    why = _explanation(name, before, after, excuses)
    return MonthFinding(FindingKind.INPUT, name, f"{text}: {why}" if why else text, bool(why))


def _explanation(name: str, before: int, after: int, excuses: Excuses) -> str:
    match name:
        case "people" if after < before and excuses.erased_homes:
            return f"{excuses.erased_homes} erasures of homes since removed the facts of their people"
        case "signals" if after < before and excuses.pruned:
            return "the journal has removed signals by age since"
        case _ if after == 0 and name.startswith("ledger.") and name.removeprefix("ledger.") < excuses.ledger_from:
            return "the journal keeps the ledger of supervision for a limited time"
        case "devices" if after == before:
            return "an import corrected devices since, and the registry keeps no earlier description"
        case _:
            return ""


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"
