"""Looks whether a periodic test of an account arrived after a time, for a probe that sent one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from vetlla.domain.signals import Kind

if TYPE_CHECKING:
    from vetlla.store.journal.archive import Archive

# A probe may send what it sent some minutes ago, and then the journal counts a repetition of that report.
_NEWEST: Final = """
SELECT c.ready_us, s.alarm_id FROM signals AS s LEFT JOIN commits AS c ON c.id = s.commit_id
LEFT JOIN duplicates AS d ON d.signal_id = s.id
WHERE s.account = ? AND s.kind = ? AND (s.received_us >= ? OR d.last_us >= ?) ORDER BY s.id DESC LIMIT 1
"""


class Arrived(NamedTuple):
    """A report that the journal has."""

    is_ready: bool
    """Whether the receiver has placed it and told the desks, as the stamp that ends *t2* says."""
    alarm: int | None


def arrived(archive: Archive, account: str, since_us: int) -> Arrived | None:
    """Return the newest periodic test of an account from a time on; None if the journal has none. Raises StoreError."""
    rows = archive.read(_NEWEST, (account, Kind.PERIODIC_TEST.value, since_us, since_us))
    return Arrived(rows[0]["ready_us"] is not None, rows[0]["alarm_id"]) if rows else None
