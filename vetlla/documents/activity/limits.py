"""What was not measured: levels without a record, sources without data, and cases that do not count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.documents.page import Listing, Section
from vetlla.documents.sla.texts import subject
from vetlla.domain.service_levels import LevelVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vetlla.documents.words import Words
    from vetlla.domain.figures import FigureTable
    from vetlla.domain.service_levels import LevelFigure

_SOURCES: Final = {"signals": "no_signals", "calls": "no_calls", "checks": "no_ledger", "availability": "no_probes"}
"""Tables that are empty if a source has nothing of the month, and the text that says it."""
_RESTING: Final = {"silent": "checks", "outages": "availability"}
"""Tables that say nothing if another one is empty: without a source, none is not the same as no case."""


def limits_section(figures: Sequence[LevelFigure], tables: Mapping[str, FigureTable], words: Words) -> Section:
    """Return the section: a reader must not take what is missing for what was kept."""
    items = tuple(_items(figures, tables, words)) or (words.text("nothing_missing"),)
    return Section(name="limits", title=words.title("limits"), blocks=(Listing(items),))


def missing_source(table: str, tables: Mapping[str, FigureTable]) -> str:
    """Return the name of the text that says which source has nothing for a table; "" if the source has something."""
    source = _RESTING.get(table, table)
    return _SOURCES.get(source, "") if not tables[source].rows else ""


def _items(figures: Sequence[LevelFigure], tables: Mapping[str, FigureTable], words: Words) -> Iterator[str]:
    for table, text in _SOURCES.items():
        if not tables[table].rows:
            yield words.text(text)
    for one in figures:
        if one.verdict is LevelVerdict.NOT_MEASURED:
            yield f"ANS {one.ans}. {subject(one.ans, words)}: {words.word('verdict', one.verdict.value)}."
    for one in figures:
        for name, count in (("cases_unmeasured", one.unmeasured), ("cases_undecided", one.undecided)):
            if count:
                yield words.text(name, ans=str(one.ans), count=words.number(count))
