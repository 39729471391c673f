"""What a person decides at the desk is what the dispatcher and the source then do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.rigs.reminders import TABLES, appointment, key
from tests.rigs.reminders_desk import ANNA, BIEL, DAY, OFFICE
from tests.rigs.replies import LEXICON
from vetlla.domain.appointments import AppointmentStatus
from vetlla.domain.errors import UsageError
from vetlla.domain.messages import Channel, MessageKind, MessageState, Outgoing
from vetlla.domain.outbox import MessageReason
from vetlla.service.reminders.cancelling import CancelRules
from vetlla.service.reminders.retention import USUAL_RETENTION
from vetlla.service.reminders.steps import RulesBook
from vetlla.store.reminders import cancellations, messages, replies
from vetlla.store.reminders.pseudonyms import Pseudonyms, key_name
from vetlla.store.secrets.keyring import SharedKey
from vetlla.store.sqlite.atomic import atomic
from vetlla.tasks.reminders import cancelling, sending
from vetlla.tasks.reminders.desk import erasing, inbox, opting, pausing
from vetlla.tasks.reminders.desk.inbox import Verdict
from vetlla.tasks.reminders.desk.opting import OptOut, OptOutSource
from vetlla.tasks.reminders.replying import ReplyRules, answer_cancellations
from vetlla.tasks.reminders.retiring import retire
from vetlla.tasks.reminders.rules import SendRules
from vetlla.tasks.reminders.sending import Rendered
from vetlla.tasks.reminders.wording import office_words

if TYPE_CHECKING:
    from tests.rigs.reminders_desk import DeskWorld
    from vetlla.tasks.reminders.sending import Ready, WantedMessage

RULES = SendRules(book=RulesBook(), tables=TABLES, conversations_in_24h=1_000)
WORDS = office_words(None, None)
MINUTE = timedelta(minutes=1)


def rendered(wanted: WantedMessage) -> Rendered:
    """Return the text of an answer, or a word for a reminder."""
    plan = wanted.message.plan
    text = plan.text if plan.kind is MessageKind.ANSWER else "recordatori"
    return Rendered(Outgoing(reference="", phone="", text=text, context=plan.context), "fake")


def dispatched(desk: DeskWorld) -> list[Ready]:
    """Return what the dispatcher hands over now."""
    taken = sending.take(desk.db, "tests", desk.now)
    pairs = [(one, desk.source.get(one.plan.key.appointment)) for one in taken]
    return sending.settle(desk.db, pairs, RULES, desk.now, rendered)


def reason(desk: DeskWorld, number: int) -> str:
    """Return the state of a message, and why."""
    message = messages.message(desk.db, number)
    return f"{message.state} {message.reason}".strip()


# --- answers ----------------------------------------------------------------------------------------------------------


def test_an_answer_is_sent_to_the_sender_as_a_free_message_in_the_thread(desk: DeskWorld) -> None:
    inbox.answer(desk.db, 1, "Porteu el DNI.", "ana", desk.now)
    desk.now += MINUTE
    (ready,) = (one for one in dispatched(desk) if one.message.plan.kind is MessageKind.ANSWER)
    assert (ready.channel, ready.is_template) == (Channel.WHATSAPP, False)
    assert (ready.outgoing.phone, ready.outgoing.text, ready.outgoing.context) == (ANNA, "Porteu el DNI.", "in-1")


def test_a_number_after_a_persons_words_is_no_answer_to_the_question_before_them(desk: DeskWorld) -> None:
    person = desk.citizen(ANNA)
    offers = tuple(replies.Offer(key(name), desk.now + DAY) for name in ("a1", "a2"))
    for act in ("answer", "confirm"):
        number = desk.writes(ANNA, "Com?", Channel.WHATSAPP)
        with atomic(desk.db):
            replies.ask(desk.db, person, replies.Dialogue("which cancel", offers, desk.now + DAY), desk.now)
        if act == "answer":
            inbox.answer(desk.db, number, " Quina de les dues?\n", "ana", desk.now)
        else:
            inbox.decide(desk.db, number, Verdict.CONFIRM, "a1", "", wording=WORDS, by="ana", now=desk.now)
        assert replies.dialogue(desk.db, person, desk.now) is None
    assert desk.answers()[0] == ("whatsapp", "Quina de les dues?")


def test_an_answer_is_of_no_use_after_the_window_closes(desk: DeskWorld) -> None:
    desk.now += timedelta(hours=23)
    inbox.answer(desk.db, 1, "Porteu el DNI.", "ana", desk.now)
    (number,) = desk.db.execute("SELECT id FROM outbox WHERE kind = 'answer'").fetchone()
    assert messages.message(desk.db, number).plan.useful_until == desk.now + timedelta(hours=1)


def test_the_window_is_closed_some_minutes_before_its_end(desk: DeskWorld) -> None:
    desk.now += timedelta(hours=24) - timedelta(minutes=4)
    with pytest.raises(UsageError, match="24 hours"):
        inbox.answer(desk.db, 1, "Porteu el DNI.", "ana", desk.now)
    assert [one.entry.reply.id for one in inbox.waiting(desk.db, desk.now)] == [1, 2]


def test_a_yes_that_is_read_after_a_weekend_is_kept_without_an_answer(desk: DeskWorld) -> None:
    desk.now += timedelta(hours=30)
    done = inbox.decide(desk.db, 1, Verdict.CONFIRM, "a2", "", wording=WORDS, by="ana", now=desk.now)
    assert done.answer == ""
    assert desk.answers() == []
    assert desk.audited() == [("inbox confirm", "reply 1")]


def test_a_confirmation_whose_text_cannot_be_sent_leaves_everything_as_it_was(desk: DeskWorld) -> None:
    desk.now += timedelta(hours=23, minutes=58)
    with pytest.raises(UsageError, match="24 hours"):
        inbox.decide(desk.db, 1, Verdict.CONFIRM, "a2", "Fins demà!", wording=WORDS, by="ana", now=desk.now)
    assert not any(one.is_confirmed for one in inbox.waiting(desk.db, desk.now)[0].appointments)
    assert desk.audited() == []


def test_a_confirmation_without_words_of_the_office_sends_nothing(desk: DeskWorld) -> None:
    done = inbox.decide(desk.db, 2, Verdict.CONFIRM, "b1", "", wording=lambda _: None, by="ana", now=desk.now)
    assert (done.answer, desk.answers()) == ("", [])


# --- cancellations ----------------------------------------------------------------------------------------------------


def test_a_cancellation_by_a_person_reaches_the_source_and_the_citizen(desk: DeskWorld) -> None:
    inbox.decide(desk.db, 2, Verdict.CANCEL, "b1", "", wording=WORDS, by="ana", now=desk.now)
    (wanted,) = cancellations.due_cancellations(desk.db, desk.now)
    begun = cancelling.begin(desk.db, wanted, desk.source.get(wanted.appointment), CancelRules(), desk.now)
    assert begun.call is not None
    cancelling.end(desk.db, begun.call, desk.source.cancel(wanted.appointment), desk.now)
    rules = ReplyRules(lexicon=LEXICON, secret=b"", wording=WORDS)
    assert answer_cancellations(desk.db, rules, desk.now) == 1
    ((channel, text),) = desk.answers()
    assert channel == "sms"
    assert "Hem anul·lat la cita" in text
    assert desk.source.cancelled == [key("b1")]


def test_an_appointment_that_moved_meanwhile_is_not_cancelled(desk: DeskWorld) -> None:
    inbox.decide(desk.db, 2, Verdict.CANCEL, "b1", "", wording=WORDS, by="ana", now=desk.now)
    desk.source.put(appointment("b1", desk.now + 3 * DAY, office=OFFICE, phone=BIEL))
    (wanted,) = cancellations.due_cancellations(desk.db, desk.now)
    begun = cancelling.begin(desk.db, wanted, desk.source.get(wanted.appointment), CancelRules(), desk.now)
    assert begun.call is None
    assert desk.source.cancelled == []


# --- pauses, opt-outs, erasures ---------------------------------------------------------------------------------------


def test_a_resumed_office_sends_at_once_what_waited_for_the_end_of_the_pause(desk: DeskWorld) -> None:
    pausing.pause(desk.db, OFFICE, desk.now, desk.now + timedelta(hours=8), why="obres", by="ana")
    assert dispatched(desk) == []
    assert reason(desk, 2) == "planned paused"
    desk.now += timedelta(hours=1)
    assert pausing.resume(desk.db, OFFICE, "ana", desk.now) == 1
    (ready,) = dispatched(desk)
    assert ready.message.id == 2


def test_an_opt_out_stops_a_planned_message_and_an_opt_in_brings_it_back(desk: DeskWorld) -> None:
    opting.opt_out(desk.db, [OptOut(BIEL)], OptOutSource.OPERATOR, "ana", desk.now)
    assert dispatched(desk) == []
    assert reason(desk, 2) == f"suppressed {MessageReason.OPTED_OUT}"
    opting.opt_in(desk.db, BIEL, opting.BOTH, "ana", desk.now)
    (ready,) = dispatched(desk)
    assert ready.message.id == 2


def test_an_erased_person_gets_nothing_more_until_the_source_names_her_again(desk: DeskWorld) -> None:
    assert erasing.erase(desk.db, BIEL, "ana", desk.now, Pseudonyms({}))
    assert dispatched(desk) == []
    assert reason(desk, 2) == f"{MessageState.SUPPRESSED} {MessageReason.ERASED}"
    assert desk.source.get(key("b1")) == appointment(
        "b1", desk.now + DAY, office=OFFICE, phone=BIEL, status=AppointmentStatus.CREATED
    )


def test_an_erasure_reaches_rows_that_have_a_pseudonym_already(desk: DeskWorld) -> None:
    keys = Pseudonyms({key_name(desk.now.year): SharedKey(current=bytes(16), since=desk.now, by="ana")})
    later = desk.now + timedelta(days=40)
    *_, done = retire(desk.db, USUAL_RETENTION, keys, "cron", later)
    assert done.appointments == 3
    assert desk.audited()[-1] == ("retired", "personal data")
    hidden = erasing.erase(desk.db, ANNA, "ana", later, keys, dry_run=True).pseudonyms
    assert hidden == {"appointments": 2, "outbox": 1}
    assert erasing.erase(desk.db, ANNA, "ana", later, keys).pseudonyms == hidden
    assert not erasing.erase(desk.db, ANNA, "ana", later, keys).pseudonyms
    rows = desk.db.execute("SELECT count(*) FROM appointments WHERE pseudonym = ''").fetchone()
    assert rows[0] == 2


def test_a_round_that_removes_nothing_leaves_no_record(desk: DeskWorld) -> None:
    assert not any(retire(desk.db, USUAL_RETENTION, Pseudonyms({}), "cron", desk.now))
    assert desk.audited() == []
