"""One text as an office wrote it."""

import hashlib
import json
import unicodedata
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from vetlla.domain.messages import Channel
from vetlla.service.reminders.lexicon import Intent
from vetlla.service.reminders.texts.dates import Language
from vetlla.service.reminders.texts.names import PURPOSES, Purpose, TextName
from vetlla.service.reminders.texts.places import PATTERN, names_in


class SmsEncoding(StrEnum):
    """Whether a text is sent by SMS as it is written."""

    EXACT = "exact"
    """As written. A letter outside the alphabet of GSM makes the text cost more segments."""
    FOLD = "fold"
    """With letters of GSM only: "anul·lar" becomes "anul.lar"."""


class SenderKind(StrEnum):
    """What an SMS comes from."""

    NUMBER = "number"
    ALIAS = "alias"
    """A name of letters. Telephones cannot answer it."""


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


Words = Annotated[str, AfterValidator(_composed)]
"""A text in Unicode's form NFC, because a letter and its accent as two characters are longer and outside GSM 7-bit."""


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    return text


NeededWords = Annotated[Words, AfterValidator(_not_empty)]


class Button(BaseModel):
    """A quick-reply button of a WhatsApp template."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: NeededWords
    action: Intent
    """What pressing it means."""


class Text(BaseModel):
    """One text in one language for one channel."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: TextName
    channel: Channel
    language: Language
    version: int = Field(ge=1)
    """The office raises it with each change."""
    text: NeededWords
    office: Words = ""
    """The source's id of the only office that uses it; "" for all."""
    service: Words = ""
    """The source's id of the only procedure that it is for; "" for all."""
    procedure: bool = False
    """True if it tells what the appointment is for."""
    sender: SenderKind = SenderKind.NUMBER
    """``alias`` for an SMS that no one can answer."""
    template: Words = ""
    """Name of the template that WhatsApp approved."""
    buttons: tuple[Button, ...] = ()
    replies: dict[Intent, NeededWords] = {}
    """The words that the text tells people to send, by their meaning."""
    sms_encoding: SmsEncoding = SmsEncoding.EXACT
    off: bool = False
    """True if the message is not sent."""

    @property
    def purpose(self) -> Purpose:
        """What the text may and must have."""
        return PURPOSES[self.name]

    @property
    def title(self) -> str:
        """The text's name for people: "ca sms reminder (office OMAC)"."""
        only = [f"{key} {value}" for key, value in (("office", self.office), ("service", self.service)) if value] + [
            word for word, holds in (("procedure", self.procedure), ("alias", self.has_alias)) if holds
        ]
        return f"{self.language} {self.channel} {self.name}" + (f" ({', '.join(only)})" if only else "")

    @property
    def key(self) -> tuple[object, ...]:
        """What distinguishes a text from all others."""
        return (self.name, self.channel, self.language, self.office, self.service, self.procedure, self.sender)

    @property
    def has_alias(self) -> bool:
        """True for an SMS that cannot be answered."""
        return self.channel is Channel.SMS and self.sender is SenderKind.ALIAS

    @property
    def is_template(self) -> bool:
        """True if WhatsApp must have approved it."""
        return self.channel is Channel.WHATSAPP and self.purpose.is_template

    @property
    def places(self) -> list[str]:
        """Names of its places, each once, in the order of the text."""
        return names_in(self.text)

    @property
    def without_places(self) -> str:
        """The text's own words."""
        return PATTERN.sub("", self.text)

    @property
    def digest(self) -> str:
        """SHA-256 of all that a citizen reads, and of the office and procedure it is for.

        The version and the name of the template are not in it, because a text with another number is the same text. Nor
        are keys without a value, so that a key of a later program ends no approval.
        """
        seen = self.model_dump(mode="json", exclude={"version", "template", "off"}, exclude_defaults=True)
        content = json.dumps(seen, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()
