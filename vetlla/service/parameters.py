"""The service's figures with their date, unit and basis.

Values from a contract and assumed values are in one file (``config/parameters.toml``). A report reads them through a
``Reading``, which remembers the values it gave, so that a footnote can name each assumed value behind the report.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from vetlla.domain.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Value: TypeAlias = int | Decimal | str | date | tuple[date, ...]
Word = TypeVar("Word", bound=str)

NAMED_AT_MOST = 3
"""A footnote names assumed values one by one only if there are at most this many."""
KEYS = frozenset({"name", "value", "unit", "valid_from", "basis", "ref"})


class Basis(StrEnum):
    """Where a value comes from."""

    CONTRACT = "contract"
    TENDER = "tender"
    """A ceiling or an estimate of the tender, which the contract will replace."""
    ASSUMED = "assumed"


_NOT_AGREED = (Basis.TENDER, Basis.ASSUMED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One value and the day from which it is valid."""

    name: str
    value: Value
    unit: str
    valid_from: date
    basis: Basis
    ref: str


class Parameters:
    """All values, by name and day."""

    def __init__(self, entries: Iterable[Parameter]) -> None:
        by_name: defaultdict[str, list[Parameter]] = defaultdict(list)
        for entry in entries:
            by_name[entry.name].append(entry)
        for name, values in by_name.items():
            values.sort(key=lambda entry: entry.valid_from)
            for earlier, later in pairwise(values):
                if earlier.valid_from == later.valid_from:
                    raise ConfigError(
                        f"parameter {name} has two values from {later.valid_from}", remedy="keep one of them"
                    )
        self._by_name = dict(by_name)

    def names(self) -> list[str]:
        """Return all names in the order of the alphabet."""
        return sorted(self._by_name)

    def find(self, name: str, day: date) -> Parameter | None:
        """Return the value in force on a day; before the first entry's day, return the first entry.

        Return None if the file does not have the name.
        """
        values = self._by_name.get(name)
        if not values:
            return None
        in_force = [entry for entry in values if entry.valid_from <= day]
        return in_force[-1] if in_force else values[0]

    def from_day(self, name: str, day: date) -> Parameter | None:
        """Return the value in force on a day, or None before its first entry's day."""
        found = self.find(name, day)
        return None if found is None or found.valid_from > day else found

    def all(self, name: str) -> list[Parameter]:
        """Return every value of a name in the order of their days."""
        return list(self._by_name.get(name, ()))

    def in_force(self, day: date) -> list[Parameter]:
        """Return the values that are in force on a day, in the order of their names."""
        found = (self.from_day(name, day) for name in sorted(self._by_name))
        return [entry for entry in found if entry is not None]

    def on(self, day: date) -> Reading:
        """Return a reading of the values in force on a day."""
        return Reading(self, day)


