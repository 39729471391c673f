"""Digests of the registry: which tables they cover, and facts that come in while a month is closed."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.clock import ManualClock
from vetlla.store.months.digests import DigestSpan, last_rows, of_registry, recorded_late
from vetlla.store.registry.transaction import snapshot, transaction

if TYPE_CHECKING:
    from pathlib import Path

CLOCK = ManualClock()
EVENT = "INSERT INTO duty_events VALUES (NULL, 'fault', 'H1', '{}', {}, '', '', '{}', NULL, NULL, '{}', 0, 0, '', {})"


def add(folder: Path, name: str, at_us: int, recorded_us: int, *texts: str) -> None:
    """Record an event; the texts are its note and its details."""
    note, details = texts or ("", "")
    with transaction(folder, CLOCK) as connection:
        connection.execute(EVENT.format(name, at_us, note, details, recorded_us))


def digests(folder: Path, known_us: int) -> dict[str, tuple[int, str]]:
    """Return rows and digest of each part."""
    with snapshot(folder, CLOCK, known_us) as connection:
        return {one.name: (one.rows, one.digest) for one in of_registry(connection, DigestSpan(0, 100, known_us))}


def test_a_fact_that_came_in_while_the_month_was_closed_is_found(tmp_path: Path) -> None:
    add(tmp_path, "detected", 5, 10)
    with snapshot(tmp_path, CLOCK, 20) as connection:
        last = last_rows(connection, 20)
    add(tmp_path, "solved", 6, 21)
    with snapshot(tmp_path, CLOCK) as connection:
        assert recorded_late(connection, last, 20) == []
    add(tmp_path, "solved", 7, 20)
    with snapshot(tmp_path, CLOCK) as connection:
        assert recorded_late(connection, last, 20) == ["duty_events"]


def test_each_kind_of_duty_has_its_own_digest_as_known_at_a_time(tmp_path: Path) -> None:
    add(tmp_path, "detected", 5, 10)
    before = digests(tmp_path, 20)
    assert before["duties.fault"][0] == 1
    add(tmp_path, "solved", 6, 30)
    assert digests(tmp_path, 20) == before
    assert digests(tmp_path, 30)["duties.fault"][0] == 2


@pytest.mark.parametrize(
    ("note", "details", "is_same"),
    [
        ("fell in the kitchen", "", True),
        ("", '{"who":"Sra. Invenció"}', True),
        ("", '{"base":"NORD"}', False),
    ],
)
def test_what_an_erasure_empties_is_in_no_digest(tmp_path: Path, note: str, details: str, is_same: bool) -> None:  # noqa: FBT001
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, values in ((one, ("", "")), (other, (note, details))):
        folder.mkdir()
        add(folder, "detected", 5, 10, *values)
    assert (digests(one, 20) == digests(other, 20)) is is_same


def test_upkeep_that_came_in_while_the_month_was_closed_is_found(tmp_path: Path) -> None:
    """Its rows have no number."""
    device = "INSERT INTO devices VALUES (1, 'ucr', 'U1', '', '', '', NULL, NULL, NULL, NULL, NULL)"
    upkeep = "INSERT INTO upkeep VALUES (1, 'battery', '2026-01-0{}', {})"
    with transaction(tmp_path, CLOCK) as connection:
        connection.execute(device)
        connection.execute(upkeep.format(1, 10))
    with snapshot(tmp_path, CLOCK, 20) as connection:
        last = last_rows(connection, 20)
    for day, recorded_us, late in ((2, 21, []), (3, 20, ["upkeep"])):
        with transaction(tmp_path, CLOCK) as connection:
            connection.execute(upkeep.format(day, recorded_us))
        with snapshot(tmp_path, CLOCK) as connection:
            assert recorded_late(connection, last, 20) == late


def test_a_close_is_later_than_those_before_it(tmp_path: Path) -> None:
    """The ledger of a month takes the earlier months that were closed before it, and no close may come in between."""
    close = "INSERT INTO closed_months VALUES (NULL, '2026-0{}', 1, {}, '', '', '', '', '')"
    with transaction(tmp_path, CLOCK) as connection:
        connection.execute(close.format(1, 10))
        with pytest.raises(sqlite3.IntegrityError, match="closed meanwhile"):
            connection.execute(close.format(2, 10))
        connection.execute(close.format(2, 11))
