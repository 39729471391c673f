"""The window in which a repeated report is recognised."""

from __future__ import annotations

from typing import Any

from vetlla.domain.clock import SECOND_US
from vetlla.domain.previous_run import Call, Recent
from vetlla.domain.signals import AccountId
from vetlla.receiver.intake.duplicates import Duplicates, Record
from vetlla.settings.store import StoreSettings

WINDOW_US = 900 * SECOND_US
SETTINGS = StoreSettings(duplicate_window_s=900, duplicate_window_max=3)
HOME = AccountId("", "0", "1a2b")


def record(identity: bytes, number: int, at_us: int = 0) -> Record:
    return (identity, number, at_us, number, None, None, None, 0)


def plain(*rows: tuple[bytes, int, int]) -> Recent:
    return Recent([*rows], [])


def call(identity: bytes, number: int, stored_us: int, **other: object) -> Call:
    values: dict[str, Any] = {"frame": number, "who": HOME, "last_frame": number, "alarm": 1, "told_us": stored_us}
    clock = {"occurred_us": None, "sent_us": None, "content": 0}
    return Call(identity=identity, number=number, stored_us=stored_us, **values | clock | other)


def number(duplicates: Duplicates, identity: bytes) -> int | None:
    found = duplicates.find(identity)
    return found and found.number


def test_a_report_is_known_to_the_window_s_last_moment() -> None:
    """Within the window a report counts as the same one; a microsecond later it is a new one."""
    duplicates = Duplicates(SETTINGS, plain((b"a", 1, 0)))
    duplicates.forget(WINDOW_US)
    assert number(duplicates, b"a") == 1
    duplicates.forget(WINDOW_US + 1)
    assert number(duplicates, b"a") is None


def test_the_oldest_are_forgotten_first_when_there_are_too_many() -> None:
    """Memory is bounded by number as well as by time."""
    duplicates = Duplicates(SETTINGS, Recent([], []))
    for place, identity in enumerate((b"a", b"b", b"c", b"d", b"e"), 1):
        duplicates.add(record(identity, place))
    duplicates.committed()
    duplicates.forget(0)
    assert [number(duplicates, identity) for identity in (b"a", b"b", b"c", b"d", b"e")] == [None, None, 3, 4, 5]


def test_changes_that_were_not_committed_are_forgotten() -> None:
    """Only changes since the last commit are undone: additions, repetitions and a device's last frame."""
    duplicates = Duplicates(SETTINGS, Recent([], []))
    duplicates.add(record(b"a", 1))
    duplicates.end_frame(HOME, 1)
    duplicates.committed()
    first = duplicates.find(b"a")
    assert first is not None
    duplicates.add(record(b"b", 2))
    duplicates.repeat(b"a", first._replace(frame=3, told_us=SECOND_US))
    duplicates.end_frame(HOME, 3)
    duplicates.rolled_back()
    duplicates.rolled_back()
    assert (duplicates.find(b"a"), duplicates.find(b"b")) == (first, None)
    assert not duplicates.lies_between(first, HOME)
    duplicates.forget(2 * WINDOW_US)
    assert duplicates.find(b"a") is None


def test_a_report_that_was_stored_twice_is_known_as_long_as_the_later_one() -> None:
    """A journal may hold a report twice, from a time with a shorter window; then the later one's age counts."""
    duplicates = Duplicates(SETTINGS, plain((b"a", 1, 0), (b"a", 2, SECOND_US)))
    duplicates.forget(WINDOW_US + 1)
    assert number(duplicates, b"a") == 2
    duplicates.forget(WINDOW_US + SECOND_US + 1)
    assert number(duplicates, b"a") is None


def test_another_window_may_be_set() -> None:
    """A reload applies from the next batch on."""
    duplicates = Duplicates(SETTINGS, plain((b"a", 1, 0)))
    duplicates.apply(StoreSettings(duplicate_window_s=1))
    duplicates.forget(SECOND_US + 1)
    assert duplicates.find(b"a") is None


def test_another_report_of_the_device_lies_between() -> None:
    """It does in any spelling of the account; a report of another device does not, and neither does the same report."""
    duplicates = Duplicates(SETTINGS, Recent([], []))
    duplicates.add(record(b"a", 1))
    duplicates.end_frame(HOME, 1)
    duplicates.end_frame(AccountId("", "0", "9999"), 2)
    first = duplicates.find(b"a")
    assert first is not None
    assert not duplicates.lies_between(first, HOME)
    again = first._replace(frame=3)
    duplicates.repeat(b"a", again)
    duplicates.end_frame(HOME, 3)
    assert not duplicates.lies_between(again, HOME)
    duplicates.end_frame(HOME._replace(account="1A2B"), 4)
    assert duplicates.lies_between(again, HOME)


def test_devices_are_forgotten_after_the_window() -> None:
    """Accounts that strangers invent do not stay in memory; a device's last frame is known for a whole window."""
    duplicates = Duplicates(SETTINGS, Recent([], []))
    duplicates.add(record(b"a", 1))
    duplicates.end_frame(HOME, 1)
    duplicates.committed()
    duplicates.forget(WINDOW_US)
    found = duplicates.find(b"a")
    assert found is not None
    assert not duplicates.lies_between(found, HOME)
    duplicates.forget(2 * WINDOW_US + 1)
    duplicates.forget(3 * WINDOW_US + 2)
    assert duplicates.find(b"a") is None
    assert duplicates.lies_between(found, HOME), "an unknown device's report is another call"


def test_more_devices_than_reports_are_not_remembered() -> None:
    """A flood of invented accounts is forgotten early."""
    duplicates = Duplicates(SETTINGS, Recent([], []))
    for place in range(100):
        duplicates.end_frame(AccountId("", "", str(place)), place)
        duplicates.committed()
        duplicates.forget(0)
        assert len(duplicates._frames) + len(duplicates._older_frames) <= 2 * 3 + 2


def test_reports_from_before_a_restart_are_known_in_their_order() -> None:
    """Reports with and without an alarm leave the window by their age."""
    calls = [call(b"b", 2, SECOND_US, last_frame=4), call(b"c", 4, 3 * SECOND_US)]
    duplicates = Duplicates(SETTINGS, Recent([(b"a", 1, 0), (b"d", 3, 2 * SECOND_US)], calls))
    found = duplicates.find(b"b")
    assert found is not None
    assert duplicates.lies_between(found, HOME)
    left = []
    for seconds in range(4):
        duplicates.forget(WINDOW_US + seconds * SECOND_US)
        left.append([identity for identity in (b"a", b"b", b"c", b"d") if duplicates.find(identity)])
    # Four reports are one too many for this window, so the oldest one goes at once.
    assert left == [[b"b", b"c", b"d"], [b"b", b"c", b"d"], [b"c", b"d"], [b"c"]]
