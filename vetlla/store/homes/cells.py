"""The fields of homes and people as they are stored: one column for each, and its text or number.

A row of facts (``home_facts``, ``person_facts``) sets the fields that are not NULL, from its day on.
"""

from __future__ import annotations

import json
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from vetlla.domain.homes import HOME_FIELDS, PERSON_FIELDS, Home, Period, Person, Programme, UserType, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEPT = 1 << 16
"""Different texts whose values are cached: there are 100,000 homes, but only some ten thousand different periods."""

Cells: TypeAlias = "tuple[Any, ...]"
"""The stored fields of a home or a person, in the order of ``Kind.fields``."""


class Kind(NamedTuple):
    """Where facts of one kind are stored: homes or people."""

    table: str
    key: str
    """Column with the code."""
    dated: tuple[str, ...]
    lists: tuple[str, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields, in the order of their columns."""
        return self.dated + self.lists


HOMES = Kind("home_facts", "home", *HOME_FIELDS)
PEOPLE = Kind("person_facts", "person", *PERSON_FIELDS)

_STORED: Mapping[str, Callable[[Any], str | int]] = {
    "alone": int,
    "phones": json.dumps,
    "programmes": listed,
    "active": listed,
    "suspended": listed,
}
"""How a value is stored, for fields that are not stored as they are."""


def stored(field: str, value: Any) -> str | int:  # noqa: ANN401 - each field has its type
    """Return the value of a field as it is stored."""
    store = _STORED.get(field)
    return store(value) if store else value


def shown(field: str, cell: Any) -> str:  # noqa: ANN401 - as above
    """Return a stored field as files have it."""
    if field == "alone":
        return "yes" if cell else "no"
    return ";".join(json.loads(cell)) if field == "phones" else str(cell)


def home_of(code: str, cells: Cells) -> Home:
    """Return the home with these stored fields."""
    district, base, level, alone, language, phones, active, suspended = cells
    return Home(
        code=code,
        district=district,
        base=base,
        level=level,
        alone=alone == 1,
        language=language,
        phones=tuple(json.loads(phones)) if phones != "[]" else (),
        active=periods_of(active),
        suspended=periods_of(suspended) if suspended else (),
    )


def person_of(code: str, cells: Cells) -> Person:
    """Return the person with these stored fields."""
    home, user_type, programmes, active, suspended = cells
    return Person(
        code=code,
        home=home,
        user_type=_USER_TYPES[user_type],
        programmes=_programmes_of(programmes) if programmes else (),
        active=periods_of(active) if active else (),
        suspended=periods_of(suspended) if suspended else (),
    )


_USER_TYPES = {kind.value: kind for kind in UserType}


@lru_cache(maxsize=KEPT)
def periods_of(text: str) -> tuple[Period, ...]:
    """Return the periods of a stored list."""
    return tuple(_period(part) for part in text.split(";")) if text else ()


@lru_cache(maxsize=KEPT)
def _programmes_of(text: str) -> tuple[Programme, ...]:
    return tuple(
        Programme(name, _period(period)) for part in text.split(";") for name, _, period in [part.rpartition(":")]
    )


def _period(text: str) -> Period:
    since, _, until = text.partition("/")
    return Period(date.fromisoformat(since), date.fromisoformat(until) if until else None)
