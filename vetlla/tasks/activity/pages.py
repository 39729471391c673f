"""Makes the page of the monthly report, and its PDF as a part of a closed month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.documents.activity.page import ActivityContent, activity_page
from vetlla.documents.pdf import pdf
from vetlla.documents.words import Language
from vetlla.domain.service_levels import LevelFigure
from vetlla.tasks.activity.gathering import month_activity
from vetlla.tasks.sla.pages import page_of

if TYPE_CHECKING:
    from datetime import date

    from vetlla.documents.page import Page
    from vetlla.service.duties.terms import DutyRules
    from vetlla.tasks.activity.gathering import MonthActivity
    from vetlla.tasks.months.sources import MonthSources


def activity_pdf(sources: MonthSources) -> bytes:
    """Return the report in Catalan as PDF, as ``vetlla month report --out FILE.pdf`` writes it.

    The same record gives the same bytes; their day is the one as of which the record is known. Raises UsageError for a
    month that is not over, and if typst is missing.
    """
    made, rules = month_activity(sources), sources.record.rules
    return pdf(page_of_activity(made, rules, Language.CA), made_on(made, rules))


def made_on(made: MonthActivity, rules: DutyRules) -> date:
    """Return the day of the report: the one as of which its record is known."""
    return rules.calendar.date_of(made.known_us)


def page_of_activity(made: MonthActivity, rules: DutyRules, language: Language) -> Page:
    """Return the page of a report in a language."""
    day = made_on(made, rules)
    earlier = [
        LevelFigure(ans=ans, month=month, parts=(), verdict=verdict)
        for month, levels in made.year.items()
        for ans, verdict in levels.items()
        if month != made.month
    ]
    content = ActivityContent(
        month=made.month,
        made=day,
        tables=made.tables,
        figures=made.figures,
        levels=page_of([*earlier, *made.figures], rules, day, language),
        share_minutes=rules.parameters.on(day).integer("umo.share_minutes", least=1),
        assumed=made.assumed,
    )
    return activity_page(content, language)
