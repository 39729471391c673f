"""How WhatsApp names a person: by telephone number, or by an id that is the same for one business only.

Since 2026 a person who takes a user name hides the number. Then Meta's webhooks have the business-scoped user id
(BSUID) alone, at times in the places where the number was.
"""

from __future__ import annotations

import re
from typing import Any, Final

PERSON: Final = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
"""A BSUID, or with ``ENT`` the id for a group of businesses (Meta, "Business-scoped user IDs", 2026)."""
_DIGITS: Final = re.compile(r"\+?([1-9][0-9]{5,14})")
"""A number with its country, as WhatsApp writes it: without the plus sign."""


def phone_of(*given: Any) -> str:  # noqa: ANN401 - whatever a webhook holds
    """Return the first value that is a number, as E.164; "" if none is."""
    for one in given:
        found = _DIGITS.fullmatch(one.strip()) if isinstance(one, str) else None
        if found:
            return f"+{found.group(1)}"
    return ""


def person_of(*given: Any) -> str:  # noqa: ANN401 - whatever a webhook holds
    """Return the first value that is a person's id; "" if none is."""
    return next((one.strip() for one in given if isinstance(one, str) and PERSON.fullmatch(one.strip())), "")
