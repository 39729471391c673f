"""``--known``: a question is answered as the registry would have answered it at an earlier time."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import typer

from vetlla.cli.kit.moments import moment
from vetlla.cli.kit.registry import CLOCK
from vetlla.domain.clock import as_of

Known = Annotated[
    str,
    typer.Option(
        "--known", metavar="TIME", help="As the registry knew it at this time: ISO 8601, or 2h, 7d ago. Default: now."
    ),
]


class Asked(NamedTuple):
    """When a question is answered, in microseconds UTC."""

    now_us: int
    """The time at which clocks and verdicts are read: now, or the earlier time."""
    known_us: int | None
    """What ``snapshot`` takes: the earlier time; None without one."""


def asked(known: str) -> Asked:
    """Return when a question is answered, given the text of ``--known``. Raises UsageError for a text that is no time.

    Call it when the zone of the run is known, because a time without offset is on the clock of the service.
    """
    known_us = moment(known, CLOCK.now().utc_us) if known else None
    return Asked(as_of(CLOCK, known_us), known_us)
