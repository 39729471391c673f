"""``vetlla reminders demo``, which ``make reminders`` starts: a reminder comes, is answered, and the place is freed."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from tests.rigs.daemon import PATIENCE_S, VETLLA

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def played(directory: Path, typed: Sequence[str], *options: str) -> str:
    """Return what the demo shows for some typed lines."""
    done = subprocess.run(
        [VETLLA, "reminders", "demo", *options],
        input="\n".join(typed) + "\n",
        env={**os.environ, "TMPDIR": str(directory), "TZ": "UTC"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not list(directory.iterdir())
    return done.stdout


def test_two_citizens_are_reminded_and_one_cancels_in_her_own_words(tmp_path: Path) -> None:
    out = played(tmp_path, ["/wait", "al final no puc venir", "/wait", "/quit"])
    assert "Us recordem que teniu cita" in out
    assert "[2] Anul·lar la cita" in out
    assert "Hem anul·lat la cita" in out
    first, second = out.splitlines()[-2:]
    assert first.startswith("+34600000001: OMAC")
    assert first.endswith("cancelled in the queue system")
    assert second.endswith("created in the queue system")


def test_the_directory_can_be_kept_with_its_log_and_settings(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    (tmp_path / "other").mkdir()
    played(tmp_path / "other", ["/quit"], "--state-dir", str(kept))
    assert {"reminders.db", "reminders.log", "reminders.toml"} <= {one.name for one in kept.iterdir()}
    assert '"event": "reminders.stopped"' in (kept / "reminders.log").read_text(encoding="utf-8")
    secrets = [one for one in kept.iterdir() if one.name.endswith(("token", "secret", "password"))]
    assert {one.stat().st_mode & 0o777 for one in secrets} == {0o600}
