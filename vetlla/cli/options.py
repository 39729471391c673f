"""Options that many commands share, spelled once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_STATE_DIR = Path("/var/lib/vetlla")

StateDir = Annotated[
    Path,
    typer.Option("--state-dir", envvar="VETLLA_STATE_DIR", help="Where journal, registry and control socket live."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object per line, fields stable.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")]
