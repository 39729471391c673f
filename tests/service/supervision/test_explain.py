"""Each state has a reason that a person understands."""

from __future__ import annotations

import pytest

from vetlla.service.supervision.explain import PAUSES, Known, why
from vetlla.service.supervision.rules import Health, Pause


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (Known(Health.OK), "heard in time"),
        (Known(Health.LATE, missed=2, allowed_misses=3), "2 of 3 signs of life failed to come"),
        (Known(Health.LOST, missed=7, allowed_misses=3), "7 signs of life in a row failed to come"),
        (Known(Health.LOST, missed=1, allowed_misses=1), "1 sign of life in a row failed to come"),
        (Known(Health.LOST, missed=0, allowed_misses=3), "its connection broke: the broker says so"),
        (
            Known(Health.LOST, missed=3, allowed_misses=3, incident="incident 4, cell:1"),
            "3 signs of life in a row failed to come; one of many: incident 4, cell:1",
        ),
        (Known(Health.UNKNOWN), "not heard yet since it is supervised"),
        (Known(Health.UNKNOWN, terminal=Health.OK), "not heard yet since it is supervised"),
        (Known(Health.UNKNOWN, terminal=Health.LOST), "its terminal is lost: its own silence says nothing"),
        (Known(Health.NOT_SUPERVISED, Pause.ORDERED, ordered="enric: repair"), "paused by enric: repair"),
        (
            Known(Health.NOT_SUPERVISED, Pause.AWAY | Pause.WAREHOUSE),
            "the home was left: its pendants may be out of reach; it stands in the warehouse",
        ),
    ],
)
def test_a_state_in_words(known: Known, words: str) -> None:
    """The sentence names what happened, with its numbers."""
    assert why(known) == words


def test_no_pause_is_without_words() -> None:
    """Whatever keeps a device from being supervised can be told."""
    assert set(PAUSES) == set(Pause)
    assert all(why(Known(Health.NOT_SUPERVISED, pause)) for pause in Pause)
