"""Compares the record of a closed month as it is known now with what it was when the month was closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.domain.closing import InputName
from vetlla.domain.month_findings import FindingKind, MonthFinding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vetlla.domain.closing import ClosedInput


class Removals(NamedTuple):
    """What was removed from the record since a close, as the journal says. It explains what is missing."""

    erased_homes: int = 0
    """Erasures of homes, as the audit says."""
    aged_signals: bool = False
    """Whether signals, or parts of them, were removed by age, as the audit says."""
    ledger_from: str = ""
    """The first day that the ledger of supervision has: the journal keeps it for a number of months."""


class Missing(NamedTuple):
    """What may be missing from results that are made again, because of what was found about the record."""

    homes: bool
    """The homes of cases, the codes of people, and so also the bases of cases about people."""
    journal: bool
    """What is made of signals, or of days of the ledger of supervision."""


def missing(removals: Removals, differing: Sequence[MonthFinding]) -> Missing:
    """Return what may be missing from results; ``differing`` are the parts of the record that differ."""
    explained = [one.subject for one in differing if one.is_explained]
    return Missing(
        homes=removals.erased_homes > 0 or InputName.DEVICES in explained,
        journal=any(name.startswith((InputName.SIGNALS, InputName.LEDGER)) for name in explained),
    )


def compare_inputs(
    kept: Iterable[ClosedInput], found: Iterable[ClosedInput], removals: Removals
) -> Iterator[MonthFinding]:
    """Yield each part of the record that differs, by name."""
    before, after = {one.name: one for one in kept}, {one.name: one for one in found}
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        if one != other:
            yield _differing(name, one.rows if one else 0, other.rows if other else 0, removals)


def _differing(name: str, before: int, after: int, removals: Removals) -> MonthFinding:
    if after > before:
        text = f"{_rows(after - before)} more than when the month was closed, recorded as if before"
    elif after < before:
        text = f"{_rows(before - after)} fewer than when the month was closed"
    else:
        text = f"its {_rows(after)} are not those that were known when the month was closed"
    why = _explanation(name, before, after, removals)
    return MonthFinding(FindingKind.INPUT, name, f"{text}: {why}" if why else text, bool(why))


def _explanation(name: str, before: int, after: int, removals: Removals) -> str:
    match name:
        case InputName.SIGNALS if after < before and removals.aged_signals:
            return "the journal has removed signals by age since"
        case InputName.DEVICES if after == before:
            return "an import corrected devices since, and the registry keeps no earlier description"
        case _ if after == 0 and name.startswith(InputName.LEDGER) and _day_of(name) < removals.ledger_from:
            return "the journal keeps the ledger of supervision for a limited time"
        case _:
            return ""


def _day_of(name: str) -> str:
    return name.removeprefix(InputName.LEDGER)


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"
