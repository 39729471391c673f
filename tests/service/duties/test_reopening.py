"""A kind whose end can be undone: a document that was delivered and rejected is owed again."""

from __future__ import annotations

import pytest

from tests.rigs.homes_on_record import RULES, told, us
from vetlla.domain.duties import DutyEvent, DutyVerdict
from vetlla.service.duties.grouping import group
from vetlla.service.duties.kinds import parse_kinds
from vetlla.service.duties.standing import standing


def verdict(*events: tuple[str, str]) -> tuple[DutyVerdict, bool]:
    """Return the verdict and openness, on 20 March, of a document that was due on 10 March 2025."""
    opening = told("document", "invoice", "due", "2025-03-01T00:00", ref="r")._replace(end_us=us("2025-03-10T23:00"))
    rest = [told("document", "invoice", event, f"2025-03-{day}T10:00", ref="r") for event, day in events]
    recorded = [DutyEvent(number, event, "", 0) for number, event in enumerate([opening, *rest], start=1)]
    (duty,) = group(RULES.kinds.kind("document"), recorded).duties
    one = standing(duty, RULES, us("2025-03-20T00:00"))
    return one.verdict, one.is_open


def test_a_rejected_document_is_owed_again() -> None:
    assert verdict(("delivered", "05")) == (DutyVerdict.KEPT, False)
    assert verdict(("delivered", "05"), ("rejected", "06")) == (DutyVerdict.BREACHED, True)
    assert verdict(("delivered", "05"), ("rejected", "06"), ("delivered", "09")) == (DutyVerdict.KEPT, False)
    assert verdict(("delivered", "05"), ("rejected", "06"), ("delivered", "12")) == (DutyVerdict.BREACHED, False)


def test_a_rejected_document_can_still_be_called_off() -> None:
    assert verdict(("delivered", "05"), ("rejected", "06"), ("cancelled", "07")) == (DutyVerdict.CANCELLED, False)


def test_an_event_without_reference_finds_a_reopened_duty() -> None:
    """It belongs to the only duty that is open at its time."""
    opening = told("document", "invoice", "due", "2025-03-01T00:00", ref="r")._replace(end_us=us("2025-03-10T23:00"))
    events = [opening] + [
        told("document", "invoice", event, f"2025-03-0{day}T10:00")
        for event, day in (("delivered", 2), ("rejected", 3), ("delivered", 4))
    ]
    recorded = [DutyEvent(number, event, "", 0) for number, event in enumerate(events, start=1)]
    # The rejection itself comes when the duty is over, so it must name its duty.
    recorded[2] = recorded[2]._replace(told=recorded[2].told._replace(duty=1))
    grouped = group(RULES.kinds.kind("document"), recorded)
    assert not grouped.loose
    assert [event.id for event in grouped.duties[0].events] == [1, 2, 3, 4]


@pytest.mark.parametrize("reopens", ["done", "opened"])
def test_an_event_has_one_meaning(reopens: str) -> None:
    kind = {"title": "t", "subject": "home", "opens": "opened", "ends": ["done"], "clock": "none", "clause": "c"}
    parse_kinds({"one": kind | {"reopens": ["again"]}}, "file")
    with pytest.raises(Exception, match="named twice"):
        parse_kinds({"one": kind | {"reopens": [reopens]}}, "file")
