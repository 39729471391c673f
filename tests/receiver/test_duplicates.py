"""The window in which a repeated report is recognised."""

from __future__ import annotations

from vetlla.clock import SECOND_US
from vetlla.receiver.duplicates import Duplicates
from vetlla.settings.model import StoreSettings

WINDOW_US = 900 * SECOND_US
SETTINGS = StoreSettings(duplicate_window_s=900, duplicate_window_max=3)


def test_a_report_is_known_to_the_window_s_last_moment() -> None:
    """Within the window a report is the same one; a microsecond later it is a new one."""
    duplicates = Duplicates(SETTINGS, [(b"a", 1, 0)])
    duplicates.forget(WINDOW_US)
    assert duplicates.first(b"a") == 1
    duplicates.forget(WINDOW_US + 1)
    assert duplicates.first(b"a") is None
    assert b"a" not in duplicates


def test_the_oldest_are_forgotten_first_when_there_are_too_many() -> None:
    """Memory is bounded by number as well as by time."""
    duplicates = Duplicates(SETTINGS, [])
    for number, identity in enumerate((b"a", b"b", b"c", b"d", b"e"), 1):
        duplicates.add(identity, number, 0)
    duplicates.forget(0)
    assert [duplicates.first(identity) for identity in (b"a", b"b", b"c", b"d", b"e")] == [None, None, 3, 4, 5]


def test_what_was_not_made_durable_is_forgotten() -> None:
    """Only the reports since the last commit are taken back."""
    duplicates = Duplicates(SETTINGS, [])
    duplicates.add(b"a", 1, 0)
    duplicates.settle()
    duplicates.add(b"b", 2, 0)
    duplicates.take_back()
    duplicates.take_back()
    assert (duplicates.first(b"a"), duplicates.first(b"b")) == (1, None)


def test_what_was_stored_twice_is_known_for_as_long_as_the_later_one() -> None:
    """A journal may hold a report twice, from a time with a shorter window: the first one's age is not the second's."""
    duplicates = Duplicates(SETTINGS, [(b"a", 1, 0), (b"a", 2, SECOND_US)])
    duplicates.forget(WINDOW_US + 1)
    assert duplicates.first(b"a") == 2
    duplicates.forget(WINDOW_US + SECOND_US + 1)
    assert duplicates.first(b"a") is None


def test_a_wall_clock_that_steps_back_forgets_nothing() -> None:
    """Reports from the future, as they then seem, stay known."""
    duplicates = Duplicates(SETTINGS, [(b"a", 1, 5 * WINDOW_US)])
    duplicates.forget(0)
    assert duplicates.first(b"a") == 1


def test_another_window_may_be_set() -> None:
    """A reload counts from the next batch on."""
    duplicates = Duplicates(SETTINGS, [(b"a", 1, 0)])
    duplicates.use(StoreSettings(duplicate_window_s=1))
    duplicates.forget(SECOND_US + 1)
    assert duplicates.first(b"a") is None
