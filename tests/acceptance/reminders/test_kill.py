"""kill -9 of the reminder service: a short ``make chaos-reminders``, and tests that its judge notices each fault."""

from __future__ import annotations

import pytest

from bench.killing.chaos_reminders.judging import DONE_US, FAULTS, LEAD_US, Judge
from bench.killing.chaos_reminders.seen import Kind, Seen, What, kind_of, start_of
from bench.killing.chaos_reminders.stored import Stored
from tests.rigs.killing import killed
from tests.rigs.reminders import NOW, PHONE
from vetlla.domain.clock import SECOND_US, to_us
from vetlla.tasks.reminders.texts import load_texts

KILLS = 4
START = to_us(NOW)
LATER = START + 90 * 60 * SECOND_US
DUE = START - LEAD_US
NAME = "a"


def at(second: float, what: What, **more: object) -> Seen:
    """Return what was seen some seconds after the reminder was due."""
    return Seen(what, DUE + round(second * SECOND_US), PHONE, **more)  # type: ignore[arg-type]


BOOKED = at(-20, What.BOOKED, start_us=START, id=NAME)
GOT = at(1, What.GOT, start_us=START)
SENT = at(1, What.TAKEN, start_us=START, channel="whatsapp", id="w1", kind=Kind.REMINDER, detail="r1")
READ = SENT._replace(what=What.DELIVERED)
REMINDED = (BOOKED, GOT, SENT, READ)
PRESSED = at(5, What.CANCELS, start_us=START, channel="whatsapp", id="c1", is_button=True)
KEPT = at(5, What.KEPT, channel="whatsapp", id="c1")
ASKED = at(6, What.GOT, start_us=START)
DELETED = at(6, What.DELETED, start_us=START, detail="204")
CANCELLED = (*REMINDED, PRESSED, KEPT, ASKED, DELETED)
ANSWER = at(7, What.TAKEN, channel="whatsapp", id="w3", kind=Kind.ANSWER, detail="r3", words="Hem anul·lat la cita")
END = at(DONE_US / SECOND_US + 1, What.KILLED)
HANDLED = Stored(handled={("whatsapp", "c1")})
BY_SMS = SENT._replace(at_us=DUE + 600 * SECOND_US, channel="sms", id="s1", detail="r2")
MOVED = at(0, What.MOVED, start_us=LATER)
GONE = at(0, What.CANCELLED)


def test_no_reminder_is_doubled_and_nothing_is_lost_by_kill_9() -> None:
    """Services are killed at random instants, also in the middle of calls. Each reminder comes once."""
    tally = killed("chaos_reminders", "--kills", str(KILLS), "--quick")
    assert tally["kills"] == KILLS
    assert tally["reminders"] > 0


def test_the_judge_finds_no_fault_in_a_good_day() -> None:
    """A reminder, its cancellation by a button, and the cancellation at Orchestra are counted."""
    verdict = Judge([*CANCELLED, END], HANDLED).judge()
    assert verdict.told == []
    assert (verdict.reminders, verdict.cancellations, verdict.cancelled_at_source) == (1, 1, 1)


def test_what_no_client_can_avoid_is_counted_apart() -> None:
    """The office may act between a question and a call, and the outcome of a call may stay unknown."""
    raced = Judge([BOOKED, GOT, MOVED, SENT, READ], Stored()).judge()
    both = Judge([*REMINDED, GOT._replace(at_us=BY_SMS.at_us), BY_SMS, END], Stored()).judge()
    killed_in_call = Stored(unknown_sms={(NAME, START): [END.at_us - SECOND_US]})
    lost = Judge([BOOKED, GOT, END], killed_in_call).judge()
    moved = Judge([*REMINDED, PRESSED, KEPT, MOVED], HANDLED).judge()
    assert (raced.changed_before_call, both.by_sms_too, lost.lost_by_unknown_sms, moved.met_a_move) == (1, 1, 1, 1)
    assert raced.faults == both.faults == lost.faults == moved.faults == 0


BAD = {
    "doubled": ([*REMINDED, SENT._replace(id="w2", detail="r2"), END], Stored()),
    "answered_again": ([*CANCELLED, ANSWER, ANSWER._replace(id="w4", detail="r4")], HANDLED),
    "after_delivery": (
        [*REMINDED, READ._replace(what=What.REPORTED), GOT._replace(at_us=BY_SMS.at_us), BY_SMS],
        Stored(),
    ),
    "wrongly_sent": ([BOOKED, GONE, GOT._replace(start_us=0), SENT], Stored()),
    "wrongly_cancelled": ([*REMINDED, ASKED, DELETED], Stored()),
    "cancelled_blindly": ([*CANCELLED, DELETED._replace(detail="404")], HANDLED),
    "lost_cancellations": ([*REMINDED, PRESSED, KEPT, END], HANDLED),
    "missing": ([BOOKED, GOT, END], Stored()),
    "unhandled": (CANCELLED, Stored()),
    "unconfirmed": ([*REMINDED, PRESSED._replace(what=What.CONFIRMS), KEPT], HANDLED),
    "turned_away": ([*REMINDED, Seen(What.TURNED_AWAY, DUE, detail="403 /whatsapp")], Stored()),
    "damages": (REMINDED, Stored(damages=("audit record 1 is not sound",))),
}
"""What was seen and stored, by the fault that it shows."""


@pytest.mark.parametrize("fault", FAULTS)
def test_the_judge_notices(fault: str) -> None:
    """Each fault is noticed once, and no other one."""
    verdict = Judge(*BAD[fault]).judge()
    assert {name: getattr(verdict, name) for name in FAULTS if getattr(verdict, name)} == {fault: 1}
    assert len(verdict.told) == 1


def test_reminders_are_known_by_their_texts() -> None:
    """The bench tells reminders from other messages by the texts that come with the program, and finds their hours."""
    found = {text.name.value: set[Kind]() for text in load_texts().texts}
    for text in load_texts().texts:
        if text.language == "ca":
            found[text.name.value].add(kind_of(text.text))
    assert found["reminder"] == {Kind.REMINDER}
    assert found["moved"] == found["cancelled_by_office"] == {Kind.NOTICE}
    assert found["confirmed"] == found["cancelled"] == {Kind.ANSWER}
    assert start_of("Teniu cita dimarts 24/11 a les 11.30 h a l'OMAC.", [START, LATER]) == LATER


def test_a_message_that_is_repeated_as_it_is_counts_once() -> None:
    """The same reference again is one double, whatever the message is."""
    verdict = Judge([*CANCELLED, SENT._replace(id="w2"), ANSWER, ANSWER._replace(id="w4")], HANDLED).judge()
    assert verdict.doubled == verdict.faults == 2
