"""Which duty an event belongs to, and that the order of recording does not decide it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rigs.duties import MINUTE_US, kind, recorded, told, us
from vetlla.service.duties.grouping import group, unnamed
from vetlla.service.duties.kinds import parse_kinds

if TYPE_CHECKING:
    from vetlla.domain.duties import NewEvent
    from vetlla.service.duties.grouping import Grouped

KIND = parse_kinds({"fault": kind()}, "duties.toml").kind("fault")
START = us("2026-11-02 09:00")


def grouped(*events: NewEvent) -> tuple[list[list[str]], list[str]]:
    """Return the names of the events of each duty, and of loose events."""
    found = group(KIND, recorded(*events))
    return [[event.told.event for event in duty.events] for duty in found.duties], [
        event.told.event for event in found.loose
    ]


def test_an_event_finds_the_duty_that_was_open() -> None:
    events = (
        told("detected", "2026-11-02 09:00"),
        told("arrived", "2026-11-02 10:00"),
        told("solved", "2026-11-02 11:00"),
    )
    assert grouped(*events) == ([["detected", "arrived", "solved"]], [])


def test_an_event_finds_the_duty_of_its_reference() -> None:
    duties, loose = grouped(
        told("detected", "2026-11-02 09:00", "A"),
        told("detected", "2026-11-02 09:30", "B"),
        told("solved", "2026-11-02 10:00", "B"),
        told("cancelled", "2026-11-02 11:00", "A"),
    )
    assert (duties, loose) == ([["detected", "cancelled"], ["detected", "solved"]], [])


def test_an_event_without_reference_is_loose_if_several_duties_are_open() -> None:
    opened = told("detected", "2026-11-02 09:00", "A"), told("detected", "2026-11-02 09:30", "B")
    assert grouped(*opened, told("solved", "2026-11-02 10:00"))[1] == ["solved"]
    assert grouped(*opened, told("solved", "2026-11-02 09:15"))[1] == [], "only A was open then"
    only_b = grouped(*opened, told("solved", "2026-11-02 10:00", "A"), told("solved", "2026-11-02 11:00"))
    assert only_b == ([["detected", "solved"], ["detected", "solved"]], [])


def test_an_event_is_loose_if_no_duty_was_open() -> None:
    assert grouped(told("solved", "2026-11-02 10:00")) == ([], ["solved"])
    assert grouped(told("detected", "2026-11-02 11:00"), told("solved", "2026-11-02 10:00"))[1] == ["solved"]
    ended = told("detected", "2026-11-02 09:00"), told("cancelled", "2026-11-02 10:00")
    assert grouped(*ended, told("solved", "2026-11-02 11:00"))[1] == ["solved"]


def test_an_unknown_reference_is_no_reference() -> None:
    """A field application numbers its visits, and the fault has a number of the desk."""
    duties, loose = grouped(told("detected", "2026-11-02 09:00", "F-1"), told("solved", "2026-11-02 10:00", "V-9"))
    assert (duties, loose) == ([["detected", "solved"]], [])


def test_the_number_of_a_duty_comes_before_its_reference() -> None:
    events = told("detected", "2026-11-02 09:00", "A"), told("detected", "2026-11-02 09:30", "B")
    assert grouped(*events, told("solved", "2026-11-02 10:00", "A", duty=2))[0] == [
        ["detected"],
        ["detected", "solved"],
    ]


def test_an_event_of_a_duty_whose_opening_is_gone_finds_another_one_by_reference_and_then_by_time() -> None:
    events = told("detected", "2026-11-02 09:00", "A"), told("detected", "2026-11-02 09:30", "B")
    by_ref = grouped(*events, told("solved", "2026-11-02 10:00", "A", duty=7))
    assert by_ref == ([["detected", "solved"], ["detected"]], [])
    assert grouped(events[1], told("solved", "2026-11-02 10:00", "A", duty=7)) == ([["detected", "solved"]], [])
    assert grouped(*events, told("solved", "2026-11-02 10:00", "C", duty=7))[1] == ["solved"], "two are open"


def test_an_event_older_than_its_duty_is_loose() -> None:
    """One of the two times is wrong; a fault is not kept because it was solved before it was detected."""
    opened = told("detected", "2026-11-02 09:00", "A")
    for more in ({"ref": "A"}, {"duty": 1}):
        assert grouped(opened, told("solved", "2026-11-02 08:59", **more)) == ([["detected"]], ["solved"])


def test_an_opening_told_twice_opens_one_duty() -> None:
    """The first time counts, and the events stay in order of time."""
    duties, loose = grouped(
        told("detected", "2026-11-02 11:00", "A"),
        told("arrived", "2026-11-02 10:00", "A"),
        told("detected", "2026-11-02 09:00", "A"),
    )
    assert (duties, loose) == ([["detected", "arrived", "detected"]], [])
    found = group(KIND, recorded(told("detected", "2026-11-02 11:00", "A"), told("detected", "2026-11-02 09:00", "A")))
    assert found.duties[0].id == 2
    by_number = told("solved", "2026-11-02 12:00", duty=1)
    assert (
        grouped(told("detected", "2026-11-02 11:00", "A"), told("detected", "2026-11-02 09:00", "A"), by_number)[1]
        == []
    )


def test_the_time_of_an_opening_without_reference_is_its_name() -> None:
    first, second = told("detected", "2026-11-02 09:00"), told("detected", "2026-11-02 09:30")
    events = first, second, told("solved", "2026-11-02 10:00", unnamed(second.at_us))
    assert grouped(*events) == ([["detected"], ["detected", "solved"]], [])
    assert grouped(first, second, told("solved", "2026-11-02 10:00", "@yesterday"))[1] == ["solved"]


def test_what_was_withdrawn_decides_nothing() -> None:
    opened, solved = told("detected", "2026-11-02 09:00"), told("solved", "2026-11-02 10:00")
    taken = told("withdrawn", "2026-11-02 11:00", "#2", withdraws=2)
    assert grouped(opened, solved, taken) == ([["detected"]], [])
    back = told("withdrawn", "2026-11-02 12:00", "#3", withdraws=3)
    assert grouped(opened, solved, taken, back) == ([["detected", "solved"]], [])
    again = told("withdrawn", "2026-11-02 13:00", "#4", withdraws=4)
    assert grouped(opened, solved, taken, back, again) == ([["detected"]], [])
    assert grouped(opened, solved, told("withdrawn", "2026-11-02 11:00", "#1", withdraws=1)) == ([], ["solved"])


def test_events_of_one_moment_are_taken_in_the_order_of_the_kind() -> None:
    """A duty may be opened and solved at one moment, and an arrival of that moment belongs to it."""
    moment = "2026-11-02 09:00"
    for names in (("solved", "arrived", "detected"), ("detected", "solved", "arrived")):
        assert grouped(*(told(name, moment) for name in names)) == ([["detected", "arrived", "solved"]], [])


NAMES = st.sampled_from(["detected", "detected", "arrived", "paused", "resumed", "solved", "cancelled", "forgotten"])
EVENTS = st.lists(
    st.builds(
        lambda name, minutes, ref: told(
            name, START + minutes * MINUTE_US, "" if name == "detected" and ref.startswith("@") else ref
        ),
        NAMES, st.integers(0, 6), st.sampled_from(["", "", "A", "B", unnamed(START)]),
    ),
    max_size=9,
    unique_by=lambda event: (event.event, event.at_us, event.ref),
)  # fmt: skip


def contents(found: Grouped) -> tuple[list[list[NewEvent]], set[NewEvent]]:
    """Return the result without the numbers of recording."""
    return [[event.told for event in duty.events] for duty in found.duties], {event.told for event in found.loose}


@settings(max_examples=300)
@given(EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_recording_decides_nothing(events: list[NewEvent], chance: object) -> None:
    shuffled = list(events)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert contents(group(KIND, recorded(*shuffled))) == contents(group(KIND, recorded(*events)))


@settings(max_examples=300)
@given(EVENTS)
def test_every_event_is_in_one_duty_or_loose(events: list[NewEvent]) -> None:
    """A plain model agrees: it asks for each event in order of time which duties are open."""
    duties, loose = contents(group(KIND, recorded(*events)))
    assert sorted(map(repr, [*(one for duty in duties for one in duty), *loose])) == sorted(map(repr, events))
    assert (duties, loose) == _plainly(events)


def _plainly(events: list[NewEvent]) -> tuple[list[list[NewEvent]], set[NewEvent]]:
    order = [*KIND.all_events, "forgotten"]
    events = sorted(events, key=lambda event: (event.at_us, order.index(event.event), event.ref))
    duties: list[list[NewEvent]] = []
    loose: set[NewEvent] = set()
    for event in events:  # every duty is open from its opening to its first ending
        wanted = [duty for duty in duties if event.ref and event.ref == duty[0].ref] or [
            duty for duty in duties if not duty[0].ref and _at(duty[0]) == event.ref
        ]
        is_older = bool(event.ref) and any(
            one.event == "detected" and event.ref in {one.ref, not one.ref and _at(one)} for one in events
        )
        free = [duty for duty in duties if not any(one.event in {"solved", "cancelled"} for one in duty)]
        if event.event == "detected":
            if wanted and event.ref == wanted[0][0].ref:
                wanted[0].append(event)
            else:
                duties.append([event])
        elif wanted:
            wanted[0].append(event)
        elif is_older or len(free) != 1:
            loose.add(event)
        else:
            free[0].append(event)
    return duties, loose


def _at(opening: NewEvent) -> str:
    return unnamed(opening.at_us)
