"""A text as WhatsApp approves it: a template with numbered variables, and the limits that Meta sets.

Source of the limits: Meta, WhatsApp Business Platform, "Template components" and "Template guidelines".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from vetlla.service.reminders.texts.places import PATTERN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vetlla.service.reminders.texts.places import Place
    from vetlla.service.reminders.texts.text import Text

BODY_MAX: Final = 1024
"""Most characters of a body with its values."""
BUTTON_MAX: Final = 25
"""Most characters of a button."""
BUTTONS_MAX: Final = 10
"""Most quick-reply buttons."""
NAME: Final = re.compile(r"[a-z0-9_]{1,512}")
"""Matches the name of a template."""
_SIGNS: Final = r"[\W_]*"
_AT_START: Final = re.compile(rf"{_SIGNS}{PATTERN.pattern}")
_AT_END: Final = re.compile(rf"{PATTERN.pattern}{_SIGNS}\Z")
_NEIGHBOURS: Final = re.compile(r"\}\s*\{")


def body(text: Text) -> str:
    """Return the body with ``{{1}}``, ``{{2}}`` for the places, as it is submitted for approval.

    A place that stands twice is one variable.
    """
    numbers = {name: f"{{{{{number}}}}}" for number, name in enumerate(text.places, start=1)}
    return PATTERN.sub(lambda place: numbers[place[1]], text.text)


def submission(text: Text, examples: Mapping[Place, str]) -> dict[str, Any]:
    """Return the template as Meta's API creates it, with an example of each variable, which Meta demands."""
    values = {str(place): value for place, value in examples.items()}
    shown: dict[str, Any] = {"type": "BODY", "text": body(text)}
    if text.places:
        shown["example"] = {"body_text": [[values.get(place, place) for place in text.places]]}
    components = [shown]
    if text.buttons:
        buttons = [{"type": "QUICK_REPLY", "text": button.label} for button in text.buttons]
        components.append({"type": "BUTTONS", "buttons": buttons})
    return {"name": text.template, "language": text.language, "category": "UTILITY", "components": components}


def faults(text: Text) -> Iterator[tuple[str, str]]:
    """Yield what Meta would refuse in a template, each with its remedy."""
    if not text.template:
        yield "it has no template", 'give it a name: template = "cita_recordatori_v1"'
    elif not NAME.fullmatch(text.template):
        yield f"template name {text.template!r}", "use only a-z, 0-9 and _"
    if _AT_START.match(text.text):
        yield "it begins with a place", "put a word before it"
    if _AT_END.search(text.text):
        yield "it ends with a place", "put a word after it"
    if _NEIGHBOURS.search(text.text):
        yield "two places stand side by side", "put a word or a comma between them"
    if len(text.buttons) > BUTTONS_MAX:
        yield f"it has {len(text.buttons)} buttons", f"keep at most {BUTTONS_MAX}"
    for button in text.buttons:
        if len(button.label) > BUTTON_MAX:
            yield f"button {button.label!r} has {len(button.label)} characters", f"keep at most {BUTTON_MAX}"
    if len({button.label for button in text.buttons}) < len(text.buttons):
        yield "two buttons have the same words", "give each its own"
