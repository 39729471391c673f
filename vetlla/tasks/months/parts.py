"""What a close makes from the record of a month, and verification makes again: one entry of ``PARTS`` for each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vetlla.service.months.sealing import canonical
from vetlla.service.sla.fields import fields
from vetlla.tasks.sla.sources import figures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vetlla.tasks.sla.month import MonthRecord

SERVICE_LEVELS: Final = "service-levels.json"
JSON: Final = "application/json"
OF_JOURNAL: Final = frozenset({5, 6, 13})
"""The levels that are made of the signals and of the ledger of the journal, which it keeps for a limited time."""


class MonthPart(NamedTuple):
    """A result or a document of a month. The same record must give the same bytes on every machine."""

    media: str
    make: Callable[[MonthRecord], bytes]
    without_homes: Callable[[Any], Any] | None = None
    """From the JSON value of the result, what the erasure of a home does not change; None: nothing can change it."""
    without_aged: Callable[[Any], Any] | None = None
    """Likewise, what does not change when the journal removes what is too old."""


def service_levels(record: MonthRecord) -> bytes:
    """Return the figures of all levels, as ``vetlla sla report --json`` has them, in one list."""
    return canonical([fields(one) for one in figures(record)])


def without_homes(levels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the figures of levels without homes, subjects and bases, which an erasure takes from the record."""
    return [
        level
        | {
            "groups": [group for group in level["groups"] if group["by"] != "base"],
            "breached": sorted(
                json.dumps(one | {"home": "", "subject": ""}, sort_keys=True) for one in level["breached"]
            ),
        }
        for level in levels
    ]


def without_aged(levels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the figures of the levels that are not made of the journal."""
    return [level for level in levels if level["ans"] not in OF_JOURNAL]


PARTS: Final[Mapping[str, MonthPart]] = {SERVICE_LEVELS: MonthPart(JSON, service_levels, without_homes, without_aged)}
"""Name of the file -> how it is made."""
