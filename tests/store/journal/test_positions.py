"""The last known position is the latest by its own time, and is found without reading more than necessary."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.rigs.journals import journal, report
from vetlla.domain.clock import ManualClock, to_datetime
from vetlla.domain.signals import AccountId, Position
from vetlla.store.journal import positions
from vetlla.store.journal.archive import Archive
from vetlla.store.journal.positions import Search, last_position

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vetlla.domain.signals import Signal

START = datetime(2026, 1, 1, tzinfo=UTC)
WATCH = AccountId("", "", "001017000000019")
OTHER = AccountId("", "", "001017000000027")


def at(latitude: float, minute: float | None = None, **said: Any) -> Signal:  # noqa: ANN401 - any field of a signal
    """Return a report with a position that was true ``minute`` minutes after the start; None for one without a time."""
    when = None if minute is None else START + timedelta(minutes=minute)
    return report(1, id=WATCH, position=Position(latitude=latitude, longitude=1.0, source="gps", at=when), **said)


def without(**said: Any) -> Signal:  # noqa: ANN401 - any field of a signal
    return report(2, id=WATCH, **said)


def write(directory: Path, *signals: Signal) -> None:
    """Write the signals, each a minute after the one before."""
    clock = ManualClock(START)
    with journal(directory, clock) as scribe:
        for signal in signals:
            clock.advance(60)
            scribe.commit(signal)


def search(directory: Path, account: str = WATCH.account, **limits: int) -> Search:
    return search_of(directory, lambda _: True, account, **limits)


def search_of(
    directory: Path, belongs: Callable[[AccountId], bool], account: str = WATCH.account, **limits: int
) -> Search:
    with Archive(directory) as archive:
        return last_position(archive, account, belongs, **limits)


def test_another_home_with_the_same_number_is_somewhere_else(tmp_path: Path) -> None:
    """The same account on another receiver is another home, however new its position is."""
    write(tmp_path, at(1, 1), at(2, 2)._replace(id=WATCH._replace(receiver="2")))
    found = search_of(tmp_path, lambda who: who.receiver != "2")
    assert latitude(found) == 1


def latitude(found: Search) -> float:
    assert found.found is not None
    position = found.found.stored.signal.position
    assert position is not None
    return position.latitude


def test_the_newest_position_is_found_behind_signals_without_one(tmp_path: Path) -> None:
    """Heartbeats and alarms without a position do not hide an earlier position. The account's case does not matter."""
    write(tmp_path, at(1, 1), at(2, 2), without(), without(measurements={"battery": 50.0}), report(3, id=OTHER))
    assert latitude(search(tmp_path)) == 2
    with journal(tmp_path) as scribe:
        scribe.commit(report(4, id=AccountId("", "", "AbC"), position=Position(latitude=9, longitude=1)))
    assert latitude(search(tmp_path, "aBc")) == 9


def test_a_stored_position_is_not_newer_because_it_comes_later(tmp_path: Path) -> None:
    """After an outage the device reports where it is, then where it was; the first one is the current position."""
    write(tmp_path, at(1, 1), at(7, 2), at(3, 0.2, buffered=True), at(4, 0.4, buffered=True), without())
    found = search(tmp_path)
    assert latitude(found) == 7
    assert found.found is not None
    assert (to_datetime(found.found.at_us), found.found.is_timed) == (START + timedelta(minutes=2), True)


@pytest.mark.parametrize("minute", [5000, None])
def test_a_position_with_a_wrong_or_missing_time_has_the_time_of_receipt(tmp_path: Path, minute: float | None) -> None:
    """A position with a future time, or without a time, counts as old as its receipt. It is never hidden."""
    write(tmp_path, at(1, 1), at(2, minute), without())
    found = search(tmp_path)
    assert latitude(found) == 2
    assert found.found is not None
    assert found.found.at_us == found.found.stored.received_us
    write_later(tmp_path, at(3, 4))
    assert latitude(search(tmp_path)) == 3


def write_later(directory: Path, signal: Signal) -> None:
    clock = ManualClock(START)
    clock.advance(600)
    with journal(directory, clock) as scribe:
        scribe.commit(signal)


def test_a_position_without_a_time_has_the_time_of_its_report(tmp_path: Path) -> None:
    """A position without a time has the time of its report."""
    write(tmp_path, at(1, 1), at(2, None, occurred_at=START + timedelta(seconds=30)))
    assert latitude(search(tmp_path)) == 1


def test_the_search_ends_when_no_newer_position_can_follow(tmp_path: Path) -> None:
    """If the newest signals hold a live position, earlier signals are not read."""
    write(tmp_path, *(at(1, minute + 1) for minute in range(50)))
    assert search(tmp_path).looked_through == 1


@pytest.mark.parametrize("page", [1, 2, 3, 7, 500])
def test_pages_change_nothing(tmp_path: Path, page: int) -> None:
    """The same position is found wherever a page ends."""
    write(tmp_path, at(1, 1), at(7, 2), *(without() for _ in range(5)), at(3, 0.5, buffered=True))
    assert latitude(search(tmp_path, page=page)) == 7


def test_no_account_is_read_without_bound(tmp_path: Path) -> None:
    """After a fixed number of signals the search ends, and reports that it has not read all of them."""
    write(tmp_path, at(1, 1), *(without() for _ in range(9)))
    assert search(tmp_path, limit=9) == (None, 9, False)
    assert latitude(search(tmp_path, limit=10)) == 1


def test_an_account_without_a_place_is_read_to_its_end(tmp_path: Path) -> None:
    """An account whose signals have no position differs from an account without signals."""
    write(tmp_path, without(), without(details={"note": "position"}))
    assert search(tmp_path) == (None, 2, True)
    assert search(tmp_path, "nobody") == (None, 0, True)


def test_the_search_goes_by_the_index(tmp_path: Path) -> None:
    """Only the account's own signals are read, in order."""
    write(tmp_path, at(1, 1))
    with Archive(tmp_path) as archive:
        plan = archive.read(f"EXPLAIN QUERY PLAN {positions._NEWEST}", (WATCH.account, 10, 10))
    assert [row["detail"] for row in plan] == ["SEARCH signals USING INDEX signals_by_account (account=? AND id<?)"]
