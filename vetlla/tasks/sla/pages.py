"""Makes the page of the service levels of a month from their figures."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from vetlla.documents.sla.page import LevelContent, level_page
from vetlla.service.parameters import shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from vetlla.documents.page import Page
    from vetlla.documents.words import Language
    from vetlla.domain.service_levels import LevelFigure
    from vetlla.service.duties.terms import DutyRules
    from vetlla.service.parameters import Value


def page_of(found: Sequence[LevelFigure], rules: DutyRules, made: date, language: Language) -> Page:
    """Return the page of the last month of some figures; the earlier months are shown by their verdicts."""
    year: dict[date, list[LevelFigure]] = {}
    for one in found:
        year.setdefault(one.month, []).append(one)
    month = max(year)
    names = {name for one in year[month] for name in one.assumed}
    entries = {name: rules.parameters.find(name, made) for name in sorted(names)}
    content = LevelContent(
        month=month,
        figures=year[month],
        year=year,
        made=made,
        zone=rules.calendar.zone,
        parameters={name: (_cell(entry.value), entry.unit) for name, entry in entries.items() if entry},
    )
    return level_page(content, language)


def _cell(value: Value) -> int | Decimal | str:
    return value if isinstance(value, int | Decimal) else shown(value)
