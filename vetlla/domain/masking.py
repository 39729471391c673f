"""Texts of other systems without the telephone numbers that they may hold."""

from __future__ import annotations

import re
from typing import Final

TELEPHONE: Final = "tel:"
"""Beginning of what stands for the account of a telephone call that named none; the caller's number follows."""
SHOWN: Final = 3
"""Last digits of a number that stay, so that an operator can recognise it beside the appointment."""
_NUMBER: Final = re.compile(r"(?<![\w.])\+?\d[\d ]{5,18}\d(?!\w)")
"""Seven digits or more, with or without a plus sign and spaces. Error codes have at most six digits."""


def masked(text: str) -> str:
    """Return the text with the last digits only of each run of seven digits or more."""
    return _NUMBER.sub(lambda found: f"…{found.group()[-SHOWN:]}", text)


def masked_phone(phone: str) -> str:
    """Return a number with its last digits only; "" for no number."""
    return f"…{phone[-SHOWN:]}" if phone else ""


def masked_account(account: str) -> str:
    """Return an account as logs and the audit show it: of a telephone number its last digits only.

    Capital letters make no difference, because some readers compare accounts in capitals.
    """
    begin, number = account[: len(TELEPHONE)], account[len(TELEPHONE) :]
    return TELEPHONE + masked_phone(number) if begin.lower() == TELEPHONE else account