class Reading:
    """Gives the values in force on a day, and remembers which ones it gave."""

    def __init__(self, parameters: Parameters, day: date) -> None:
        self._parameters = parameters
        self._used: dict[tuple[str, date], Parameter] = {}
        self.day = day

    def entry(self, name: str, default: str = "") -> Parameter:
        """Return the whole entry of a name, else that of ``default``, for code that needs its unit or its source."""
        return self._require(name, default)

    def integer(self, name: str, default: str = "", *, least: int = 0) -> int:
        """Return a whole number; ``default`` names the parameter to use if the first one does not exist.

        Raises UsageError below ``least``; its default is 0, because minutes, months, homes and shares are not negative.
        """
        value = self._require(name, default).value
        if isinstance(value, int) and value >= least:
            return value
        raise _wrong(name, f"a whole number of at least {least}")

    def money(self, name: str, default: str = "") -> Decimal:
        """Return an amount of money or another decimal number, exactly as written."""
        value = self._require(name, default).value
        if isinstance(value, (int, Decimal)):
            return Decimal(value)
        raise _wrong(name, "a number such as 1.83")

    def text(self, name: str, default: str = "") -> str:
        """Return a text."""
        value = self._require(name, default).value
        if isinstance(value, str):
            return value
        raise _wrong(name, "a text")

    def names(self, name: str) -> tuple[str, ...]:
        """Return the names of a text that has several, with commas or spaces between them."""
        return tuple(filter(None, re.split(r"[,\s]+", self.text(name))))

    def choice(self, name: str, choices: Iterable[Word], default: str = "") -> Word:
        """Return which of some words a value is; of the members of an enumeration the member.

        Raises ConfigError, with the name that the file has, for any other value.
        """
        entry, words = self._require(name, default), tuple(choices)
        for word in words:
            if entry.value == word:
                return word
        remedy = f"write {' or '.join(words)} in the parameters file"
        raise ConfigError(f"parameter {entry.name} is {entry.value!r}", remedy=remedy)

    def is_yes(self, name: str) -> bool:
        """Return True if a parameter is "yes", False if it is "no". Raises ConfigError for another value."""
        return self.choice(name, ("yes", "no")) == "yes"

    def the_date(self, name: str) -> date:
        """Return a date."""
        value = self._require(name).value
        if isinstance(value, date):
            return value
        raise _wrong(name, "a date")

    def dates(self, name: str) -> frozenset[date]:
        """Return the dates of all entries of a name, in any year."""
        found: set[date] = set()
        for entry in self._parameters.all(name):
            if not isinstance(entry.value, tuple):
                raise _wrong(name, "a list of dates")
            self._note(entry)
            found.update(entry.value)
        return frozenset(found)

    def months_if_any(self, name: str) -> int | None:
        """Return an interval; None if the file does not have the name, because then the type needs no such work."""
        return self.integer(name) if self._parameters.find(name, self.day) else None

    def started(self, name: str) -> int:
        """Return a whole number, or 0 before its first entry's day."""
        return self.integer(name) if self._parameters.from_day(name, self.day) else 0

    def at(self, day: date) -> Reading:
        """Return a reading of another day that shares the memory of this one."""
        other = Reading(self._parameters, day)
        other._used = self._used
        return other

    def not_agreed(self) -> list[Parameter]:
        """Return the values that were read and that no contract says, assumed or the tender's, by name and day."""
        return [entry for _, entry in sorted(self._used.items()) if entry.basis is not Basis.CONTRACT]

    def assumed(self) -> tuple[str, ...]:
        """Return the names of the values of ``not_agreed``, each once, in the order of the alphabet."""
        return tuple(sorted({entry.name for entry in self.not_agreed()}))

    def footnotes(self) -> list[str]:
        """Return footnotes on the values that no contract says: one for each, or their number if there are many."""
        found = self.not_agreed()
        if len(found) > NAMED_AT_MOST:
            return [
                _summed(basis, [one for one in found if one.basis is basis])
                for basis in _NOT_AGREED
                if any(one.basis is basis for one in found)
            ]
        return [
            f"{entry.basis}: {entry.name} = {shown(entry.value)} {entry.unit} from {entry.valid_from} ({entry.ref})"
            for entry in found
        ]

    def _require(self, name: str, default: str = "") -> Parameter:
        found = self._parameters.find(name, self.day)
        if found is None and default:
            found = self._parameters.find(default, self.day)
        if found is None:
            raise ConfigError(f"parameter {name} is missing", remedy="add it to the parameters file")
        self._note(found)
        return found

    def _note(self, entry: Parameter) -> None:
        self._used[entry.name, entry.valid_from] = entry


def _summed(basis: Basis, entries: Iterable[Parameter]) -> str:
    names = [entry.name for entry in entries]
    subjects = ", ".join(sorted({name.partition(".")[0] for name in names}))
    what = "assumed values" if basis is Basis.ASSUMED else "values of the tender that are not yet a contract"
    return f"rests on {len(names)} {what} ({subjects}): vetlla inventory parameters --{basis}"


def parse(document: Mapping[str, object], source: str) -> Parameters:
    """Return the parameters of a TOML document that was read with exact decimals.

    ``source`` names the file in errors. Raises ConfigError with the entry and what is wrong with it.
    """
    entries = document.get("parameter")
    if set(document) != {"parameter"} or not isinstance(entries, list):
        raise ConfigError(f"{source}: expected a list of [[parameter]] and nothing else")
    return Parameters(_entry(entry, f"{source}: parameter {place}") for place, entry in enumerate(entries, start=1))


def shown(value: Value) -> str:
    """Return a value as text for people."""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _entry(entry: object, where: str) -> Parameter:
    if not isinstance(entry, dict) or set(entry) != KEYS:
        wrong = sorted(set(entry) ^ KEYS) if isinstance(entry, dict) else []
        raise ConfigError(f"{where}: missing or unknown keys: {', '.join(wrong)}", remedy=f"give {sorted(KEYS)}")
    name, value, valid_from, basis = entry["name"], entry["value"], entry["valid_from"], entry["basis"]
    where = f"{where} ({name})"
    if isinstance(value, list) and all(isinstance(item, date) and not isinstance(item, datetime) for item in value):
        value = tuple(value)
    if isinstance(value, (bool, datetime)) or not isinstance(value, (int, Decimal, str, date, tuple)):
        raise ConfigError(f"{where}: value {value!r} is neither number, text, date nor list of dates")
    if basis not in set(Basis):
        raise ConfigError(f"{where}: basis {basis!r}", remedy='write "contract", "tender" or "assumed"')
    if not isinstance(valid_from, date) or isinstance(valid_from, datetime):
        raise ConfigError(f"{where}: valid_from {valid_from!r} is no date", remedy="write it as 2024-04-01")
    return Parameter(
        name=str(name),
        value=value,
        unit=str(entry["unit"]),
        valid_from=valid_from,
        basis=Basis(basis),
        ref=str(entry["ref"]),
    )


def _wrong(name: str, wanted: str) -> UsageError:
    return UsageError(f"parameter {name} is not {wanted}", remedy="correct it in the parameters file")
