"""Invented cards: one that has everything, and any card that Hypothesis thinks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from vetlla.domain.cards import CONTACTS_MAX, Card, Contact, Resident
from vetlla.domain.clock import SystemClock
from vetlla.tasks.cards import changing
from vetlla.tasks.cards.place import CardPlace

if TYPE_CHECKING:
    from pathlib import Path

CARD = Card(
    home="H-0001",
    address="Carrer Inventat 12",
    floor="3",
    door="2a",
    intercom="32",
    key_code="04-zona-17",
    key_place="caixa al portal",
    access="el gos Flocfictici és bo",
    instructions="parleu a poc a poc",
    people=(
        Resident(
            code="P-0001",
            name="Sra. Invenció",
            languages=("ca", "es"),
            hearing="porta audiòfon",
            sight="hi veu poc",
            speech="parla fluix",
            helps="seure a prop",
            health="insulina imaginària",
        ),
    ),
    contacts=(
        Contact(name="Pol Fictici", relation="veí", telephones=("900 000 101",), languages=("es",), has_key=False),
        Contact(name="Berta Fictícia", telephones=("900000102", "+34900000103"), has_key=True, when="de nit"),
        Contact(name="Carla Fictícia"),
        Contact(name="Dídac Fictici", relation="nebot"),
    ),
)
SECRETS = (
    "Inventat 12", "04-zona-17", "caixa al portal", "Flocfictici", "a poc a poc", "Invenció", "audiòfon", "hi veu poc",
    "fluix", "seure a prop", "imaginària", "Fictici", "Fictícia", "900 000 101", "900000102", "nebot",
)  # fmt: skip
"""Words of this card that must stand nowhere in the clear."""

_WORDS = st.text("aBçñ 0-=+@;,'\"/", max_size=12).map(str.strip).filter(lambda text: not text.startswith("="))
_LANGUAGES = st.lists(st.sampled_from(["ca", "es", "ar", "zh-Hant"]), max_size=3, unique=True).map(tuple)
_NUMBERS = st.integers(0, 999).map(lambda number: f"900 000 {number:03}")
_RESIDENTS = st.builds(
    Resident, code=st.integers(1, 99).map(lambda number: f"P-{number:04}"), name=_WORDS, languages=_LANGUAGES,
    hearing=_WORDS, sight=_WORDS, speech=_WORDS, helps=_WORDS, health=_WORDS,
)  # fmt: skip
_CONTACTS = st.builds(
    Contact, name=_WORDS.filter(bool), relation=_WORDS, telephones=st.lists(_NUMBERS, max_size=3).map(tuple),
    languages=_LANGUAGES, has_key=st.sampled_from([True, False, None]), when=_WORDS,
)  # fmt: skip
_PEOPLE = st.lists(_RESIDENTS, max_size=3, unique_by=lambda one: one.code).map(
    lambda people: tuple(sorted(people, key=lambda one: one.code))
)


def cards(home: str = "H-0001") -> st.SearchStrategy[Card]:
    """Return any card of a home, with texts that spreadsheets would compute."""
    return st.builds(
        Card, home=st.just(home), address=_WORDS, floor=_WORDS, door=_WORDS, intercom=_WORDS, key_code=_WORDS,
        key_place=_WORDS, access=_WORDS, instructions=_WORDS, people=_PEOPLE,
        contacts=st.lists(_CONTACTS, max_size=min(3, CONTACTS_MAX)).map(tuple),
    )  # fmt: skip


def keep(state_dir: Path, *kept: Card) -> CardPlace:
    """Make a key and keep these cards."""
    place = CardPlace(state_dir, state_dir / "cards.toml")
    if not place.key_file.exists():
        changing.rekey(place, SystemClock(), by="tests")
    for card in kept:
        changing.set_card(place, SystemClock(), card, by="tests")
    return place


def assert_sealed(*files: Path) -> None:
    """Check that none of these files has a word of the card."""
    for file in files:
        content = file.read_bytes()
        assert [word for word in SECRETS if word.encode() in content] == [], file
