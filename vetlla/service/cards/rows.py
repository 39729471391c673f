"""Puts the rows of a file together to cards, and takes cards apart into rows.

A file replaces the parts of a home that it has: with rows of contacts it replaces all contacts of these homes, and
leaves their people as they are. So the same file imported again changes nothing, and another system may send only its
part.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from vetlla.domain.cards import CONTACTS_MAX, PEOPLE_MAX, Card, Contact, Resident
from vetlla.domain.columns import HIDDEN, Fault
from vetlla.service.cards.columns import CARDS, COLUMNS_OF, NEEDED, OF_HOME, CardPart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.service.cards.columns import CardRow

HEADING = tuple(column.name for column in CARDS.columns)
_MOST = {CardPart.HOME: 1, CardPart.PERSON: PEOPLE_MAX, CardPart.CONTACT: CONTACTS_MAX}


@dataclass(slots=True)
class CardParts:
    """What a file says about one home; None for a part that it does not have."""

    fields: dict[str, Any] | None = None
    people: list[Resident] = field(default_factory=list)
    contacts: list[tuple[int, Contact]] = field(default_factory=list)

    def put_into(self, card: Card) -> Card:
        """Return the card with the parts of the file instead of its own."""
        if self.fields is not None:
            card = replace(card, **self.fields)
        if self.people:
            card = replace(card, people=tuple(sorted(self.people, key=lambda one: one.code)))
        if self.contacts:
            card = replace(card, contacts=tuple(one for _, one in sorted(self.contacts, key=lambda one: one[0])))
        return card


class CardFile:
    """Takes the rows of a file one by one. ``homes`` has what the file says, by the code of the home."""

    def __init__(self) -> None:
        self.homes: dict[str, CardParts] = {}

    def put(self, row: int, values: CardRow) -> list[Fault]:
        """Take a row; return what is wrong with it."""
        if faults := list(_misplaced(row, values)):
            return faults
        parts = self.homes.setdefault(values["home"], CardParts())
        given = _given(values)
        count = {CardPart.HOME: int(parts.fields is not None), CardPart.PERSON: len(parts.people)}
        part = values["what"]
        if count.get(part, len(parts.contacts)) >= _MOST[part]:
            return [Fault(row, "what", part.value, f"its home has more than {_MOST[part]} of them")]
        match part:
            case CardPart.HOME:
                parts.fields = {name: given.get(name, "") for name in OF_HOME}
            case CardPart.PERSON:
                if any(one.code == given["code"] for one in parts.people):
                    return [Fault(row, "code", HIDDEN, "stands twice in this home")]
                parts.people.append(Resident(**given))
            case CardPart.CONTACT:
                order = given.pop("order", len(parts.contacts) + 1)
                parts.contacts.append((order, Contact(**given)))
        return []


def rows_of(card: Card) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a card, with the columns of ``HEADING``."""
    fields = asdict(card)
    if any(fields[name] for name in OF_HOME):
        yield _row(card.home, CardPart.HOME, {name: fields[name] for name in OF_HOME})
    for person in card.people:
        yield _row(card.home, CardPart.PERSON, asdict(person))
    for place, contact in enumerate(card.contacts, start=1):
        yield _row(card.home, CardPart.CONTACT, asdict(contact) | {"order": place})


def _misplaced(row: int, values: CardRow) -> Iterator[Fault]:
    part = values["what"]
    for name in _given(values):
        if name not in COLUMNS_OF[part]:
            yield Fault(row, name, HIDDEN, f"a row of a {part.value} does not have it")
    needed = NEEDED[part]
    if needed and needed not in _given(values):
        yield Fault(row, needed, "", f"is empty, and each {part.value} needs it")


def _given(values: CardRow) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in {"home", "what"} and value not in {None, ""}}


def _row(home: str, part: CardPart, values: dict[str, Any]) -> tuple[object, ...]:
    texts = {name: _text(value) for name, value in values.items()} | {"home": home, "what": part.value}
    return tuple(texts.get(name, "") for name in HEADING)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case True | False:
            return "yes" if value else "no"
        case tuple() | list():
            return ";".join(map(str, value))
        case _:
            return str(value)
