"""What Qmatic says when it does not do what it was asked.

Orchestra names its error in the headers ``error_code`` and ``error_message``, often with the status 500 and a body that
says nothing (qmatic/orchestra-appointment-booking reads them there). So the headers count before the body.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_MESSAGE: Final = 200
"""Most characters of Orchestra's message that an error repeats."""
LONGEST_CODE: Final = 40
"""Most characters of a code. The known ones have four."""
_NUMBER = re.compile(r"\d[\d ]{5,}")
"""A number that may be a telephone, an identity card or an id. No message repeats it."""


class Code(StrEnum):
    """The codes that public clients of Orchestra know."""

    NOT_FOUND = "E142"
    """The calendar has no such appointment."""
    TAKEN = "E440"
    """The slot was taken meanwhile."""
    QUEUE_NOT_FOUND = "8057"
    """The queue side has no such appointment."""
    USED = "8058"
    """The appointment became a visit: the citizen is there."""


GONE: Final = frozenset({Code.NOT_FOUND.value, Code.QUEUE_NOT_FOUND.value})
"""Codes that mean that the appointment no longer exists."""
NOT_FOUND: Final = 404
UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
TOO_MANY: Final = 429


class Complaint(NamedTuple):
    """An answer that is no success."""

    status: int
    code: str = ""
    """Orchestra's own code; "" if it named none."""
    message: str = ""
    """Orchestra's message, without long numbers, bounded."""

    @property
    def is_gone(self) -> bool:
        """Whether it says that the appointment does not exist."""
        return self.code in GONE or (not self.code and self.status == NOT_FOUND)

    @property
    def told(self) -> str:
        """The complaint as an error repeats it: ``HTTP 500, E142: Appointment not found``."""
        detail = ": ".join(part for part in (self.code, self.message) if part)
        return f"HTTP {self.status}, {detail}" if detail else f"HTTP {self.status}"


def complaint_of(status: int, headers: Mapping[str, str], body: bytes) -> Complaint:
    """Return what an answer complains of. The headers count before the body; a body that is not JSON says nothing."""
    named = {name.lower().replace("-", "_"): value for name, value in headers.items()}
    code, message = named.get("error_code", ""), named.get("error_message", "")
    if not code and not message:
        code, message = _in_body(body)
    return Complaint(status, code.strip()[:LONGEST_CODE], _cleaned(message))


def _in_body(body: bytes) -> tuple[str, str]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(found, dict):
        return "", ""
    code = next((found[name] for name in ("error_code", "errorCode", "code") if name in found), "")
    message = next((found[name] for name in ("error_message", "errorMessage", "message", "msg") if name in found), "")
    return (
        str(code) if isinstance(code, str | int) and not isinstance(code, bool) else "",
        message if isinstance(message, str) else "",
    )


def _cleaned(message: str) -> str:
    kept = "".join(letter if letter.isprintable() else " " for letter in message)
    return _NUMBER.sub("(number)", kept).strip()[:LONGEST_MESSAGE]
