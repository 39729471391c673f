"""What stays of the results of a month when a home is erased, or when the journal removes what is too old.

Each function takes the JSON value of a result, and returns the part of it that must still be the same. Whether the
record itself was changed, the digests of the inputs say.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from vetlla.service.invoice.concepts import AGENDAS, REDUCTION, REPEATED
from vetlla.service.sanctions.repeated import TOGETHER

if TYPE_CHECKING:
    from collections.abc import Collection

OF_JOURNAL: Final = frozenset({5, 6, 13})
"""The levels that are made of the signals and of the ledger of the journal, which it keeps for a limited time."""
_OF_HOMES: Final = frozenset({"base", "district"})
"""Groups that are made of facts of a home."""
_COUNTED: Final = ("units", "amount")
_REDUCED: Final = (*_COUNTED, "price", "notes")


def levels_without_homes(levels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the figures of levels without what an erasure takes from the record: homes, subjects, bases.

    An erasure keeps the days of people, so that the counts stay.
    """
    return [
        level
        | {
            "groups": [group for group in level["groups"] if group["by"] not in _OF_HOMES],
            "breached": sorted(
                json.dumps(one | {"home": "", "subject": ""}, sort_keys=True) for one in level["breached"]
            ),
        }
        for level in levels
    ]


def levels_without_aged(levels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the figures of the levels that are not made of the journal."""
    return [level for level in levels if level["ans"] not in OF_JOURNAL]


def invoice_without_homes(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines without the number of agendas, and without reductions, whose VAT is shared by the amounts.

    A revaluation replaces follow-ups of its home. One that was recorded without its home belongs to that of the person,
    whose code is gone.
    """
    left_out = {AGENDAS: _COUNTED} | dict.fromkeys(REPEATED, _REDUCED)
    return [_without(line, left_out.get(line["concept"], ())) for line in lines]


def invoice_without_aged(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines without the amount of the reduction, which may follow from the levels of the journal."""
    return [_without(line, _REDUCED) if line["concept"] == REDUCTION else line for line in lines]


def faults_without_homes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the faults without the homes of their cases."""
    return [row | {"cases": [case | {"subject": ""} for case in row["cases"]]} for row in rows]


def faults_without_aged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the faults that no level of the journal has led to."""
    # The months of all levels together, and the faults that other faults add up to, may rest on one of these levels.
    gone = {TOGETHER, *(f"ANS {ans}" for ans in OF_JOURNAL)}
    return [row for row in rows if not row["faults"] and row["about"] not in gone]


def _without(line: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name not in names}
