"""Homes and people of any day. ``write.py`` records facts about them.

Without a day the functions return the values of the latest facts, also of those whose day is still to come. With a
connection that looks back (``store.registry.known``) they answer as known at a past time.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from vetlla.domain.codes import code_key
from vetlla.domain.errors import UsageError
from vetlla.domain.homes import Fact, Home, Person, is_covered
from vetlla.store.homes.cells import HOMES, PEOPLE, home_of, periods_of, person_of, shown
from vetlla.store.homes.folding import cells_on, days_of_change, rows_of
from vetlla.store.registry.known import looks_back

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

    from vetlla.store.homes.cells import Kind

LAST_DAY = date.max
"""Asks for the latest values, because no fact has a later day."""
V = TypeVar("V")

_CODES = {
    "homes": (
        ("code", "SELECT DISTINCT '', home FROM home_facts WHERE home NOT GLOB '*[^0-9]*'"),
        ("district", "SELECT DISTINCT '', district FROM home_facts WHERE district NOT GLOB '*[^0-9]*'"),
        ("base", "SELECT DISTINCT '', base FROM home_facts WHERE base NOT GLOB '*[^0-9]*'"),
    ),
    "people": (("code", "SELECT DISTINCT '', person FROM person_facts WHERE person NOT GLOB '*[^0-9]*'"),),
}
_TELEPHONES = "SELECT DISTINCT home, value FROM home_facts, json_each(phones) WHERE phones IS NOT NULL"
_HISTORY = """
SELECT f.since, r.recorded_us, r.by, r.source, f.correction, f.note, {fields}
FROM {table} AS f JOIN recordings AS r ON r.id = f.recording WHERE f.{key} = ? ORDER BY f.recording, f.since
"""


class HomeSpan(NamedTuple):
    """Days (both included) on which the dated fields of a home do not change, with the home as it is on them."""

    home: Home
    first: date
    last: date


class PersonSpan(NamedTuple):
    """Days (both included) on which the dated fields of a person do not change, with the person on them."""

    person: Person
    first: date
    last: date


# --- homes ------------------------------------------------------------------------------------------------------------


def homes(connection: sqlite3.Connection, codes: Sequence[str] = (), *, day: date = LAST_DAY) -> dict[str, Home]:
    """Return homes by code as they are on a day: those in ``codes``, or all."""
    on, chosen = day.isoformat(), json.dumps(list(codes)) if codes else None
    return {code: home_of(code, cells_on(HOMES, rows, on)) for code, rows in rows_of(connection, HOMES, codes=chosen)}


def home(connection: sqlite3.Connection, code: str, *, day: date = LAST_DAY) -> Home:
    """Return one home. Raises UsageError if it is not registered."""
    found = homes(connection, [code], day=day)
    if not found:
        raise UsageError(f"no home {code!r}", remedy=_remedy(connection, "homes"))
    return found[code]


def must_know_home(connection: sqlite3.Connection, code: str) -> None:
    """Raise UsageError for a code that no home ever had: an empty answer would be taken for "nothing is there".

    "" is accepted. The home of an erasure stays registered, so what is left of it is still found.
    """
    if code:
        home(connection, code)


def home_spans(connection: sqlite3.Connection, first: date, last: date) -> Iterator[HomeSpan]:
    """Yield every home in the parts of a span (both days included) in which its fields do not change, in order.

    Most homes have one part. Each part has all periods of its home: ``Home.state_on`` says what holds on a day.
    """
    for code, rows in rows_of(connection, HOMES):
        for begins, ends in _parts(HOMES, rows, first, last):
            yield HomeSpan(home_of(code, cells_on(HOMES, rows, begins.isoformat())), begins, ends)


def telephones_ever(connection: sqlite3.Connection, code: str) -> frozenset[str]:
    """Return every telephone that a home has or had on any day; none for a home that is not registered."""
    rows = connection.execute("SELECT phones FROM home_facts WHERE home = ? AND phones IS NOT NULL", (code,))
    return frozenset(phone for (phones,) in rows for phone in json.loads(phones))


def home_codes(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the code of every home."""
    return (code for (code,) in connection.execute("SELECT DISTINCT home FROM home_facts"))


def never_active(connection: sqlite3.Connection) -> int:
    """Return how many homes have no active period."""
    # SQLite takes the value of ``active`` from the row that has the greatest recording.
    last = "SELECT active, max(recording) FROM home_facts WHERE active IS NOT NULL GROUP BY home"
    (number,) = connection.execute(f"SELECT count(*) FROM ({last}) WHERE active = ''").fetchone()  # noqa: S608 - ours
    return int(number)


def bases(connection: sqlite3.Connection) -> list[str]:
    """Return every intervention base to which a home belongs or belonged."""
    sql = "SELECT DISTINCT base FROM home_facts WHERE base != '' ORDER BY base"
    return [name for (name,) in connection.execute(sql)]


def must_know_base(connection: sqlite3.Connection, base: str) -> str:
    """Return an intervention base as homes write it: another case and spaces are the same base. "" is accepted.

    Raises UsageError for a base to which no home ever belonged.
    """
    known = bases(connection) if base else []
    if not base or base in known:
        return base
    for one in known:
        if code_key(one) == code_key(base):
            return one
    raise UsageError(f"no home belongs to base {base!r}", remedy=f"one of {', '.join(known) or 'none: import homes'}")


