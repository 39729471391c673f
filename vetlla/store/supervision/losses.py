"""When supervision lost devices and heard them again, read from the journal's archive page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from vetlla.store.supervision.history import Named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.store.journal.archive import Archive

PAGE = 2_000
"""Rows in one read, so that each read is short."""
_CHANGES = """
SELECT v.id, v.at_us, v.state = ?3 AND v.incident IS NULL AS lost, v.alarm_id, u.account, u.receiver, u.line,
       u.device
FROM verdicts AS v JOIN units AS u ON u.id = v.unit
WHERE v.id > ?1 AND v.at_us >= ?2 AND (v.state = ?3 OR v.before = ?3)
ORDER BY v.id LIMIT ?4
"""


class LossChange(NamedTuple):
    """A device was lost, or is not lost by itself any longer."""

    at_us: int
    name: Named
    is_over: bool
    """Whether it was heard again, is not supervised any longer, or was lost together with others."""
    alarm: int | None


def changes(archive: Archive, since_us: int, lost: int, *, page: int = PAGE) -> Iterator[LossChange]:
    """Yield the losses since a time, each of a device by itself, and their ends; the oldest first.

    ``lost`` is the number of that state. Devices that were lost together belong to an incident, such as a network that
    failed. That is no fault of theirs.
    """
    after = 0
    while rows := archive.read(_CHANGES, (after, since_us, lost, page)):
        for row in rows:
            named = Named(row["account"], row["receiver"], row["line"], row["device"])
            yield LossChange(row["at_us"], named, not row["lost"], row["alarm_id"] if row["lost"] else None)
        after = rows[-1]["id"]
