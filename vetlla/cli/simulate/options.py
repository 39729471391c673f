"""The options that commands of ``vetlla simulate`` share."""

from __future__ import annotations

import random
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from vetlla.cli.kit.moments import duration
from vetlla.cli.kit.options import DEFAULT_STATE_DIR, AsJson, StateDir
from vetlla.cli.simulate.callers import HOMES
from vetlla.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from vetlla.simulator.scenario import Outage

RATE = 10.0
DURATION_S = 10.0
SEEDS = 1_000_000
"""Bound of random seeds, so that they are short enough to type again."""
LOST = 1
"""Exit status if a report was not acknowledged."""
MIX = "alarms=5,technical=5,tests=30,heartbeats=60"

Homes = Annotated[int | None, typer.Option(min=1, help=f"How many homes; default {HOMES}, or all of --accounts.")]
AccountsFile = Annotated[
    Path | None, typer.Option(readable=False, help="Simulate the homes of this file (columns of `accounts import`).")
]
Rate = Annotated[
    float | None,
    typer.Option(min=0.001, help=f"Reports per second over all homes, answered or not; default {RATE:g}."),
]
DurationS = Annotated[
    float | None,
    duration(
        "--duration",
        help=f"How long to send. Default: {DURATION_S:.0f}s, counted from the end of an outage.",
        least_s=0.1,
    ),
]
Reports = Annotated[int | None, typer.Option(min=1, help="Stop after this many reports, instead of --duration.")]
MixText = Annotated[
    str,
    typer.Option(
        show_default=False,
        help="Weights of reports; default alarms=5, technical=5, tests=30, heartbeats=60, without blanks.",
    ),
]
Attempts = Annotated[int, typer.Option(min=1, help="Times a home sends a report before it gives up.")]
LedgerFile = Annotated[
    Path | None, typer.Option(readable=False, help="Write every report and its result here, as NDJSON.")
]
Seed = Annotated[int | None, typer.Option(help="Repeat the run with this seed: same reports, same faults.")]


def chosen_seed(given: int | None) -> int:
    """Return the given seed, or a random one."""
    return random.randrange(SEEDS) if given is None else given  # noqa: S311 - a simulation, not a secret


class Calling(NamedTuple):
    """Options that say which homes report, and how often."""

    homes: Homes = None
    accounts: AccountsFile = None
    rate: Rate = None


class Ending(NamedTuple):
    """Options that say when a run ends."""

    duration_s: DurationS = None
    reports: Reports = None

    def after_s(self, outage: Outage | None) -> float | None:
        """Return the seconds after which a run with this outage ends; None if only the number of reports ends it."""
        if self.duration_s or self.reports:
            return self.duration_s
        return DURATION_S + (outage.end_s if outage else 0)


class Recording(NamedTuple):
    """Options that say how a run is repeated and recorded."""

    ledger: LedgerFile = None
    seed: Seed = None
    state_dir: StateDir = DEFAULT_STATE_DIR
    as_json: AsJson = False

    def chosen_seed(self) -> int:
        """Return the given seed, or a random one."""
        return chosen_seed(self.seed)

    @contextmanager
    def opened_ledger(self) -> Iterator[TextIO | None]:
        """Yield the ledger, open to be written; None if no ledger is wanted. Raises UsageError."""
        if self.ledger is None:
            yield None
            return
        try:
            out = self.ledger.open("w", encoding="ascii")
        except OSError as error:
            raise UsageError(f"{self.ledger}: {error.strerror}", remedy="name a file that can be written") from error
        with out:
            yield out
