"""Settings of ``[[spool]]``: the directories in which Asterisk's AlarmReceiver() leaves its files."""

from typing import Annotated, Literal

from pydantic import Field

from vetlla.settings.section import AbsolutePath, Section, Wait

DAYS_MOST = 3_660
"""Ten years in days. The files hold callers' numbers, and the journal keeps the same bytes."""


class Spool(Section):
    """One directory."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "spool"
    """Name of this directory in logs, metrics and signals."""
    directory: AbsolutePath
    """``eventspooldir`` of alarmreceiver.conf."""
    config: AbsolutePath | None = None
    """alarmreceiver.conf, which ``check-config`` reads and the receiver does not."""
    done: Literal["keep", "delete"] = "keep"
    """What happens to a file whose events are on the disk: it goes to the folder ``done``, or is deleted."""
    keep_days: Annotated[int, Field(ge=1, le=DAYS_MOST)] = 30
    """How long a file stays in ``done``, in whole days."""
    rescan_s: Wait = 5
    """How often the whole directory is read, for files of which the kernel told nothing."""
    settle_s: Wait = 2
    """Time without a change after which a file counts as written, if the kernel did not report that it was closed."""
