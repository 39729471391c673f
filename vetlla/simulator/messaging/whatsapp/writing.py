"""Messages of citizens: words, buttons, reactions, voices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vetlla.domain.messages import Channel
from vetlla.simulator.messaging.phones import Bubble
from vetlla.simulator.messaging.whatsapp import webhook

if TYPE_CHECKING:
    from vetlla.simulator.messaging.phones import Phone
    from vetlla.simulator.messaging.whatsapp.state import CloudState


class Writing:
    """Lets citizens write, and tells the webhook."""

    def __init__(self, state: CloudState) -> None:
        self._state = state

    def reply(self, phone: Phone, text: str, *, context: str = "") -> Bubble:
        """Let a citizen write; ``context`` is the message that is quoted."""
        bubble = self._written(phone, text, context)
        self._state.callback.tell(webhook.text_change(self._state.account, phone, bubble))
        return bubble

    def press(self, phone: Phone, message: Bubble, index: int) -> Bubble:
        """Let a citizen press a button of a message, counted from 0."""
        button = message.buttons[index]
        bubble = self._written(phone, button.label, message.id)
        is_template = self._state.orders[message.id].content.is_template
        self._state.callback.tell(
            webhook.button_change(self._state.account, phone, bubble, button.payload, of_template=is_template)
        )
        return bubble

    def react(self, phone: Phone, message: Bubble, emoji: str) -> Bubble:
        """Let a citizen react to a message; an empty reaction takes it back."""
        bubble = self._written(phone, emoji, message.id)
        self._state.callback.tell(webhook.reaction_change(self._state.account, phone, bubble))
        return bubble

    def speak(self, phone: Phone) -> Bubble:
        """Let a citizen send a voice message."""
        bubble = self._written(phone, "", "")
        self._state.callback.tell(webhook.voice_change(self._state.account, phone, bubble))
        return bubble

    def _written(self, phone: Phone, text: str, context: str) -> Bubble:
        bubble = Bubble(
            id=self._state.wamid(phone.number, is_incoming=True),
            channel=Channel.WHATSAPP,
            text=text,
            at=self._state.book.agenda.now,
            is_from_city=False,
            context=context,
        )
        self._state.book.write(phone, bubble)
        return bubble
