"""Compares what machines outside saw acknowledged with the journal of the receiver."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from vetlla.domain.signals import Kind
from vetlla.service.probes.matching import SKEW_US, HeardTest, matched
from vetlla.store.journal import history
from vetlla.store.probes import queries

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from vetlla.service.probes.matching import Matching
    from vetlla.store.journal.archive import Archive
    from vetlla.tasks.probes.times import Within


def verified(connection: sqlite3.Connection, archive: Archive, within: Within) -> Iterator[tuple[str, Matching]]:
    """Yield for each account of probes what the journal has of its acknowledged signals. Raises StoreError."""
    signals = queries.acknowledged_signals(connection, *within)
    for _, group in groupby(signals, key=lambda probe: probe.account.upper()):
        probes = list(group)
        account = probes[0].account
        yield account, matched(probes, _heard(archive, account, within))


def _heard(archive: Archive, account: str, within: Within) -> Iterator[HeardTest]:
    question = history.signals(
        accounts=[account],
        kinds=[Kind.PERIODIC_TEST],
        since_us=within.begin_us - SKEW_US,
        until_us=within.end_us + SKEW_US,
    )
    for stored in history.stream(archive, question):
        yield HeardTest(stored.received_us, stored.ready_us is not None)
