"""Switches for telephones, and for what their owners do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from aiohttp import web

from vetlla.domain.telephones import e164
from vetlla.simulator.web.bodies import body_of, text_of
from vetlla.simulator.web.switches import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vetlla.simulator.messaging.phones import Bubble, Phone, PhoneBook

_PROPERTIES: Final = ("exists", "has_whatsapp", "hides_number")


class Writer(Protocol):
    """Lets a citizen write by one channel."""

    def reply(self, phone: Phone, text: str, *, context: str = "") -> Bubble:
        """Let a citizen write."""
        ...

    def press(self, phone: Phone, message: Bubble, index: int) -> Bubble:
        """Let a citizen press a button of a message, counted from 0."""
        ...


class PhoneSwitches:
    """The handlers of the switches."""

    def __init__(self, book: PhoneBook, writer: Writer) -> None:
        self._book = book
        self._writer = writer

    def routes(self) -> Iterable[web.RouteDef]:
        """Yield its routes."""
        yield web.get(f"{ROOT}/phones", self.phones)
        yield web.get(f"{ROOT}/phones/{{number}}", self.phone)
        yield web.patch(f"{ROOT}/phones/{{number}}", self.change)
        yield web.post(f"{ROOT}/phones/{{number}}/replies", self.reply)

    async def phones(self, _: web.Request) -> web.Response:
        """Show all telephones."""
        return web.json_response([_shown(one) for one in self._book.phones.values()])

    async def phone(self, request: web.Request) -> web.Response:
        """Show a telephone with its conversation."""
        phone = self._phone(request)
        return web.json_response(_shown(phone) | {"thread": [_bubble(one) for one in phone.thread]})

    async def change(self, request: web.Request) -> web.Response:
        """Change a telephone: ``exists``, ``is_on``, ``has_whatsapp``, ``hides_number``, ``is_looked_at``."""
        phone, body = self._phone(request), await body_of(request)
        unknown = body.keys() - {*_PROPERTIES, "is_on", "is_looked_at"}
        if unknown or not all(isinstance(value, bool) for value in body.values()):
            raise web.HTTPBadRequest(text="a telephone has switches, which are true or false")
        for name in _PROPERTIES:
            setattr(phone, name, body.get(name, getattr(phone, name)))
        if "is_looked_at" in body:
            self._book.look_at(phone, is_looked_at=body["is_looked_at"])
        if "is_on" in body:
            self._book.switch(phone, is_on=body["is_on"])
        return web.json_response(_shown(phone))

    async def reply(self, request: web.Request) -> web.Response:
        """Let its owner write ``text``, or press ``button``, counted from 1, of the last message that has some."""
        phone, body = self._phone(request), await body_of(request)
        if not phone.is_on:
            raise web.HTTPConflict(text="the telephone is off")
        button = body.get("button")
        if button is None:
            written = self._writer.reply(phone, text_of(body, "text"), context=text_of(body, "context"))
        else:
            message = next((one for one in reversed(phone.thread) if one.buttons), None)
            if message is None or not isinstance(button, int) or not 1 <= button <= len(message.buttons):
                raise web.HTTPBadRequest(text="there is no such button")
            written = self._writer.press(phone, message, button - 1)
        return web.json_response(_bubble(written), status=201)

    def _phone(self, request: web.Request) -> Phone:
        number = e164(request.match_info["number"])
        if not number:
            raise web.HTTPBadRequest(text="this is no telephone number")
        return self._book.phone(number)


def _shown(phone: Phone) -> dict[str, Any]:
    names = ("number", "person", "name", *_PROPERTIES, "is_on", "is_looked_at")
    return {name: getattr(phone, name) for name in names} | {"messages": len(phone.thread)}


def _bubble(bubble: Bubble) -> dict[str, Any]:
    return {
        "id": bubble.id,
        "channel": bubble.channel.value,
        "is_from_city": bubble.is_from_city,
        "text": bubble.text,
        "at": bubble.at.isoformat(),
        "buttons": [one.label for one in bubble.buttons],
        "context": bubble.context,
        "is_read": bubble.is_read,
    }
