"""The benches that kill receivers and brokers at random instants, run as programs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def killed(bench: str, *options: str) -> dict[str, Any]:
    """Run a bench of ``bench.killing`` that finds no fault; return its tally."""
    done = subprocess.run(
        [sys.executable, "-m", f"bench.killing.{bench}", *options, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tally: dict[str, Any] = json.loads(done.stdout)
    return tally
