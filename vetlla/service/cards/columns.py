"""The columns of files of cards. Column ``what`` says if a row is about a home, a person there, or a contact."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field
from typing_extensions import TypedDict

from vetlla.domain import telephones
from vetlla.domain.cards import LANGUAGES_MAX, TELEPHONES_MAX, CardNote
from vetlla.domain.column_types import MAX_TEXT, HomeCode, ShortText, is_short
from vetlla.domain.columns import Cell, Holds, ReadBy, RowKind
from vetlla.service.homes.columns import Code, YesNo


class CardPart(StrEnum):
    """What a row is about."""

    HOME = "home"
    PERSON = "person"
    CONTACT = "contact"


def _parts(cell: str) -> list[str]:
    return [part for part in map(str.strip, cell.split(";")) if part]


def _languages(cell: str) -> tuple[str, ...]:
    found = _parts(cell)
    if len(found) > LANGUAGES_MAX or not all(map(is_short, found)):
        raise ValueError(f"should be at most {LANGUAGES_MAX} languages of at most {MAX_TEXT} printable characters")
    return tuple(found)


def _telephones(cell: str) -> tuple[str, ...]:
    found = _parts(cell)
    if len(found) > TELEPHONES_MAX:
        raise ValueError(f"should be at most {TELEPHONES_MAX} telephones")
    return tuple(telephones.checked(telephones.written(one)) for one in found)


def _order(cell: str) -> int:
    if not (cell.isascii() and cell.isdecimal()) or len(cell) > 2:
        raise ValueError("should be 1 for the contact who is called first, 2 for the next, and so on")
    return int(cell)


# Messages show no value of a card, because cron mails them and terminals keep them. That includes the columns that hold
# no name: one separator too many in a row moves a name into each of them.
Subject = Annotated[HomeCode, Field(min_length=1), Cell(Holds.CODE, secret=True)]
Part = Annotated[CardPart, Cell(Holds.WORD, secret=True)]
PersonCode = Annotated[Code, Cell(Holds.CODE, secret=True)]
Place = Annotated[int, ReadBy(_order), Cell(Holds.NUMBER, secret=True)]
HasKey = Annotated[YesNo, Cell(Holds.TRUTH, secret=True)]
Label = Annotated[ShortText, Cell(Holds.TEXT, secret=True)]
Note = Annotated[CardNote, Cell(Holds.TEXT, secret=True)]
Entry = Annotated[ShortText, Cell(Holds.CODE, secret=True)]
Spoken = Annotated[tuple[str, ...], ReadBy(_languages), Cell(Holds.LIST, secret=True)]
Called = Annotated[tuple[str, ...], ReadBy(_telephones), Cell(Holds.LIST, secret=True)]


class CardRow(TypedDict):
    """One row; a column that the row's part does not have is empty."""

    home: Subject
    what: Part
    address: Note | None
    floor: Entry | None
    door: Entry | None
    intercom: Entry | None
    key_code: Entry | None
    key_place: Note | None
    access: Note | None
    instructions: Note | None
    code: PersonCode | None
    name: Label | None
    languages: Spoken | None
    hearing: Note | None
    sight: Note | None
    speech: Note | None
    helps: Note | None
    health: Note | None
    order: Place | None
    relation: Label | None
    telephones: Called | None
    has_key: HasKey | None
    when: Note | None


CARDS: Final = RowKind(CardRow)
OF_HOME: Final = ("address", "floor", "door", "intercom", "key_code", "key_place", "access", "instructions")
OF_PERSON: Final = ("code", "name", "languages", "hearing", "sight", "speech", "helps", "health")
OF_CONTACT: Final = ("order", "name", "relation", "telephones", "languages", "has_key", "when")
COLUMNS_OF: Final = {CardPart.HOME: OF_HOME, CardPart.PERSON: OF_PERSON, CardPart.CONTACT: OF_CONTACT}
NEEDED: Final = {CardPart.HOME: "", CardPart.PERSON: "code", CardPart.CONTACT: "name"}
"""Column without which a row of a part means nothing."""
