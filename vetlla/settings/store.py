"""Settings of the journal."""

from math import ceil
from typing import Any

from pydantic import Field, model_validator

from vetlla.settings.section import Count, Mebibytes, Seconds, Section, Wait


def _recover_above(data: dict[str, Any]) -> int:
    min_free_mib: int = data["min_free_mib"]
    return ceil(1.25 * min_free_mib)


class StoreSettings(Section):
    """Settings of the journal."""

    min_free_mib: Mebibytes = 512
    """Free disk below which no new report is acknowledged: devices retry or use their second receiver."""
    recover_free_mib: Mebibytes = Field(default_factory=_recover_above)
    """Free disk above which reports are acknowledged again; default 1.25 times ``min_free_mib``."""
    checkpoint_pages: Count = 1_000
    """Pages of write-ahead log after which the writer copies it into the database."""
    duplicate_window_s: Seconds = 900
    """How long a repetition is recognised (devices retry for minutes)."""
    duplicate_window_max: Count = 1_000_000
    """Most reports that are remembered for this purpose."""
    retry_s: Wait = 1.0
    """Pause before a failed commit is tried again."""
    stall_s: Wait = 5.0
    """Time without an answer from the disk after which the receiver is not ready: devices use their second receiver."""

    @model_validator(mode="after")
    def _recovery_above_alarm(self) -> "StoreSettings":
        if self.recover_free_mib < self.min_free_mib:
            raise ValueError("recover_free_mib should not be below min_free_mib")
        return self
