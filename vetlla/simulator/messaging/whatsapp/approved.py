"""The templates of our texts, as if Meta had approved each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vetlla.service.reminders.texts.template import submission

if TYPE_CHECKING:
    from vetlla.service.reminders.texts.catalogue import Catalogue

USEFUL_S: Final = 43_200
"""Validity of each: the longest that Meta allows for a reminder, as docs/reminders-channels.md advises."""


def approved_templates(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return the templates of all texts, as Meta's API takes them."""
    return [
        {**submission(text, {}), "message_send_ttl_seconds": USEFUL_S} for text in catalogue.texts if text.is_template
    ]
