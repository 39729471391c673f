"""How the page of service levels says a parameter that no contract fixes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from vetlla.documents.sla.texts import decimal

if TYPE_CHECKING:
    from vetlla.documents.words import Words
    from vetlla.domain.figures import CellValue

_NO_BREAK = "\u00a0"


def footnote(name: str, value: CellValue, unit: str, words: Words) -> str:
    """Return what a parameter says. The unit of a word only lists what it may be, so it is not shown."""
    if isinstance(value, int | Decimal):
        table = words.data["words"]["unit_one" if value == 1 else "unit"]
        number, told_unit = decimal(Decimal(value), words), str(table.get(unit, unit))
        if told_unit.startswith("%"):
            told = words.with_percent(number) + told_unit[1:]
        else:
            told = f"{number}{_NO_BREAK}{told_unit}".rstrip(_NO_BREAK)
    else:
        told = words.word("option", str(value)) if value else words.text("told_none")
    return words.text("footnote", parameter=_name(name, words), value=told)


def _name(name: str, words: Words) -> str:
    """Return the words of a parameter. One of a single level or component has those of its stem, and what it is of."""
    known = words.data["words"]["parameter"]
    stem, _, of = name.rpartition(".")
    if name in known or stem not in known:
        return words.word("parameter", name)
    return f"{known[stem]} ({f'ANS {of}' if of.isdigit() else of})"
