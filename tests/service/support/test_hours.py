"""The desk's hours are read as OpenStreetMap writes them."""

from __future__ import annotations

import pytest

from vetlla.service.support.hours import ALWAYS, Shift, week_of

MORNING, AFTERNOON = Shift(540, 840), Shift(900, 1080)


def test_days_have_the_hours_of_the_last_rule_that_names_them() -> None:
    week = week_of("Mo-Fr 09:00-14:00,15:00-18:00; Fr 09:00-14:00; Sa,Su 00:00-24:00")
    assert week == (*[(MORNING, AFTERNOON)] * 4, (MORNING,), *[(Shift(0, 1440),)] * 2)


def test_a_day_that_no_rule_names_is_closed() -> None:
    assert week_of("Tu,Th-Fr 09:00-14:00") == ((), (MORNING,), (), (MORNING,), (MORNING,), (), ())


def test_a_desk_can_always_work() -> None:
    assert week_of("24/7") == week_of("Mo-Su 00:00-24:00") == ALWAYS


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not like"),
        ("Mo-Fr", "is not like"),
        ("Lu-Ve 09:00-14:00", "is not like"),
        ("Mo-Fr 9:00-14:00", "not a time"),
        ("Mo-Fr 09:00-14:00,", "not a time"),
        ("Mo-Fr 09:00-25:00", "not a time"),
        ("Mo-Fr 09:00-24:30", "does not end on its own day"),
        ("Mo-Fr 22:00-06:00", "does not end on its own day"),
        ("Mo-Fr 15:00-18:00,09:00-14:00", "not in order"),
        ("Mo-Fr 09:00-14:00,13:00-18:00", "overlap"),
        ("Fr-Mo 09:00-14:00", "past Sunday"),
        ("Mo-Fr 09:00-14:00; PH off", "is not like"),
    ],
)
def test_hours_that_cannot_be_meant_are_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        week_of(text)
