"""What an erasure took from a call stays erased, whatever is imported later.

A PBX keeps its logs longer than the service may keep the numbers of a home that left, and a log may be imported again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vetlla.domain.calls import ERASED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.domain.calls import CallRecord, Tie

FIELDS: Final = ("caller", "called", "recording")
"""Fields of a record that an erasure empties."""


def erased_fields(records: Iterable[CallRecord], tie: Tie | None) -> frozenset[str]:
    """Return the fields that a call must not get again: all of a call that was erased, else those that were emptied.

    The reason of its tie says that the whole call was erased.
    """
    if tie is not None and tie.reason == ERASED:
        return frozenset(FIELDS)
    found = list(records)
    return frozenset(name for name in FIELDS if any(getattr(record, name) == ERASED for record in found))


def without_erased(record: CallRecord, earlier: CallRecord | None, fields: Iterable[str]) -> CallRecord:
    """Return what a file says of a call, without what was erased; ``earlier`` is what files of its kind said before."""
    kept: dict[str, Any] = {
        name: (getattr(earlier, name) if earlier else "") or ERASED for name in fields if getattr(record, name)
    }
    return record._replace(**kept) if kept else record


def still_erased(tie: Tie, earlier: Tie | None) -> Tie:
    """Return a new tie of a call with the mark of the earlier one that the call was erased."""
    return tie._replace(reason=ERASED) if earlier is not None and earlier.reason == ERASED else tie
