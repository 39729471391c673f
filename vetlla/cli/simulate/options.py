"""The options that both commands of ``vetlla simulate`` have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vetlla.cli.kit.moments import duration
from vetlla.cli.simulate.callers import HOMES

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
