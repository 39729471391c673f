"""The card of a home: what an operator must know at an alarm. It is personal data, so it is kept apart and sealed.

The PCAP of Barcelona (13.1.a) asks for the person's file at the attention. The card is its part for the operator: who
lives there, how to get in, which people to call, and what to do. A field that is not known is empty.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, NamedTuple

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter

from vetlla.domain import telephones
from vetlla.domain.column_types import HomeCode, ShortText

NOTE_MAX: Final = 1_000
"""Most characters of an instruction or a note: an operator reads it while a person waits."""
PEOPLE_MAX: Final = 20
"""Most people of one home. A home with more of them is a residence, which has other forms of care."""
CONTACTS_MAX: Final = 20
"""Most contacts of one home: no operator calls more of them."""
TELEPHONES_MAX: Final = 5
LANGUAGES_MAX: Final = 5


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has unprintable characters")
    return text


def _one_language(text: str) -> str:
    if not text or ";" in text:
        raise ValueError("should be one language, such as ca")
    return text


def _callable(number: str) -> str:
    return telephones.checked(telephones.written(number.strip()))


CardNote = Annotated[str, Field(max_length=NOTE_MAX), AfterValidator(_printable)]
CardTelephone = Annotated[str, AfterValidator(_callable)]
Language = Annotated[ShortText, AfterValidator(_one_language)]
Languages = Annotated[tuple[Language, ...], Field(max_length=LANGUAGES_MAX)]
Named = Annotated[ShortText, Field(min_length=1)]
_STRICT: Final = ConfigDict(extra="forbid", str_strip_whitespace=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """A person who lives in the home."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    code: Named
    """Code of the person in the inventory."""
    name: ShortText = ""
    """How to address the person, as the person wishes."""
    languages: Languages = ()
    """The preferred language first: PCAP 13.1.f asks operators to use it."""
    hearing: CardNote = ""
    sight: CardNote = ""
    speech: CardNote = ""
    helps: CardNote = ""
    """What helps in a conversation, or in an emergency."""
    health: CardNote = ""
    """Only what an operator needs at an alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person to call. The place in the card's list is the order of the calls."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: Named
    relation: ShortText = ""
    telephones: Annotated[tuple[CardTelephone, ...], Field(max_length=TELEPHONES_MAX)] = ()
    languages: Languages = ()
    has_key: bool | None = None
    """None if that is not known."""
    when: CardNote = ""
    """When this person can be called, and for what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """All that the card of one home says."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    home: Annotated[HomeCode, Field(min_length=1)]
    address: CardNote = ""
    floor: ShortText = ""
    door: ShortText = ""
    intercom: ShortText = ""
    key_code: ShortText = ""
    """Code of the box with the key, or of the key at the base."""
    key_place: CardNote = ""
    """Where the key is."""
    access: CardNote = ""
    """What else helps to get in."""
    instructions: CardNote = ""
    """What operators should do, or avoid."""
    people: Annotated[tuple[Resident, ...], Field(max_length=PEOPLE_MAX)] = ()
    contacts: Annotated[tuple[Contact, ...], Field(max_length=CONTACTS_MAX)] = ()


CARD: Final = TypeAdapter(Card)
"""Reads and writes a card as JSON. It raises ValidationError for what no card may hold."""


class ReadReason(NamedTuple):
    """Why a card is read: the alarm that the operator works on, or a text."""

    alarm: int | None = None
    text: str = ""
