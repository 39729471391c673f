"""The telephone's program shows messages of the city, sends what is typed, and runs commands that begin with /."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from vetlla.cli.kit.moments import shown
from vetlla.cli.reminders.handset.keyboard import Keyboard
from vetlla.cli.reminders.handset.screen import HandsetScreen
from vetlla.domain.clock import seconds_of
from vetlla.domain.messages import Channel
from vetlla.domain.telephones import e164
from vetlla.simulator.messaging.phones import ChannelEvent, MessageFate

if TYPE_CHECKING:
    from collections.abc import Callable

    from vetlla.simulator.messaging.phones import Bubble, Phone, PhoneBook
    from vetlla.simulator.messaging.sms.gateway import SmsGateway
    from vetlla.simulator.messaging.whatsapp.cloud import WhatsAppCloud

LAST_SHOWN: Final = 5
"""Messages that are shown again when another telephone is taken up."""
EXCERPT: Final = 60
"""Characters of a message for another telephone."""
HELP: Final = (
    "TEXT         answers the last message, or presses its button if it is that number",
    "/sms TEXT    answers by SMS",
    "/react EMOJI reacts to the last WhatsApp message",
    "/voice       sends a voice message",
    "/phones      lists the telephones that got a message",
    "/switch N    takes up another telephone: its place in the list, or its number",
    "/off, /on    switches this telephone off or on",
    "/nowhatsapp  removes WhatsApp from it; /whatsapp installs it again",
    "/nonumber    lets the number not exist; /number gives it back",
    "/hide        takes a user name, so that WhatsApp hides the number; /show ends that",
    "/clock +2h   sets the clock ahead",
    "/wait        reads the next line when the last message is one of the city",
    "/quit        ends",
)


class Handset:
    """One person with all the telephones, of which one is in the hand."""

    def __init__(
        self,
        book: PhoneBook,
        whatsapp: WhatsAppCloud,
        sms: SmsGateway,
        *,
        advance: Callable[[float], None] | None = None,
        number: str = "",
    ) -> None:
        """``advance`` sets the clock ahead by seconds; None if there is only the true time.

        ``number`` is the telephone that is in the hand at first; "" for the one that gets the first message.
        """
        self._first = number
        self._book = book
        self._whatsapp = whatsapp
        self._sms = sms
        self._advance = advance
        self._phone: Phone | None = None
        self._heard: asyncio.Queue[ChannelEvent | str | None] = asyncio.Queue()
        self._held: deque[str | None] = deque()
        self._is_waiting = False
        self._keyboard = Keyboard(self._heard.put_nowait, self._redraw)
        self._screen = HandsetScreen(has_prompt=self._keyboard.is_terminal)
        self._commands: dict[str, Callable[[str], None]] = {
            "help": self._help,
            "phones": self._list,
            "switch": self._switch,
            "sms": self._answer_by_sms,
            "react": self._react,
            "voice": lambda _: self._in_hand(self._whatsapp.citizens.speak),
            "on": lambda _: self._turn(is_on=True),
            "off": lambda _: self._turn(is_on=False),
            "nowhatsapp": lambda _: self._change("has_whatsapp", False, "has no WhatsApp now"),
            "whatsapp": lambda _: self._change("has_whatsapp", True, "has WhatsApp again"),
            "nonumber": lambda _: self._change("exists", False, "does not exist now"),
            "number": lambda _: self._change("exists", True, "exists again"),
            "hide": lambda _: self._change("hides_number", True, "is hidden by WhatsApp now"),
            "show": lambda _: self._change("hides_number", False, "is told by WhatsApp again"),
            "clock": self._clock,
            "wait": self._wait,
        }
        book.watch(self._heard.put_nowait)

    async def use(self) -> None:
        """Show and send, until the input ends or ``/quit`` is typed."""
        with self._keyboard:
            self._redraw()
            self._screen.note("Waiting for a message. /help lists the commands.")
            if self._first:
                self._take_up(self._book.phone(self._first))
            try:
                while await self._next():
                    pass
                await self._book.settle()  # the city hears what was typed last
            finally:
                self._screen.end()

    async def _next(self) -> bool:
        """Take what happens next. Return False at the end."""
        # What happened is shown before the next line is read, so that a conversation stands in its order.
        if self._held and not self._is_waiting and self._heard.empty():
            return self._typed(self._held.popleft())
        one = await self._heard.get()
        if isinstance(one, ChannelEvent):
            self._happened(one)
        else:
            self._held.append(one)
        return True

    # --- what comes ---------------------------------------------------------------------------------------------------

    def _happened(self, one: ChannelEvent) -> None:
        if one.what not in {MessageFate.DELIVERED, "reply"}:
            return
        phone = self._book.phone(one.phone)
        if self._phone is None:
            self._take_up(phone)
        elif phone is not self._phone:
            self._screen.note(
                f"for {phone.number}: {one.text.partition(chr(10))[0][:EXCERPT]}   (/switch {phone.number})"
            )
        elif (bubble := self._book.message(phone, one.id)) is not None:
            self._screen.bubble(bubble)
        if one.what == MessageFate.DELIVERED and phone is self._phone:
            self._is_waiting = False

    def _take_up(self, phone: Phone) -> None:
        if self._phone is not None:
            self._book.look_at(self._phone, is_looked_at=False)
        self._phone = phone
        self._screen.note(f"You hold the telephone {phone.number}.")
        for bubble in phone.thread[-LAST_SHOWN:]:
            self._screen.bubble(bubble)
        self._book.look_at(phone)
        self._redraw()

    # --- what is typed ------------------------------------------------------------------------------------------------

    def _typed(self, line: str | None) -> bool:
        """Do what a line says. Return False at the end."""
        if line is None:
            return False
        text = line.strip()
        if text.startswith("/"):
            name, _, rest = text[1:].partition(" ")
            if name == "quit":
                return False
            command = self._commands.get(name)
            if command is None:
                self._screen.note(f"There is no command /{name}. /help lists them.")
            else:
                command(rest.strip())
        elif text:
            self._in_hand(lambda phone: self._answer(phone, text))
        return True

    def _answer(self, phone: Phone, text: str) -> None:
        last = next((one for one in reversed(phone.thread) if one.is_from_city), None)
        channel = last.channel if last else Channel.WHATSAPP
        if channel is Channel.WHATSAPP and not phone.has_whatsapp:
            channel = Channel.SMS
        if channel is Channel.SMS:
            self._sms.reply(phone, text)
        elif last and text.isdecimal() and 1 <= int(text) <= len(last.buttons):
            self._whatsapp.citizens.press(phone, last, int(text) - 1)
        else:
            self._whatsapp.citizens.reply(phone, text)

    def _answer_by_sms(self, text: str) -> None:
        if text:
            self._in_hand(lambda phone: self._sms.reply(phone, text))

    def _react(self, emoji: str) -> None:
        def react(phone: Phone) -> None:
            last = _last_of_whatsapp(phone)
            if last is None:
                self._screen.note("There is no WhatsApp message to react to.")
            else:
                self._whatsapp.citizens.react(phone, last, emoji)

        self._in_hand(react)

    def _in_hand(self, act: Callable[[Phone], object]) -> None:
        """Do something with the telephone in the hand, if there is one and it is on."""
        if self._phone is None:
            self._screen.note("No telephone got a message yet. /switch +34600000001 takes one up.")
        elif not self._phone.is_on:
            self._screen.note("The telephone is off. /on switches it on.")
        else:
            act(self._phone)

    # --- commands -----------------------------------------------------------------------------------------------------

    def _help(self, _: str) -> None:
        for line in HELP:
            self._screen.note(line)

    def _list(self, _: str) -> None:
        if not self._book.phones:
            self._screen.note("No telephone got a message yet.")
        for place, phone in enumerate(self._book.phones.values(), start=1):
            unread = sum(one.is_from_city and not one.is_read for one in phone.thread)
            facts = [f"{len(phone.thread)} messages", f"{unread} unread"]
            facts += [
                words
                for words, is_so in (
                    ("off", not phone.is_on),
                    ("no WhatsApp", not phone.has_whatsapp),
                    ("does not exist", not phone.exists),
                    ("hides its number", phone.hides_number),
                )
                if is_so
            ]
            hand = "*" if phone is self._phone else " "
            self._screen.note(f"{hand} {place}  {phone.number}  {', '.join(facts)}")

    def _switch(self, which: str) -> None:
        phones = list(self._book.phones.values())
        if which.isdecimal() and 1 <= int(which) <= len(phones):
            self._take_up(phones[int(which) - 1])
        elif number := e164(which):
            self._take_up(self._book.phone(number))
        else:
            self._screen.note("Write /switch and a place in the list of /phones, or a telephone number.")

    def _turn(self, *, is_on: bool) -> None:
        if self._phone is None:
            self._screen.note("There is no telephone in your hand.")
        else:
            self._screen.note(f"{self._phone.number} is {'on' if is_on else 'off'}.")
            self._book.switch(self._phone, is_on=is_on)

    def _change(self, name: str, value: bool, words: str) -> None:
        if self._phone is None:
            self._screen.note("There is no telephone in your hand.")
        else:
            setattr(self._phone, name, value)
            self._screen.note(f"{self._phone.number} {words}.")

    def _clock(self, text: str) -> None:
        try:
            seconds = seconds_of(text.removeprefix("+"))
        except ValueError:
            self._screen.note("Write how far to set the clock ahead, such as /clock +2h or /clock +1d.")
            return
        if self._advance is None:
            self._screen.note("This clock shows the true time and cannot be set.")
        else:
            self._advance(seconds)
            self._screen.note(f"It is {shown(self._book.agenda.now_us)} now.")

    def _wait(self, _: str) -> None:
        thread = self._phone.thread if self._phone else []
        self._is_waiting = not thread or not thread[-1].is_from_city

    def _redraw(self) -> None:
        self._screen.prompt(self._phone.number if self._phone else "", self._keyboard.typed)


def _last_of_whatsapp(phone: Phone) -> Bubble | None:
    return next((one for one in reversed(phone.thread) if one.is_from_city and one.channel is Channel.WHATSAPP), None)
