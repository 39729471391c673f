"""The window in which a repeated report is recognised."""

from __future__ import annotations

from typing import Any

from vetlla.clock import SECOND_US
from vetlla.receiver.duplicates import Duplicates
from vetlla.service.retelling import Remembered, Said
from vetlla.settings.model import StoreSettings
from vetlla.signals import AccountId
from vetlla.store.recent import NOTHING_RECENT, Call, Recent

WINDOW_US = 900 * SECOND_US
SETTINGS = StoreSettings(duplicate_window_s=900, duplicate_window_max=3)
HOME = AccountId("", "0", "1a2b")


def report(number: int, at_us: int = 0, **other: object) -> Remembered:
    values: dict[str, Any] = {"who": HOME, "frame": number, "alarm": None, "said": Said(None, None, 0)}
    return Remembered(number=number, told_us=at_us, **values | other)


def plain(*rows: tuple[bytes, int, int]) -> Recent:
    return Recent([(*row, None) for row in rows], [])


def call(identity: bytes, number: int, stored_us: int, **other: object) -> Call:
    values: dict[str, Any] = {"frame": number, "who": HOME, "last_frame": number, "alarm": 1, "told_us": stored_us}
    clock = {"occurred_us": None, "sent_us": None, "content": 0}
    return Call(identity=identity, number=number, stored_us=stored_us, **values | clock | other)


def number(duplicates: Duplicates, identity: bytes) -> int | None:
    found = duplicates.find(identity)
    return found and found.number


def test_a_report_is_known_to_the_window_s_last_moment() -> None:
    """Within the window a report is the same one; a microsecond later it is a new one."""
    duplicates = Duplicates(SETTINGS, plain((b"a", 1, 0)))
    duplicates.forget(WINDOW_US)
    assert number(duplicates, b"a") == 1
    duplicates.forget(WINDOW_US + 1)
    assert number(duplicates, b"a") is None


def test_the_oldest_are_forgotten_first_when_there_are_too_many() -> None:
    """Memory is bounded by number as well as by time."""
    duplicates = Duplicates(SETTINGS, NOTHING_RECENT)
    for place, identity in enumerate((b"a", b"b", b"c", b"d", b"e"), 1):
        duplicates.add(identity, report(place))
    duplicates.forget(0)
    assert [number(duplicates, identity) for identity in (b"a", b"b", b"c", b"d", b"e")] == [None, None, 3, 4, 5]


def test_what_was_not_made_durable_is_forgotten() -> None:
    """Only what has changed since the last commit is taken back: additions, repetitions and the order of a device."""
    duplicates = Duplicates(SETTINGS, NOTHING_RECENT)
    first = report(1)
    duplicates.add(b"a", first)
    duplicates.settle()
    duplicates.add(b"b", report(2))
    duplicates.repeat(b"a", report(1, SECOND_US, frame=3))
    duplicates.take_back()
    duplicates.take_back()
    assert (duplicates.find(b"a"), duplicates.find(b"b")) == (first, None)
    assert not duplicates.lies_between(first)
    duplicates.forget(2 * WINDOW_US)
    assert duplicates.find(b"a") is None


def test_what_was_stored_twice_is_known_for_as_long_as_the_later_one() -> None:
    """A journal may hold a report twice, from a time with a shorter window: the first one's age is not the second's."""
    duplicates = Duplicates(SETTINGS, plain((b"a", 1, 0), (b"a", 2, SECOND_US)))
    duplicates.forget(WINDOW_US + 1)
    assert number(duplicates, b"a") == 2
    duplicates.forget(WINDOW_US + SECOND_US + 1)
    assert number(duplicates, b"a") is None


def test_another_window_may_be_set() -> None:
    """A reload counts from the next batch on."""
    duplicates = Duplicates(SETTINGS, plain((b"a", 1, 0)))
    duplicates.use(StoreSettings(duplicate_window_s=1))
    duplicates.forget(SECOND_US + 1)
    assert duplicates.find(b"a") is None


def test_another_report_of_the_device_lies_between() -> None:
    """It does whether it can be a retry itself or not, and in any spelling of the account; a repetition does not."""
    duplicates = Duplicates(SETTINGS, NOTHING_RECENT)
    first = report(1)
    duplicates.add(b"a", first)
    duplicates.add(b"", report(2, who=AccountId("", "0", "9999")))
    assert not duplicates.lies_between(first)
    again = report(1, frame=3)
    duplicates.repeat(b"a", again)
    assert not duplicates.lies_between(again)
    duplicates.add(b"", report(4, who=AccountId("", "0", "1A2B")))
    assert duplicates.lies_between(again)


def test_a_device_is_forgotten_with_its_last_report() -> None:
    """What a stranger invents takes no memory beyond the window."""
    duplicates = Duplicates(SETTINGS, NOTHING_RECENT)
    for place in range(1, 4):
        duplicates.add(b"a%d" % place, report(place, who=AccountId("", "", str(place))))
        duplicates.repeat(b"a%d" % place, report(place, frame=place + 10, who=AccountId("", "", str(place))))
    duplicates.settle()
    duplicates.forget(WINDOW_US + 1)
    assert not duplicates._devices
    assert not duplicates._seen


def test_what_was_told_before_a_restart_is_known_in_its_order() -> None:
    """Reports with and without an alarm leave the window by their age."""
    calls = [call(b"b", 2, SECOND_US, last_frame=4), call(b"c", 4, 3 * SECOND_US)]
    duplicates = Duplicates(SETTINGS, Recent([(b"a", 1, 0, None), (b"d", 3, 2 * SECOND_US, None)], calls))
    found = duplicates.find(b"b")
    assert found is not None
    assert duplicates.lies_between(found)
    left = []
    for seconds in range(4):
        duplicates.forget(WINDOW_US + seconds * SECOND_US)
        left.append([identity for identity in (b"a", b"b", b"c", b"d") if duplicates.find(identity)])
    # Four are one too many for this window: the oldest goes at once.
    assert left == [[b"b", b"c", b"d"], [b"b", b"c", b"d"], [b"c", b"d"], [b"c"]]
