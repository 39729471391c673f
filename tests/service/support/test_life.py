"""What was done to a ticket says where it is, and what can be done next."""

from __future__ import annotations

import pytest

from tests.rigs.support import local, ticket
from vetlla.domain.errors import UsageError
from vetlla.domain.support import TicketAct
from vetlla.service.support.life import TicketState, life_of, refuse_wrong

OPENED = ("opened", "2026-11-23 09:00")
ANSWERED = ("answered", "2026-11-23 10:00")
PAUSED = ("paused", "2026-11-23 11:00")
SOLVED = ("solved", "2026-11-23 12:00")
NOW = local("2026-11-24 09:00")


def allowed(*acts: tuple[str, str]) -> set[str]:
    """Return the acts that are allowed next."""
    found = set()
    for act in TicketAct:
        if act is TicketAct.OPENED:
            continue
        try:
            refuse_wrong(ticket(*acts), act, NOW, NOW)
        except UsageError:
            continue
        found.add(act.value)
    return found


def test_a_ticket_waits_until_it_is_answered_and_is_open_until_it_is_solved() -> None:
    assert life_of(ticket(OPENED)).state is TicketState.WAITING
    assert life_of(ticket(OPENED, ANSWERED)).state is TicketState.ANSWERED
    assert life_of(ticket(OPENED, PAUSED)).state is TicketState.PAUSED
    assert life_of(ticket(OPENED, PAUSED, ("resumed", "2026-11-23 12:00"))).state is TicketState.WAITING
    assert life_of(ticket(OPENED, SOLVED)).state is TicketState.SOLVED
    assert life_of(ticket(OPENED, SOLVED, ("reopened", "2026-11-23 13:00"))).state is TicketState.ANSWERED


def test_each_state_allows_what_makes_sense() -> None:
    always = {"note"}
    open_acts = {"paused", "solved", "severity", *always}
    assert allowed(OPENED) == {"answered", *open_acts}
    assert allowed(OPENED, ANSWERED) == open_acts
    assert allowed(OPENED, PAUSED) == {"answered", "resumed", "severity", *always}
    assert allowed(OPENED, SOLVED) == {"reopened", *always}


def test_a_refusal_says_what_to_do() -> None:
    with pytest.raises(UsageError, match="ticket 1 is paused, so it cannot be solved") as raised:
        refuse_wrong(ticket(OPENED, PAUSED), TicketAct.SOLVED, NOW, NOW)
    assert raised.value.remedy.startswith("vetlla support resume 1")
    with pytest.raises(UsageError, match="ticket 1 is solved, so it cannot be raised or lowered") as raised:
        refuse_wrong(ticket(OPENED, SOLVED), TicketAct.SEVERITY, NOW, NOW)
    assert raised.value.remedy.startswith("vetlla support reopen 1")


def test_an_act_is_neither_before_the_last_one_nor_to_come() -> None:
    one = ticket(OPENED, ANSWERED)
    refuse_wrong(one, TicketAct.SOLVED, local("2026-11-23 10:00"), NOW)
    with pytest.raises(UsageError, match="later event"):
        refuse_wrong(one, TicketAct.SOLVED, local("2026-11-23 09:59"), NOW)
    with pytest.raises(UsageError, match="in the future"):
        refuse_wrong(one, TicketAct.SOLVED, local("2026-11-24 09:01"), NOW)
