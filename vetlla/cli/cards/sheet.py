"""Shows a card to an operator: in short under an alarm, or whole. What an operator needs first stands first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from vetlla.cli.signals.sheet import labelled
from vetlla.domain.cards import CARD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vetlla.cli.cards.access import CardBeside
    from vetlla.domain.cards import Card, Contact, Resident

FIRST_CONTACTS: Final = 3
"""Contacts under an alarm; the whole card has the others."""


def card_fields(card: Card) -> dict[str, Any]:
    """Return a card as JSON."""
    fields: dict[str, Any] = CARD.dump_python(card, mode="json")
    return fields


def beside_fields(beside: CardBeside) -> dict[str, Any]:
    """Return the short card beside an alarm as JSON; ``problem`` says why the other fields are missing.

    ``warning`` says what the inventory contradicts in the card.
    """
    if beside.card is None:
        return {"home": beside.home, "problem": beside.problem or None}
    return card_fields(_short(beside.card)) | {"problem": None, "warning": beside.problem or None}


def beside_lines(beside: CardBeside) -> Iterator[Text]:
    """Yield the lines of the short card under an alarm."""
    if beside.card is not None:
        yield Text("Card", style="bold")
        yield from labelled(_parts(_short(beside.card)))
        if _short(beside.card) != beside.card:
            yield Text(f"  the card has more: vetlla home {beside.home}", style="dim")


def card_lines(card: Card) -> Iterator[Text]:
    """Yield the lines of a whole card."""
    yield Text("Card", style="bold")
    yield from labelled(_parts(card))


def _short(card: Card) -> Card:
    people = tuple(replace(person, health="") for person in card.people)
    return replace(card, people=people, contacts=card.contacts[:FIRST_CONTACTS])


def _parts(card: Card) -> Iterator[tuple[str, str]]:
    for person in card.people:
        yield "person", _person(person)
        yield "helps", person.helps
        yield "health", person.health
    yield "instructions", card.instructions
    yield "address", card.address
    place = (("floor", card.floor), ("door", card.door), ("intercom", card.intercom))
    yield "entrance", ", ".join(f"{name} {value}" for name, value in place if value)
    yield "access", card.access
    yield "key", ", ".join(part for part in (card.key_place, f"code {card.key_code}" if card.key_code else "") if part)
    for order, contact in enumerate(card.contacts, start=1):
        yield f"contact {order}", _contact(contact)


def _person(person: Resident) -> str:
    told = (
        person.name or person.code,
        f"speaks {', '.join(person.languages)}" if person.languages else "",
        f"hearing: {person.hearing}" if person.hearing else "",
        f"sight: {person.sight}" if person.sight else "",
        f"speech: {person.speech}" if person.speech else "",
    )
    return "; ".join(part for part in told if part)


def _contact(contact: Contact) -> str:
    relation = f" ({contact.relation})" if contact.relation else ""
    told = (
        f"{contact.name}{relation}",
        ", ".join(contact.telephones),
        f"speaks {', '.join(contact.languages)}" if contact.languages else "",
        {True: "has a key", False: "has no key", None: ""}[contact.has_key],
        contact.when,
    )
    return "; ".join(part for part in told if part)
