"""The figures of a level by base, priority, component and the like, and the time lost on each day."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from vetlla.documents.charts.columns import Series
from vetlla.documents.charts.columns import columns as drawn_columns
from vetlla.documents.page import TableBlock
from vetlla.documents.sla.texts import counted, of_time, share_text
from vetlla.domain.clock import MINUTE_US
from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.domain.service_levels import GroupedBy, PartName

if TYPE_CHECKING:
    from vetlla.documents.page import Block
    from vetlla.documents.words import Words
    from vetlla.domain.figures import CellValue
    from vetlla.domain.service_levels import LevelFigure, LevelGroup

_IN_A_CHART: Final = frozenset({GroupedBy.DAY, GroupedBy.HOUR})
"""Groups that a table would list one by one without telling more."""
_OF_ONE: Final = frozenset({GroupedBy.LEFT_OUT, GroupedBy.COMPONENT, GroupedBy.UNSEEN})
"""Groups that tell something even if there is only one name. Of others it is the level itself."""
_APART: Final = frozenset({GroupedBy.LEFT_OUT, GroupedBy.UNSEEN})
"""Groups of what keeps no level, so that they have no share."""
_WORDS: Final = {
    GroupedBy.KIND: "what",
    GroupedBy.SOURCE: "came",
    GroupedBy.PRIORITY: "priority",
    GroupedBy.LEFT_OUT: "left_out",
    GroupedBy.DISTRICT: "district",
}
"""Groups whose names are words of ours -> where their words are. All other names stay as they are."""
_COLUMNS: Final = (
    FigureColumn("by", Form.WORD),
    FigureColumn("group", Form.NAME),
    FigureColumn("numerator"),
    FigureColumn("denominator"),
    FigureColumn("share"),
)
_OF_COMPLAINTS: Final = (
    FigureColumn("by", Form.WORD),
    FigureColumn("group", Form.NAME),
    FigureColumn("pertinent"),
    FigureColumn("received"),
)
"""Groups of ANS 20: its own denominator, the active users, has no districts and topics."""


def group_table(one: LevelFigure, words: Words) -> list[Block]:
    """Return the counts of each group; nothing if no group tells more than the level itself."""
    sizes = {by: sum(group.by is by for group in one.groups) for by in GroupedBy}
    shown = [group for group in one.groups if group.by not in _IN_A_CHART and (sizes[group.by] > 1 or _tells(group))]
    if not shown:
        return []
    is_of_complaints = any(part.name is PartName.PERTINENT for part in one.parts)
    columns = _OF_COMPLAINTS if is_of_complaints else _COLUMNS
    rows = tuple(_row(one, group, words)[: len(columns)] for group in shown)
    return [TableBlock(table=FigureTable(name="groups", columns=columns, rows=rows))]


def _tells(group: LevelGroup) -> bool:
    return group.by in _OF_ONE and (group.by is not GroupedBy.UNSEEN or group.numerator > 0)


def _row(one: LevelFigure, group: LevelGroup, words: Words) -> tuple[CellValue, ...]:
    is_apart = group.by in _APART
    numerator = None if group.by is GroupedBy.LEFT_OUT else counted(one, group.numerator, words)
    share = None if is_apart else share_text(group.numerator, group.denominator, words)
    return (group.by.value, name_of(group, words), numerator, counted(one, group.denominator, words), share)


def name_of(group: LevelGroup, words: Words) -> str:
    """Return the name of a group as people say it."""
    if not group.name:
        return words.text("no_name")
    return words.word(_WORDS[group.by], group.name) if group.by in _WORDS else group.name


def days_chart(one: LevelFigure, words: Words) -> list[Block]:
    """Return the minutes of each day that were not available, for a level of time; nothing if there was none."""
    days = [group for group in one.groups if group.by is GroupedBy.DAY]
    if not of_time(one) or all(day.numerator == day.denominator for day in days):
        return []
    # A part of a minute is a minute, so that no outage disappears.
    lost = [-(-(day.denominator - day.numerator) // MINUTE_US) for day in days]
    names = [str(date.fromisoformat(day.name).day) for day in days]
    title = words.text("chart_days", ans=str(one.ans))
    return [drawn_columns(title, names, [Series(words.text("minutes_lost"), lost)], words.number)]
