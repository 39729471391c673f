"""What the machines prove of a month: supervision of terminals and UCR, and the availability that probes saw."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.clock import MINUTE_US, to_datetime
from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.domain.service_levels import GroupedBy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo

    from vetlla.domain.service_levels import LevelFigure
    from vetlla.service.probes.availability import ComponentTime

_CHECKS: Final = (
    FigureColumn("checked_kind", Form.WORD),
    FigureColumn("checked"),
    FigureColumn("supervised"),
    FigureColumn("unchecked"),
)
_SILENT: Final = (
    FigureColumn("device_name", Form.NAME),
    FigureColumn("checked_kind", Form.WORD),
    FigureColumn("home", Form.NAME),
    FigureColumn("days"),
    FigureColumn("longest_min"),
)
_AVAILABILITY: Final = (
    FigureColumn("component", Form.NAME),
    FigureColumn("judged_by", Form.NAME),
    FigureColumn("available_min"),
    FigureColumn("unavailable_min"),
    FigureColumn("unseen_min"),
    FigureColumn("available_share", Form.SHARE),
)
_OUTAGES: Final = (
    FigureColumn("component", Form.NAME),
    FigureColumn("begin", Form.MOMENT),
    FigureColumn("end", Form.MOMENT),
    FigureColumn("minutes"),
    FigureColumn("seen", Form.WORD),
    FigureColumn("noted", Form.NAME),
)


class SeenOutage(NamedTuple):
    """Time in which a component was not available, or for which a person noted something. Microseconds UTC."""

    component: str
    begin_us: int
    end_us: int
    seen: str
    """``unavailable``, or ``noted`` if no probe saw it."""
    noted: str
    """What people wrote about it."""


def checks(figure: LevelFigure) -> FigureTable:
    """Return the device-days that were supervised and checked, by kind of device, from the figures of ANS 13."""
    kinds = [one for one in figure.groups if one.by is GroupedBy.KIND]
    rows: list[tuple[str | int, ...]] = [
        (one.name, one.numerator, one.denominator, one.denominator - one.numerator) for one in kinds
    ]
    if rows:
        checked, supervised = (sum(getattr(one, name) for one in kinds) for name in ("numerator", "denominator"))
        rows.append(("total", checked, supervised, supervised - checked))
    return FigureTable(name="checks", columns=_CHECKS, rows=tuple(rows))


def silent(figure: LevelFigure) -> FigureTable:
    """Return the devices that were silent too long, those of most days first, with their longest silence.

    They are those of the breaches that the figures of ANS 13 list; ``LISTED_AT_MOST`` says how many that are.
    """
    found: dict[tuple[str, str, str], tuple[int, int]] = {}
    for one in figure.breaches:
        key = one.subject, one.what, one.home
        days, longest = found.get(key, (0, 0))
        found[key] = days + 1, max(longest, one.measured_us or 0)
    order = sorted(found, key=lambda key: (-found[key][0], -found[key][1], key))
    rows = tuple((*key, found[key][0], found[key][1] // MINUTE_US) for key in order)
    return FigureTable(name="silent", columns=_SILENT, rows=rows)


def availability(times: Mapping[int, Mapping[str, ComponentTime]]) -> FigureTable:
    """Return the time of each component by what probes saw of it; ``times`` are by the level that judges them."""
    rows = tuple(
        (
            name,
            f"ANS {ans}",
            _minutes(one.available_us),
            _minutes(one.unavailable_us),
            _minutes(one.unseen_us),
            Decimal(one.available_us) / one.total_us if one.total_us else None,
        )
        for ans, found in times.items()
        for name, one in found.items()
    )
    return FigureTable(name="availability", columns=_AVAILABILITY, rows=rows)


def outages(found: Iterable[SeenOutage], zone: tzinfo) -> FigureTable:
    """Return the outages in the order of their begin."""
    rows = tuple(
        (
            one.component,
            to_datetime(one.begin_us).astimezone(zone),
            to_datetime(one.end_us).astimezone(zone),
            _minutes(one.end_us - one.begin_us),
            one.seen,
            one.noted or None,
        )
        for one in found
    )
    return FigureTable(name="outages", columns=_OUTAGES, rows=rows)


def _minutes(length_us: int) -> Decimal:
    return (Decimal(length_us) / MINUTE_US).quantize(Decimal("0.1"))
