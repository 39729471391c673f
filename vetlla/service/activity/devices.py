"""The devices at the end of a month: totals, movements, the digital share, and lives that end."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.devices import DeviceType, MovementKind
from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.service.inventory.report import ALL
from vetlla.service.percent import count_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from vetlla.service.inventory.digital import DigitalShare
    from vetlla.service.inventory.report import Total

Moved = dict[tuple[MovementKind, DeviceType], int]
"""How many movements there were in the month, by kind and type of device."""
_INVENTORY: Final = (
    FigureColumn("device", Form.WORD),
    FigureColumn("ownership", Form.WORD),
    FigureColumn("in_homes"),
    FigureColumn("in_warehouse"),
    FigureColumn("all"),
)
_MOVEMENTS: Final = (
    FigureColumn("movement", Form.WORD),
    FigureColumn("device", Form.WORD),
    FigureColumn("number"),
)
_DIGITAL: Final = (
    FigureColumn("demand", Form.WORD),
    FigureColumn("have"),
    FigureColumn("of"),
    FigureColumn("have_share", Form.SHARE),
    FigureColumn("wanted_share", Form.SHARE),
    FigureColumn("missing"),
    FigureColumn("due_by", Form.DAY),
)
_RENEWALS: Final = (
    FigureColumn("device", Form.WORD),
    FigureColumn("replaced"),
    FigureColumn("beyond"),
    FigureColumn("ending"),
)
_HUNDRED: Final = Decimal(100)
_ONE_OWNER: Final = 2
"""Rows of a type that has one owner: the owner, and the sum."""


class Ending(NamedTuple):
    """A device in a home whose useful life ended, or ends in the next twelve months."""

    type: DeviceType
    ends: date


def inventory(totals: Iterable[Total]) -> FigureTable:
    """Return the devices by type and owner, and all of them. A type with several owners has a sum."""
    found = list(totals)
    owners = Counter(one.type for one in found)
    rows = tuple(
        (
            "total" if one.type == one.ownership == ALL else one.type,
            "" if one.type == one.ownership == ALL else one.ownership,
            one.in_homes,
            one.in_warehouse,
            one.total,
        )
        for one in found
        if one.ownership != ALL or one.type == ALL or owners[one.type] > _ONE_OWNER
    )
    return FigureTable(name="inventory", columns=_INVENTORY, rows=rows)


def movements(moved: Moved) -> FigureTable:
    """Return how often each thing happened to devices of each type."""
    kinds, types = list(MovementKind), list(DeviceType)
    order = sorted(moved, key=lambda key: (kinds.index(key[0]), types.index(key[1])))
    rows = tuple((kind.value, device.value, moved[kind, device]) for kind, device in order)
    return FigureTable(name="movements", columns=_MOVEMENTS, rows=rows)


def digital(share: DigitalShare, level_2_share: int) -> FigureTable:
    """Return what contract and offer demand of GSM-IP terminals, and what there is; ``level_2_share`` is percent."""
    target = share.target + share.offered_points
    ready = share.level_3 - len(share.level_3_waiting)
    rows = [
        _demand("terminals", (share.digital, share.terminals), target, share.missing, share.reached_by),
        _demand(
            "offered",
            (share.offered, share.terminals),
            share.offered_points,
            max(count_for(share.offered_points, share.terminals) - share.offered, 0),
            share.offered_by,
        ),
        _demand("level_3", (ready, share.level_3), 100, len(share.level_3_waiting), share.reached_by),
        _demand(
            "level_2",
            (share.level_2_digital, share.level_2),
            level_2_share,
            max(share.level_2_needed - share.level_2_digital, 0),
            share.reached_by,
        ),
    ]
    return FigureTable(name="digital", columns=_DIGITAL, rows=tuple(rows))


def _demand(
    name: str, counts: tuple[int, int], wanted: int, missing: int, by: date
) -> tuple[str | int | Decimal | date | None, ...]:
    have, of = counts
    return name, have, of, Decimal(have) / of if of else None, Decimal(wanted) / _HUNDRED, missing, by


def renewals(moved: Mapping[tuple[MovementKind, DeviceType], int], endings: Iterable[Ending], day: date) -> FigureTable:
    """Return by type: devices that replaced another one in the month, and lives that ended by a day or end later."""
    beyond: Counter[DeviceType] = Counter()
    ending: Counter[DeviceType] = Counter()
    for one in endings:
        (beyond if one.ends <= day else ending)[one.type] += 1
    replaced = {kind: moved.get((MovementKind.REPLACES, kind), 0) for kind in DeviceType}
    rows: list[tuple[str | int, ...]] = [
        (kind.value, replaced[kind], beyond[kind], ending[kind])
        for kind in DeviceType
        if replaced[kind] or beyond[kind] or ending[kind]
    ]
    if rows:
        rows.append(("total", sum(replaced.values()), sum(beyond.values()), sum(ending.values())))
    return FigureTable(name="renewals", columns=_RENEWALS, rows=tuple(rows))
