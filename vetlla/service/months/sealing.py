"""The seal of a closed month, and the one way in which a value is written as bytes.

The seal covers every value and the digest of every file, and the seal of the closing before. Who keeps the last seal
elsewhere can show that no closed month was exchanged or removed since.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vetlla.domain.closing import Closing


def canonical(value: Any) -> bytes:  # noqa: ANN401 - any JSON
    """Return a JSON value as bytes that depend on nothing else: keys sorted, ASCII, one line."""
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii") + b"\n"


def seal_of(closing: Closing) -> str:
    """Return the seal that a closing must have, in hexadecimal digits."""
    covered = {
        "month": closing.label,
        "version": closing.version,
        "known_us": closing.known_us,
        "by": closing.by,
        "reason": closing.reason,
        "note": closing.note,
        "program": closing.program,
        "inputs": sorted(closing.inputs),
        "files": sorted([file.role.value, file.name, file.media, file.digest] for file in closing.files),
        "before": closing.before,
    }
    return hashlib.sha256(canonical(covered)).hexdigest()
