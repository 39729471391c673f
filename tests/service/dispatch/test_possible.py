"""Events of an emergency that contradict each other: which one is wrong, and what stands in its way."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vetlla.domain.clock import SECOND_US
from vetlla.domain.codes import code_key
from vetlla.domain.duties import Duty, DutyEvent, NewEvent
from vetlla.domain.emergencies import UnitEvent
from vetlla.service.dispatch.emergency import emergency
from vetlla.service.dispatch.possible import impossible
from vetlla.service.dispatch.units import units
from vetlla.service.duties.columns import details_text
from vetlla.service.duties.grouping import group
from vetlla.service.duties.standing import standing
from vetlla.tasks.duties.rules import load_rules

RULES = load_rules()
KIND = RULES.kinds.kind("umo_1")
MINUTE_US = 60 * SECOND_US
ORDER = {"sent": 0, "recalled": 0, "arrived": 0, "no_access": 0, "access": 1, "finished": 2, "cancelled": 2}


def duty(*told: tuple[str, int]) -> Duty:
    """Return an emergency with events some minutes after its first communication."""
    events = [NewEvent("umo_1", "H1", "communicated", 0, ref="A1")]
    for event in told:
        name, minute = event[0], event[1]
        more = details_text({"team": name.partition(" ")[2]})
        events.append(NewEvent("umo_1", "H1", name.partition(" ")[0], minute * MINUTE_US, ref="A1", details=more))
    (made,) = group(KIND, [DutyEvent(place, one, "test", 0) for place, one in enumerate(events, start=1)]).duties
    return made


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ((("finished", 2), ("sent", 5), ("access", 30)), [("finished", "sent")]),
        ((("cancelled", 2), ("sent", 5)), [("cancelled", "sent")]),
        ((("sent", 5), ("no_access", 20), ("cancelled", 25)), [("cancelled", "no_access")]),
        ((("sent", 5), ("access", 20), ("arrived", 25)), [("access", "arrived")]),
        ((("sent", 5), ("access", 20), ("finished", 30), ("cancelled", 40)), [("cancelled", "finished")]),
        ((("cancelled", 30), ("finished", 40)), [("finished", "cancelled")]),
        ((("sent", 5), ("no_access", 20), ("sent", 25), ("arrived", 30), ("access", 31), ("finished", 40)), []),
        ((("sent", 5), ("arrived", 5), ("access", 5), ("finished", 5)), []),
        ((("access", 5),), []),  # another file may bring what is missing
    ],
)
def test_what_contradicts_is_named(told: tuple[tuple[str, int], ...], wrong: list[tuple[str, str]]) -> None:
    found = impossible(duty(*told))
    assert [(one.event.told.event, one.because and one.because.told.event) for one in found] == wrong


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(ORDER)), st.integers(1, 9)), max_size=7))
def test_without_the_wrong_events_nothing_contradicts(told: list[tuple[str, int]]) -> None:
    """What is left has its stages in order, at most one end, and nothing was taken out in vain."""
    made = duty(*dict.fromkeys(told))
    wrong = {one.event.id for one in impossible(made)}
    left = made._replace(events=tuple(event for event in made.events if event.id not in wrong))
    assert impossible(left) == []
    stages = [ORDER[event.told.event] for event in left.events[1:]]
    times = [event.told.at_us for event in left.events[1:]]
    assert all(
        first <= second or times[place] == times[place + 1]
        for place, (first, second) in enumerate(itertools.pairwise(stages))
    )
    assert stages.count(2) <= 1
    for number in wrong:
        again = tuple(event for event in made.events if event.id not in wrong or event.id == number)
        assert [one.event.id for one in impossible(made._replace(events=again))] == [number]


def test_a_unit_is_free_since_another_one_was_sent() -> None:
    """The second unit is on the way, although the first one could not get in."""
    one = emergency(standing(duty(("sent UMO-03", 5), ("no_access UMO-03", 20), ("sent umo -01", 25)), RULES, 0))
    assert (one.unit, one.reached_us, one.no_access_us) == ("umo -01", None, 20 * MINUTE_US)
    assert one.freed == {code_key("UMO-03"): 25 * MINUTE_US}
    events = [UnitEvent(code, "added", "NORD", "", 0, "anna") for code in ("UMO-01", "UMO-03")]
    busy, free = units(events, [one])
    assert (busy.state.value, busy.since_us) == ("on_the_way", 25 * MINUTE_US)
    assert (free.state.value, free.since_us) == ("free", 25 * MINUTE_US)
    recalled = emergency(standing(duty(("sent UMO-03", 5), ("recalled UMO-03", 9)), RULES, 0))
    assert units(events, [recalled])[1].since_us == 9 * MINUTE_US
