"""Repeated events are logged once per key and period, from a bounded table."""

from __future__ import annotations

from vetlla.daemon.logs.limiter import LogLimiter
from vetlla.domain.clock import ManualClock


def test_first_event_is_logged_and_repeats_are_counted() -> None:
    """Within the period a key is granted once; the next grant says how many events were suppressed."""
    clock = ManualClock()
    log_limiter = LogLimiter(clock, every_s=60)
    assert log_limiter.ask("192.0.2.1") == 0
    clock.advance(59.999999)
    assert [log_limiter.ask("192.0.2.1") for _ in range(3)] == [None, None, None]
    clock.advance(0.000001)
    assert log_limiter.ask("192.0.2.1") == 3
    clock.advance(60)
    assert log_limiter.ask("192.0.2.1") == 0


def test_keys_do_not_silence_each_other() -> None:
    """Another key is granted at once."""
    log_limiter = LogLimiter(ManualClock(), every_s=60)
    assert (log_limiter.ask("a"), log_limiter.ask("b"), log_limiter.ask("a")) == (0, 0, None)


def test_a_stepped_wall_clock_changes_nothing() -> None:
    """The period is measured on the monotonic clock."""
    clock = ManualClock()
    log_limiter = LogLimiter(clock, every_s=60)
    log_limiter.ask("a")
    clock.step_wall(3600)
    assert log_limiter.ask("a") is None


def test_more_keys_than_room_count_as_one() -> None:
    """A scan from a thousand addresses is logged once for each address in the table, once more, and then no longer."""
    clock = ManualClock()
    log_limiter = LogLimiter(clock, every_s=60, keys=10)
    assert sum(log_limiter.ask(address) is not None for address in range(1000)) == 11
    assert len(log_limiter._grants) == 11


def test_lapsed_keys_make_room() -> None:
    """Only a lapsed key makes room for a new one, the oldest first; the table stays bounded."""
    clock = ManualClock()
    log_limiter = LogLimiter(clock, every_s=60, keys=2)
    log_limiter.ask("a")
    clock.advance(1)
    assert [log_limiter.ask(key) for key in ("b", "c", "d")] == [0, 0, None]  # c counts for all keys without room
    clock.advance(59)  # a has lapsed, b has not
    assert [log_limiter.ask(key) for key in ("e", "f", "b")] == [0, None, None]
    assert len(log_limiter._grants) <= 3
