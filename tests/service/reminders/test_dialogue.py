"""The conversation with one person about her appointments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rigs.replies import LEXICON
from vetlla.domain.appointments import AppointmentKey
from vetlla.service.reminders.dialogue import (
    LISTED_FOR,
    Answered,
    Candidate,
    Decision,
    Dialogue,
    decide,
    question_of,
)
from vetlla.service.reminders.replies import understand
from vetlla.service.reminders.texts.names import TextName

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ONE, TWO, THREE = (AppointmentKey("lleida", name) for name in ("one", "two", "three"))


def candidate(key: AppointmentKey, *, hours: float = 24, answered: Answered = Answered.NOTHING) -> Candidate:
    start = NOW + timedelta(hours=hours)
    return Candidate(key=key, start=start, end=start + timedelta(minutes=10), answered=answered)


class Talk:
    """A person who answers; keeps the dialogue between replies."""

    def __init__(self, *candidates: Candidate) -> None:
        self.candidates = list(candidates)
        self.dialogue: Dialogue | None = None
        self.now = NOW

    def says(self, text: str, meant: AppointmentKey | None = None) -> Decision:
        question = question_of(self.dialogue, self.candidates, self.now)
        decision = decide(understand(text, LEXICON, question), self.candidates, self.dialogue, self.now, meant=meant)
        self.dialogue = decision.dialogue
        return decision


def test_the_only_appointment_is_meant() -> None:
    talk = Talk(candidate(ONE))
    assert talk.says("sí") == Decision(confirm=(ONE,), answer=TextName.CONFIRMED)
    assert talk.says("anul·lar") == Decision(cancel=(ONE,), language="ca")


def test_a_confirmation_can_become_a_cancellation_and_not_the_other_way() -> None:
    assert Talk(candidate(ONE, answered=Answered.CONFIRMED)).says("anul·lar").cancel == (ONE,)
    assert Talk(candidate(ONE, answered=Answered.CANCELLED)).says("sí") == Decision(
        answer=TextName.CONFIRM_REFUSED, about=ONE
    )


def test_several_appointments_are_listed_and_named_by_their_number() -> None:
    talk = Talk(candidate(TWO, hours=26), candidate(ONE, hours=24))
    asked = talk.says("anul·lar")
    assert (asked.answer, asked.listed, asked.cancel) == (TextName.LIST, (ONE, TWO), ())
    assert talk.says("2") == Decision(cancel=(TWO,))


def test_a_list_that_expired_gives_no_number_a_meaning() -> None:
    talk = Talk(candidate(ONE), candidate(TWO, hours=25))
    talk.says("anul·lar")
    talk.now += LISTED_FOR
    assert talk.says("2").answer is TextName.LIST


def test_all_listed_appointments_can_be_cancelled_with_one_reply() -> None:
    talk = Talk(candidate(ONE), candidate(TWO, hours=25))
    assert talk.says("anul·lar totes").cancel == ()
    assert talk.says("anul·lar totes").cancel == (ONE, TWO)


def test_the_message_that_was_answered_names_the_appointment() -> None:
    talk = Talk(candidate(ONE), candidate(TWO, hours=25))
    assert talk.says("anul·lar", meant=TWO).cancel == (TWO,)
    assert talk.says("👍", meant=ONE).confirm == (ONE,)


def test_a_yes_is_about_the_appointment_that_has_no_answer_yet_but_a_cancellation_is_asked() -> None:
    talk = Talk(candidate(ONE, answered=Answered.CONFIRMED), candidate(TWO, hours=25))
    assert talk.says("sí").confirm == (TWO,)
    assert talk.says("anul·lar").answer is TextName.LIST


def test_an_appointment_that_ends_keeps_the_numbers_of_the_others() -> None:
    talk = Talk(candidate(ONE, hours=1), candidate(TWO, hours=25))
    talk.says("anul·lar")
    talk.now += timedelta(minutes=75)
    assert talk.says("1").cancel == ()
    talk = Talk(candidate(ONE, hours=1), candidate(TWO, hours=25))
    talk.says("anul·lar")
    talk.now += timedelta(minutes=75)
    assert talk.says("2").cancel == (TWO,)


def test_what_is_not_understood_is_asked_back_once_and_then_read_by_a_person() -> None:
    talk = Talk(candidate(ONE))
    assert talk.says("no").answer is TextName.ASK
    assert talk.says("no confirmo") == Decision(to_inbox=True, dialogue=talk.dialogue)


def test_a_story_goes_to_the_inbox_and_keeps_the_question() -> None:
    talk = Talk(candidate(ONE), candidate(TWO, hours=25))
    talk.says("anul·lar")
    assert talk.says("Quina documentació he de portar?").to_inbox
    assert talk.says("1").cancel == (ONE,)


def test_a_late_reply_changes_nothing() -> None:
    assert Talk(candidate(ONE, hours=-3)).says("anul·lar") == Decision(answer=TextName.PAST, language="ca", about=ONE)


def test_an_unknown_sender_gets_no_personal_data() -> None:
    decision = Talk().says("anul·lar")
    assert (decision.answer, decision.to_inbox, decision.listed) == (TextName.UNKNOWN_SENDER, True, ())


def test_opting_out_needs_no_appointment() -> None:
    assert Talk().says("BAIXA") == Decision(answer=TextName.OPTED_OUT, opt_out=True, language="ca")
    assert Talk(candidate(ONE)).says("alta").opt_out is False


def test_another_day_cancels_nothing() -> None:
    decision = Talk(candidate(ONE)).says("no puc venir, un altre dia")
    assert (decision.answer, decision.cancel, decision.to_inbox) == (TextName.RESCHEDULE, (), True)


REPLIES = [
    "sí",
    "no",
    "anul·lar",
    "anul·lar 2",
    "1",
    "2",
    "3",
    "totes",
    "anul·lar totes",
    "no anul·leu",
    "hola",
    "👍",
    "👎",
    "sí 1",
]


@given(
    st.lists(st.sampled_from(REPLIES), max_size=6),
    st.lists(st.tuples(st.sampled_from([-1.0, 1.0, 24.0, 48.0]), st.sampled_from(list(Answered))), max_size=3),
)
def test_only_a_clear_cancellation_cancels_and_never_one_that_is_over(
    texts: list[str], appointments: list[tuple[float, Answered]]
) -> None:
    keys = (ONE, TWO, THREE)
    talk = Talk(*(candidate(key, hours=h, answered=a) for key, (h, a) in zip(keys, appointments, strict=False)))
    for text in texts:
        wanted_before = talk.dialogue.wanted if talk.dialogue else None
        decision = talk.says(text)
        if decision.cancel:
            assert text.startswith(("anul·lar", "👎")) or wanted_before == "cancel"
            ends = {one.key: one.end for one in talk.candidates}
            assert any(ends[key] > talk.now for key in decision.cancel)


@pytest.mark.parametrize("text", ["sí", "anul·lar", "2", "no", "hola"])
def test_no_reply_of_a_person_with_two_appointments_cancels_without_a_number(text: str) -> None:
    assert Talk(candidate(ONE), candidate(TWO, hours=25)).says(text).cancel == ()


@pytest.mark.parametrize(("text", "answer"), [("no", TextName.ASK), ("un altre dia", TextName.RESCHEDULE)])
def test_a_question_speaks_of_the_appointment_to_come_and_not_of_one_that_is_over(text: str, answer: TextName) -> None:
    decision = Talk(candidate(ONE, hours=-20), candidate(TWO)).says(text)
    assert (decision.answer, decision.about) == (answer, TWO)


def test_a_question_speaks_of_the_appointment_of_the_message_that_was_answered() -> None:
    assert Talk(candidate(ONE), candidate(TWO, hours=25)).says("no", meant=TWO).about == TWO
