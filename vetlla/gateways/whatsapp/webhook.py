"""Reads what Meta sends to the webhook.

    {"object": "whatsapp_business_account", "entry": [{"id": ..., "changes": [
        {"field": "messages", "value": {"metadata": {"phone_number_id": ...}, "contacts": [...],
                                        "messages": [...], "statuses": [...], "errors": [...]}},
        {"field": "message_template_status_update", "value": {...}}]}]}

One delivery holds many entries, changes, messages and statuses (Meta batches up to 1,000). Each is read by itself: one
that cannot be read does not hide the others. Contacts may be missing, or be without number or without id.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vetlla.gateways.received import Received, Unread
from vetlla.gateways.whatsapp.fields import Object, a_list, a_text, an_object
from vetlla.gateways.whatsapp.notices import FIELDS, error_notice, notices_of
from vetlla.gateways.whatsapp.replies import Contacts, UnreadableError, change_of, reply_of, system_notice
from vetlla.gateways.whatsapp.statuses import report_of

if TYPE_CHECKING:
    from datetime import datetime

    from vetlla.domain.messages import DeliveryReport, IncomingReply, NumberChanged
    from vetlla.gateways.received import ChannelNotice


def read(body: bytes, received_at: datetime, *, phone_number_id: str = "") -> Received:
    """Return all that a delivery tells. It raises nothing, whatever the bytes are.

    ``received_at`` stands for a time that is missing. With ``phone_number_id``, what was sent to another number of the
    account is kept as unread.
    """
    reader = _Reader(received_at, phone_number_id)
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return Received(unread=(Unread("", "this is no JSON", body.decode("utf-8", "replace")),))
    reader.document(document)
    return Received(
        reports=tuple(reader.reports),
        replies=tuple(reader.replies),
        changed=tuple(reader.changed),
        notices=tuple(reader.notices),
        unread=tuple(reader.unread),
    )


@dataclass(slots=True)
class _Reader:
    received_at: datetime
    phone_number_id: str
    reports: list[DeliveryReport] = field(default_factory=list)
    replies: list[IncomingReply] = field(default_factory=list)
    changed: list[NumberChanged] = field(default_factory=list)
    notices: list[ChannelNotice] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)

    def document(self, document: object) -> None:
        entries = self._items(an_object(document).get("entry"), "entry", document)
        for place, entry in entries:
            for where, change in self._items(an_object(entry).get("changes"), f"{place}.changes", entry):
                self._change(where, an_object(change), change)

    def _change(self, where: str, change: Object, raw: object) -> None:
        name, value = a_text(change.get("field")), change.get("value")
        if not isinstance(value, dict):
            self._keep(where, "it has no value", raw)
        elif name == "messages":
            self._messages(f"{where}.value", value)
        elif name in FIELDS:
            found = notices_of(name, value, self.received_at)
            self.notices += found
            if not found:
                self._keep(where, "it tells nothing", raw)
        else:
            self._keep(where, "its field is not one that is read", raw)

    def _messages(self, where: str, value: Object) -> None:
        number = a_text(an_object(value.get("metadata")).get("phone_number_id"))
        if self.phone_number_id and number and number != self.phone_number_id:
            self._keep(where, "it was sent to another number of the account", value)
            return
        contacts = Contacts(value)
        known = [name for name in ("messages", "statuses", "errors") if name in value]
        if not known:
            self._keep(where, "it has neither messages nor statuses nor errors", value)
        for name in known:
            for place, one in self._items(value[name], f"{where}.{name}", value):
                self._one(name, place, one, contacts)

    def _one(self, name: str, where: str, one: object, contacts: Contacts) -> None:
        if not isinstance(one, dict):
            self._keep(where, "it is no object", one)
            return
        try:
            match name:
                case "messages":
                    self._message(one, contacts)
                case "statuses":
                    self.reports.append(report_of(one, contacts, self.received_at))
                case _:
                    self.notices.append(error_notice(one, self.received_at))
        except UnreadableError as error:
            self._keep(where, str(error), one)

    def _message(self, message: Object, contacts: Contacts) -> None:
        if message.get("type") != "system":
            self.replies.append(reply_of(message, contacts, self.received_at))
        elif change := change_of(message, self.received_at):
            self.changed.append(change)
        else:
            self.notices.append(system_notice(message, self.received_at))

    def _items(self, value: object, where: str, around: object) -> list[tuple[str, Any]]:
        """Return the items of a list with their places. A value that is no list is kept as unread."""
        if not isinstance(value, list):
            self._keep(where, "it is no list", around)
        return [(f"{where}[{number}]", one) for number, one in enumerate(a_list(value))]

    def _keep(self, where: str, reason: str, raw: object) -> None:
        self.unread.append(Unread(where, reason, json.dumps(raw, ensure_ascii=False)))
