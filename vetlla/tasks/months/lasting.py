"""What stays of the results of a month when a home is erased, or when the journal removes what is too old.

Each function takes the JSON value of a result, and returns the part of it that must still be the same. Whether the
record itself was changed, the digests of the inputs say.
"""

from __future__ import annotations

import json
from typing import Any, Final

from vetlla.service.invoice.concepts import REDUCTION, REPEATED, UMO
from vetlla.service.sanctions.repeated import TOGETHER

OF_JOURNAL: Final = frozenset({5, 6, 13})
"""The levels that are made of the signals and of the ledger of the journal, which it keeps for a limited time."""
OF_PEOPLE: Final = frozenset({20})
"""The levels that count the people who were in the service."""
_HOMES_AND_PEOPLE: Final = ("units", "amount", "notes")
_REDUCED: Final = (*_HOMES_AND_PEOPLE, "price")


def levels_without_homes(levels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the figures of levels without what an erasure takes from the record: homes, subjects, bases, people."""
    return [
        level
        | {
            "groups": [group for group in level["groups"] if group["by"] != "base"],
            "breached": sorted(
                json.dumps(one | {"home": "", "subject": ""}, sort_keys=True) for one in level["breached"]
            ),
        }
        for level in levels
        if level["ans"] not in OF_PEOPLE
    ]


def levels_without_aged(levels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the figures of the levels that are not made of the journal."""
    return [level for level in levels if level["ans"] not in OF_JOURNAL]


def invoice_without_homes(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines without what is counted of people and their homes: all but the emergencies."""
    return [line if line["concept"] == UMO else _without(line) for line in lines]


def invoice_without_aged(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines without the amount of the reduction, which may follow from the levels of the journal."""
    return [_without(line) if line["concept"] == REDUCTION else line for line in lines]


def faults_without_homes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the faults without the homes of their cases, and without those that a level of people has led to."""
    kept = _without_levels(rows, OF_PEOPLE)
    return [row | {"cases": [case | {"subject": ""} for case in row["cases"]]} for row in kept]


def faults_without_aged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the faults that no level of the journal has led to."""
    return _without_levels(rows, OF_JOURNAL)


def _without(line: dict[str, Any]) -> dict[str, Any]:
    left_out = _REDUCED if line["concept"] in REPEATED else _HOMES_AND_PEOPLE
    return {name: value for name, value in line.items() if name not in left_out}


def _without_levels(rows: list[dict[str, Any]], levels: frozenset[int]) -> list[dict[str, Any]]:
    """Return the faults that some levels cannot have led to.

    The months of all levels together, and the faults that other faults add up to, may rest on one of them.
    """
    gone = {TOGETHER, *(f"ANS {ans}" for ans in levels)}
    return [row for row in rows if not row["faults"] and row["about"] not in gone]
