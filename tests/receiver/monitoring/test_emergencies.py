"""The receiver's watch over emergencies in the street: ages of now, marks by parameters, faults that hurt nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from vetlla.domain.clock import SECOND_US, ManualClock
from vetlla.domain.emergencies import NO_NEWS_US, EmergencyType, WaitingEmergency
from vetlla.domain.errors import StoreError
from vetlla.receiver.monitoring.emergencies import EmergencyWatch, no_marks
from vetlla.service.dispatch.order import StreetMarks

if TYPE_CHECKING:
    from collections.abc import Sequence

MINUTE_US = 60 * SECOND_US


class Registry:
    """A registry that a test fills, breaks and counts the reads of."""

    def __init__(self, *waiting: WaitingEmergency) -> None:
        self.waiting = waiting
        self.written: int | None = 0
        self.reads = 0
        self.fault: Exception | None = None

    def stamp(self) -> int | None:
        return self.written

    def read(self) -> Sequence[WaitingEmergency]:
        self.reads += 1
        if self.fault:
            raise self.fault
        return self.waiting


def marks(_: int) -> StreetMarks:
    return StreetMarks(share_us=30 * MINUTE_US, escalate_us=5 * MINUTE_US, warn_us=10 * MINUTE_US)


def late(clock: ManualClock) -> WaitingEmergency:
    """Return an emergency whose limit has passed, and whose unit was sent just now."""
    return WaitingEmergency(EmergencyType.I, 0, MINUTE_US, has_unit=True, news_us=clock.now().utc_us)


async def test_ages_and_marks_grow_without_a_read() -> None:
    clock = ManualClock()
    now_us = clock.now().utc_us
    registry = Registry(
        WaitingEmergency(EmergencyType.I, now_us, now_us + 35 * MINUTE_US, has_unit=False, news_us=now_us),
        WaitingEmergency(EmergencyType.II, now_us, now_us + 90 * MINUTE_US, has_unit=True, news_us=now_us),
    )
    watch = EmergencyWatch(registry, marks, clock)
    assert not watch.figures().is_known
    expected: tuple[tuple[int, dict[str, int]], ...] = (
        (0, {}),
        (301, {"no_unit": 1}),
        (25 * 60, {"no_unit": 1, "warn": 1}),
        (30 * 60, {"no_unit": 1, "warn": 1, "share": 1}),
        (35 * 60, {"no_unit": 1, "warn": 1, "share": 1, "limit": 1}),
        (90 * 60, {"no_unit": 1, "warn": 2, "share": 1, "limit": 2}),
    )
    passed = 0
    for seconds, past in expected:
        clock.advance(seconds - passed + (seconds > 0))
        passed = seconds + (seconds > 0)
        await watch.look()
        figures = watch.figures()
        assert dict(figures.past_mark) == past
        assert figures.oldest_s[EmergencyType.I] == passed
    figures = watch.figures()
    assert (figures.is_known, figures.without_unit, registry.reads) == (True, 1, 1)
    registry.written, registry.waiting = 1, ()
    await watch.look()
    assert (watch.figures().open, registry.reads) == ({}, 2)


async def test_a_registry_that_cannot_be_read_leaves_the_last_figures() -> None:
    """The fault is logged once, each look tries again, and the figures say that they are old."""
    clock = ManualClock()
    registry = Registry(late(clock))
    watch = EmergencyWatch(registry, no_marks, clock)
    with capture_logs() as logged:
        await watch.look()
        assert dict(watch.figures().past_mark) == {"limit": 1}
        registry.written, registry.fault = 1, StoreError("locked", remedy="wait")
        await watch.look()
        await watch.look()
        assert (watch.figures().is_known, watch.figures().open[EmergencyType.I]) == (False, 1)
        registry.fault = ZeroDivisionError("a fault of our own")
        await watch.look()
    assert [line["event"] for line in logged] == ["emergencies.marks_unread", *["emergencies.unread"] * 2]
    registry.fault = None
    await watch.look()
    assert watch.figures().is_known


async def test_a_registry_that_vanishes_is_not_one_without_emergencies() -> None:
    """A new service has no registry and no emergency; a registry that was there and is gone leaves the last figures."""
    registry = Registry()
    registry.written = None
    watch = EmergencyWatch(registry, marks, ManualClock())
    await watch.look()
    assert (watch.figures().is_known, watch.figures().open) == (True, {})
    registry.written, registry.waiting = 1, (late(ManualClock()),)
    await watch.look()
    registry.written, registry.waiting = None, ()
    for _ in range(2):
        await watch.look()
        assert (watch.figures().is_known, watch.figures().open[EmergencyType.I]) == (False, 1)
    registry.written = 2
    await watch.look()
    assert (watch.figures().is_known, watch.figures().open) == (True, {})


async def test_a_record_without_its_end_is_past_no_mark() -> None:
    """It is counted as open, and does not hide that another emergency has no unit."""
    clock = ManualClock()
    now_us = clock.now().utc_us
    registry = Registry(WaitingEmergency(EmergencyType.I, now_us, now_us + 1, has_unit=False, news_us=now_us))
    watch = EmergencyWatch(registry, marks, clock)
    await watch.look()
    clock.advance(NO_NEWS_US // SECOND_US)
    assert dict(watch.figures().past_mark) == {"no_unit": 1, "warn": 1, "share": 1, "limit": 1}
    clock.advance(1)
    figures = watch.figures()
    assert (dict(figures.past_mark), figures.open[EmergencyType.I]) == ({}, 1)


async def test_a_stop_ends_the_looks() -> None:
    watch = EmergencyWatch(Registry(), marks, ManualClock())
    await watch.stop()
    watch.start()
    await watch.stop()
