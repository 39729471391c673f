"""Checks whether the reminder service runs. A running service holds its lock file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.checks.state_files import lockers
from vetlla.domain.findings import Finding, Level, of_error
from vetlla.store.reminders.opening import LOCK, REMINDERS
from vetlla.store.reminders.signing import SECRET_FILE

if TYPE_CHECKING:
    from pathlib import Path

OURS: Final = (REMINDERS, SECRET_FILE, LOCK)
"""Files of the state directory that the service must be able to use."""


def service(state_dir: Path, *, are_polled: bool) -> Finding:
    """Check whether the service runs; without it ``dispatch`` may do its work, but takes no replies."""
    try:
        holders = lockers((state_dir / LOCK).stat())
    except FileNotFoundError:
        holders = set()
    except OSError as error:
        if isinstance(error, PermissionError):
            return of_error("service", error)
        text = f"{state_dir / LOCK}: {error.strerror}"
        return Finding(check="service", level=Level.CRITICAL, text=text, remedy="is state_dir right?")
    if holders:
        return Finding(check="service", level=Level.OK, text=f"process {min(holders)} runs")
    if are_polled:
        return Finding(
            check="service",
            level=Level.WARNING,
            text="does not run; the offices are polled by dispatch, but no webhook is taken",
            remedy="systemctl start vetlla-reminders, so that replies and reports come in",
        )
    return Finding(
        check="service",
        level=Level.CRITICAL,
        text="does not run: it sends nothing, and takes no replies",
        remedy="systemctl start vetlla-reminders; journalctl -u vetlla-reminders -p err shows why it ended",
    )
