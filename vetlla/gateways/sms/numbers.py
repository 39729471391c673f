"""Telephone numbers as SMS gateways write them: with or without the plus sign, or with 00."""

from __future__ import annotations

import re
from typing import Final

from vetlla.gateways.contracts import RefusedError

_E164: Final = re.compile(r"\+[1-9][0-9]{5,14}")
_FOREIGN: Final = re.compile(r"(?:\+|00)?([1-9][0-9]{7,14})")
"""At least eight digits: shorter senders are services, which read no answer."""


def recipient(phone: str) -> str:
    """Return the number of a message as E.164. Raises RefusedError for one that cannot be sent to."""
    if not _E164.fullmatch(phone):
        raise RefusedError("the telephone number of the message is none: it must be like +34600000001")
    return phone


def sender(given: str, country: str = "34") -> str:
    """Return the number of a citizen as E.164; "" for a short number or a name, which cannot be answered.

    A number of nine digits without a country is of ``country``.
    """
    found = _FOREIGN.fullmatch(given.strip())
    if not found:
        return ""
    digits = found.group(1)
    is_national = given.strip()[:1] not in {"+", "0"} and len(digits) == 9
    return f"+{country}{digits}" if is_national else f"+{digits}"
