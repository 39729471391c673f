"""The bounds of supervision's parts. A test gives smaller ones to reach them quickly."""

from __future__ import annotations

from typing import NamedTuple

from vetlla.receiver.supervision.enrolment import AT_ONCE, UCRS_MAX
from vetlla.receiver.supervision.records import EVERY_S, ROWS_PER_BATCH, STRETCHES_PER_BATCH


class SupervisionBounds(NamedTuple):
    """The bounds of supervision. Each constant tells its unit and its reason."""

    every_s: float = EVERY_S
    rows: int = ROWS_PER_BATCH
    stretches: int = STRETCHES_PER_BATCH
    at_once: int = AT_ONCE
    ucrs_max: int = UCRS_MAX
