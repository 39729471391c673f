"""A page as one HTML file that needs no other: its style and its charts are in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from vetlla.documents.outline import outline, sections_of
from vetlla.documents.templating import environment

if TYPE_CHECKING:
    from vetlla.documents.page import Page

_TEMPLATE: Final = "page.html"


def html(page: Page) -> str:
    """Return the page as HTML. Every text is escaped; only our own charts are markup. Raises ValueError as outline."""
    made = outline(page)
    for section in sections_of(made):
        for block in section["blocks"]:
            _mark_charts(block)
    return environment().get_template(_TEMPLATE).render(page=made)


def _mark_charts(block: dict[str, Any]) -> None:
    if block["kind"] == "chart":
        block["svg"] = Markup(block["svg"])  # noqa: S704 - svg() escapes texts
