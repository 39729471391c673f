"""Makes the texts of reminders and answers from what the office agreed on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vetlla.domain.errors import ConfigError
from vetlla.domain.messages import Channel, MessageKind, Outgoing
from vetlla.service.reminders.steps import BOOKED, RulesBook
from vetlla.service.reminders.texts.dates import LANGUAGES
from vetlla.service.reminders.texts.messages import Messages
from vetlla.service.reminders.texts.names import TextName, reminder_name
from vetlla.service.reminders.tokens import token
from vetlla.tasks.reminders.sending import NoTextError, Rendered
from vetlla.tasks.reminders.texts import load_offices, load_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from vetlla.domain.messages import Channel as ChannelName
    from vetlla.service.reminders.steps import Step
    from vetlla.service.reminders.texts.dates import Language
    from vetlla.tasks.reminders.replying import AnswerWanted
    from vetlla.tasks.reminders.sending import WantedMessage

_LISTS: Final = frozenset({TextName.LIST, TextName.CONFIRMED_SEVERAL, TextName.CANCELLED_SEVERAL})
_NOTICES: Final = {
    MessageKind.MOVED: TextName.MOVED,
    MessageKind.CANCELLED: TextName.CANCELLED_BY_OFFICE,
    MessageKind.INFORMATION: TextName.INFORMATION,
}


class Wording:
    """The texts of one installation, as ``sending`` and ``replying`` ask for them."""

    def __init__(
        self, messages: Messages, book: RulesBook, secret: bytes, gateways: Mapping[ChannelName, str], language: str
    ) -> None:
        """``gateways`` names the provider of each channel, and ``secret`` signs the payloads of buttons."""
        self._messages = messages
        self._book = book
        self._secret = secret
        self._gateways = gateways
        self._language = language

    def of_message(self, wanted: WantedMessage) -> Rendered:
        """Return the text of a message of the outbox. Raises NoTextError."""
        plan = wanted.message.plan
        gateway = self._gateways.get(wanted.channel, "")
        if plan.kind is MessageKind.ANSWER:
            return Rendered(Outgoing(reference="", phone="", text=plan.text, context=plan.context), gateway)
        if wanted.appointment is None:
            raise NoTextError
        try:
            name = _NOTICES.get(plan.kind) or self._reminder(wanted)
            made = self._messages.about(wanted.appointment, name, wanted.channel, self._spoken(wanted.language))
        except ConfigError as error:
            raise NoTextError from error
        if made is None:
            raise NoTextError
        is_template = wanted.channel is Channel.WHATSAPP
        reference = wanted.message.reference
        outgoing = Outgoing(
            reference=reference,
            phone="",
            text=made.text,
            template=made.source.template if is_template else "",
            language=made.source.language,
            parameters=made.parameters,
            buttons=tuple(token(self._secret, reference, action) for action in made.actions),
        )
        return Rendered(outgoing, gateway)

    def of_answer(self, wanted: AnswerWanted) -> str | None:
        """Return the text of an answer; None if the office switched it off or has no words for it."""
        language = self._spoken(wanted.language)
        about = wanted.appointments
        try:
            if wanted.answer in _LISTS and about:
                made = self._messages.about_several(about, wanted.answer, wanted.channel, language)
            elif about:
                made = self._messages.about(about[0], wanted.answer, wanted.channel, language)
            else:
                made = self._messages.about_none(wanted.answer, wanted.channel, language)
        except ConfigError:
            return None
        return None if made is None else made.text

    def _reminder(self, wanted: WantedMessage) -> TextName:
        if wanted.message.plan.key.step == BOOKED:
            return TextName.BOOKED
        step = self._step(wanted)
        if step is None:
            return TextName.REMINDER
        return reminder_name(step.lead, is_second=step.only_unconfirmed)

    def _step(self, wanted: WantedMessage) -> Step | None:
        assert wanted.appointment is not None
        rules = self._book.rules_for(wanted.appointment)
        return next((step for step in rules.steps if step.name == wanted.message.plan.key.step), None)

    def _spoken(self, language: str) -> Language:
        wanted = (language, self._language)
        return next((one for name in wanted for one in LANGUAGES if one == name), LANGUAGES[0])


def office_words(texts: Path | None, offices: Path | None) -> Callable[[AnswerWanted], str | None]:
    """Return a function that makes the texts of answers from files, or from those that come with the program.

    Raises ConfigError.
    """
    messages = Messages(catalogue=load_texts(texts), directory=load_offices(offices))
    return Wording(messages, RulesBook(), b"", {}, LANGUAGES[0]).of_answer