def districts(connection: sqlite3.Connection, day: date = LAST_DAY) -> dict[str, str]:
    """Return the district of each home that has one on a day, by the home's code."""
    # Keep one text for each district: there are some ten, and 100,000 homes.
    names: dict[str, str] = {}
    found: dict[str, str] = {}
    last, begun = "", ""
    sql = "SELECT home, since, district FROM home_facts WHERE district != '' AND since <= ? ORDER BY home, recording"
    for code, since, district in connection.execute(sql, (day.isoformat(),)):
        if code != last or since >= begun:
            found[code], begun = names.setdefault(district, district), since
        last = code
    return found


def resting(connection: sqlite3.Connection, day: date) -> frozenset[str]:
    """Return the homes that are suspended on a day, or not in the service although they have active periods."""
    active: dict[str, str] = {}
    suspended: dict[str, str] = {}
    for code, is_active, is_suspended in connection.execute(
        "SELECT home, active, suspended FROM home_facts WHERE active IS NOT NULL OR suspended IS NOT NULL"
        " ORDER BY home, recording"
    ):
        if is_active is not None:
            active[code] = is_active
        if is_suspended is not None:
            suspended[code] = is_suspended
    # Homes have few different periods, so each text is read once.
    has = {text: is_covered(periods_of(text), day) for text in {*active.values(), *suspended.values()}}
    away = {code for code, text in suspended.items() if has[text]}
    return frozenset(away | {code for code, text in active.items() if text and not has[text]})


# --- people -----------------------------------------------------------------------------------------------------------


def people(connection: sqlite3.Connection, codes: Sequence[str] = (), *, day: date = LAST_DAY) -> list[Person]:
    """Return people by code as they are on a day: those whose home is in ``codes``, or all."""
    on, chosen = day.isoformat(), frozenset(codes)
    found = (
        person_of(code, cells_on(PEOPLE, rows, on))
        for code, rows in rows_of(connection, PEOPLE, homes=json.dumps(list(codes)) if codes else None)
    )
    return [person for person in found if not chosen or person.home in chosen]


def person(connection: sqlite3.Connection, code: str, *, day: date = LAST_DAY) -> Person:
    """Return one person. Raises UsageError if they are not registered."""
    for _, rows in rows_of(connection, PEOPLE, codes=json.dumps([code])):
        return person_of(code, cells_on(PEOPLE, rows, day.isoformat()))
    raise UsageError(f"no person {code!r}", remedy=_remedy(connection, "people"))


def is_person(connection: sqlite3.Connection, code: str) -> bool:
    """Return True if a person with this code is registered."""
    return connection.execute("SELECT 1 FROM person_facts WHERE person = ? LIMIT 1", (code,)).fetchone() is not None


def person_codes(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield the code of every person."""
    return (code for (code,) in connection.execute("SELECT DISTINCT person FROM person_facts"))


def person_spans(connection: sqlite3.Connection, first: date, last: date, *, home: str = "") -> Iterator[PersonSpan]:
    """Yield every person in the parts of a span (both days included) in which home and user type do not change.

    With a home only people who ever lived in it; their parts in other homes are yielded, too.
    """
    homes = json.dumps([home]) if home else None
    for code, rows in rows_of(connection, PEOPLE, homes=homes):
        for begins, ends in _parts(PEOPLE, rows, first, last):
            yield PersonSpan(person_of(code, cells_on(PEOPLE, rows, begins.isoformat())), begins, ends)


def _remedy(connection: sqlite3.Connection, what: str) -> str:
    if looks_back(connection):
        return "the registry did not know it at that time: give a later --known"
    return f"vetlla inventory import --what {what} FILE"


# --- facts ------------------------------------------------------------------------------------------------------------


def facts_of_home(connection: sqlite3.Connection, code: str) -> list[Fact]:
    """Return every fact about a home, in the order of their recording. Raises UsageError if there is none."""
    found = _facts(connection, HOMES, code)
    if not found:
        home(connection, code)  # raises
    return found


def facts_of_person(connection: sqlite3.Connection, code: str) -> list[Fact]:
    """Return every fact about a person, in the order of their recording. Raises UsageError if there is none."""
    found = _facts(connection, PEOPLE, code)
    if not found:
        person(connection, code)  # raises
    return found


def codes(connection: sqlite3.Connection, what: str) -> Iterator[tuple[str, str, str]]:
    """Yield column, group ("") and text of every code of digits only, of homes or people."""
    for column, sql in _CODES[what]:
        for group, code in connection.execute(sql):
            yield column, group, code


def _facts(connection: sqlite3.Connection, kind: Kind, code: str) -> list[Fact]:
    sql = _HISTORY.format(table=kind.table, key=kind.key, fields=", ".join(f"f.{name}" for name in kind.fields))
    return [
        Fact(field, shown(field, cell), date.fromisoformat(since), recorded_us, by, source, correction == 1, note)
        for since, recorded_us, by, source, correction, note, *cells in connection.execute(sql, (code,))
        for field, cell in zip(kind.fields, cells, strict=True)
        if cell is not None
    ]


def _parts(kind: Kind, rows: Sequence[tuple[object, ...]], first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield the parts of a span between the days on which a dated field may change."""
    if len(rows) == 1:
        yield first, last
        return
    found = (date.fromisoformat(day) for day in days_of_change(kind, rows))
    begins = [first, *(day for day in found if first < day <= last)]
    ends = [*(day - timedelta(days=1) for day in begins[1:]), last]
    yield from zip(begins, ends, strict=True)
