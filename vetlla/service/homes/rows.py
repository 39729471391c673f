"""Checks that rows of homes and people agree with each other and the registry, and turns values back into rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vetlla.domain import telephones
from vetlla.domain.columns import Fault
from vetlla.domain.homes import Home, Person, listed
from vetlla.service.homes.columns import FIRST_YEAR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

AHEAD = timedelta(days=366)
"""How far ahead a value may be recorded: the office knows next year's changes; a later year is a typing error."""
_NO_VALUE = ("code", "since")
"""Columns that are no field of a home or a person."""


class HomeCodes:
    """The codes of the existing homes, to which rows refer."""

    def __init__(self, codes: Iterable[str]) -> None:
        self._codes = set(codes)

    def missing(self, code: str) -> str:
        """Return the error for a code that no home has; "" if a home has it."""
        if code in self._codes:
            return ""
        if other := code.isdecimal() and self._by_number.get(code.lstrip("0")):
            return f"no such home, but there is {other}: did a spreadsheet lose the leading zeros?"
        return "no such home: import the homes first"

    @cached_property
    def _by_number(self) -> dict[str, str]:
        return {code.lstrip("0"): code for code in self._codes if code.isdecimal()}


def home(row: int, values: Mapping[str, Any], before: Home | None) -> Home | list[Fault]:
    """Return the home of a row, or its faults. What the row does not say stays as it was ``before``.

    A telephone number that the home already has is taken as it is, so that every export can be imported.
    """
    registered = before.phones if before else ()
    faults = [*_telephone_faults(row, (number for number in values.get("phones", ()) if number not in registered))]
    if faults:
        return faults
    if before is None:
        return Home(code=values["code"], **_fields(values))
    return replace(before, **_fields(values))


def person(row: int, values: Mapping[str, Any], before: Person | None, homes: HomeCodes) -> Person | list[Fault]:
    """Return the person of a row, or its faults. What the row does not say stays as it was ``before``."""
    if missing := homes.missing(values["home"]):
        return [Fault(row, "home", values["home"], missing)]
    if before is None:
        return Person(code=values["code"], **_fields(values))
    return replace(before, **_fields(values))


def since_faults(row: int, since: date, today: date, *, correct: bool = False) -> list[Fault]:
    """Return what is wrong with the day from which a row holds; a correction is about days that have begun."""
    if since.year < FIRST_YEAR:
        return [Fault(row, "since", str(since), f"lies before {FIRST_YEAR}")]
    if since > today + AHEAD:
        return [Fault(row, "since", str(since), f"is more than {AHEAD.days} days ahead")]
    if correct and since > today:
        return [Fault(row, "since", str(since), "lies in the future, and a correction is about past days")]
    return []


def texts(value: Home | Person) -> dict[str, str]:
    """Return the fields of a home or a person as a row has them."""
    return home_row(value) if isinstance(value, Home) else person_row(value)


def _telephone_faults(row: int, numbers: Iterable[str]) -> Iterator[Fault]:
    for number in numbers:
        try:
            telephones.checked(number)
        except ValueError as error:
            yield Fault(row, "phones", number, str(error))


def home_row(home: Home) -> dict[str, str]:
    """Return a home as a row that can be imported again without a change."""
    return {
        "code": home.code,
        "district": home.district,
        "base": home.base,
        "level": str(home.level),
        "alone": "yes" if home.alone else "no",
        "language": home.language,
        "phones": ";".join(home.phones),
        "active": listed(home.active),
        "suspended": listed(home.suspended),
    }


def person_row(person: Person) -> dict[str, str]:
    """Return a person as a row that can be imported again without a change."""
    return {
        "code": person.code,
        "home": person.home,
        "user_type": person.user_type.value,
        "programmes": listed(person.programmes),
        "active": listed(person.active),
        "suspended": listed(person.suspended),
    }


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _NO_VALUE}
