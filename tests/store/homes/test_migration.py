"""A registry of schema 5 becomes one of dated facts, and gives the same answers."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from vetlla.domain.clock import ManualClock, to_us
from vetlla.domain.homes import ALWAYS, Home, Period, Person, Programme, UserType
from vetlla.store.homes import queries
from vetlla.store.registry.registry import REGISTRY, reading, writing
from vetlla.store.sqlite.migrate import apply, migrations

ROWS = (Path(__file__).parent / "registry_0005.sql").read_text(encoding="utf-8")
DAYS = [date(2018, 1, 1), date(2024, 6, 1), date(2025, 8, 15), date(2026, 8, 1), date(2026, 12, 1)]


def _period(since: str, until: str | None) -> Period:
    return Period(date.fromisoformat(since), date.fromisoformat(until) if until else None)


def homes_of_schema_5(connection: sqlite3.Connection) -> dict[str, Home]:
    """Read homes as the program of that schema did."""

    def periods(code: str, kind: str) -> tuple[Period, ...]:
        sql = "SELECT since, until FROM home_periods WHERE home = ? AND kind = ? ORDER BY since"
        return tuple(_period(*row) for row in connection.execute(sql, (code, kind)))

    return {
        code: Home(
            code=code,
            district=district,
            base=base,
            level=level,
            alone=bool(alone),
            language=language,
            phones=tuple(json.loads(phones)),
            active=periods(code, "active"),
            suspended=periods(code, "suspended"),
        )
        for code, district, base, level, alone, language, phones in connection.execute(
            "SELECT code, district, base, level, alone, language, phones FROM homes ORDER BY code"
        )
    }


def people_of_schema_5(connection: sqlite3.Connection) -> list[Person]:
    """Read people as the program of that schema did."""
    sql = "SELECT programme, since, until FROM programme_periods WHERE person = ? ORDER BY programme, since"
    return [
        Person(
            code=code,
            home=home,
            user_type=UserType(kind),
            programmes=tuple(Programme(name, _period(*rest)) for name, *rest in connection.execute(sql, (code,))),
        )
        for code, home, kind in connection.execute("SELECT code, home, user_type FROM people ORDER BY code")
    ]


RESTING_OF_SCHEMA_5 = """
SELECT home FROM home_periods WHERE kind = 'suspended' AND since <= :day AND (until IS NULL OR until >= :day)
UNION
SELECT home FROM home_periods WHERE kind = 'active' GROUP BY home
HAVING max(since <= :day AND (until IS NULL OR until >= :day)) = 0
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Make the registry of schema 5."""
    with closing(sqlite3.connect(tmp_path / REGISTRY, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        apply(connection, [step for step in migrations("registry") if step.number <= 5], ManualClock())
        connection.executescript(ROWS)
    return tmp_path


@pytest.mark.parametrize("written", [False, True])
def test_all_answers_are_the_same(old: Path, written: bool) -> None:  # noqa: FBT001
    """Homes, people, districts and resting homes of any day are as before, for a reader and after a writer."""
    with closing(sqlite3.connect(old / REGISTRY)) as connection:
        homes, people = homes_of_schema_5(connection), people_of_schema_5(connection)
        resting = {
            day: {home for (home,) in connection.execute(RESTING_OF_SCHEMA_5, {"day": day.isoformat()})} for day in DAYS
        }
        districts = dict(connection.execute("SELECT code, district FROM homes WHERE district <> ''"))
    assert (len(homes), len(people)) == (4, 4)

    with (writing if written else reading)(old, ManualClock()) as connection:
        assert queries.homes(connection) == homes
        assert list(queries.homes(connection)) == list(homes)
        assert queries.people(connection) == people
        assert queries.people(connection, ["H2"]) == [person for person in people if person.home == "H2"]
        assert set(queries.home_codes(connection)) == set(homes)
        assert queries.never_active(connection) == 1
        for day in DAYS:
            assert queries.homes(connection, day=day) == homes
            assert queries.people(connection, day=day) == people
            assert queries.districts(connection, day) == districts
            assert queries.resting(connection, day) == resting[day]


def test_the_facts_say_where_they_come_from(old: Path) -> None:
    """They hold since always, were recorded when the registry was migrated, and have the source "migration"."""
    before_us = to_us(datetime.now(UTC) - timedelta(seconds=1))
    with writing(old, ManualClock()) as connection:
        facts = [*queries.facts_of_home(connection, "H3"), *queries.facts_of_person(connection, "P1")]
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    assert {(fact.since, fact.source, fact.by, fact.correction) for fact in facts} == {(ALWAYS, "migration", "", False)}
    assert all(fact.recorded_us >= before_us for fact in facts)
    assert {(fact.field, fact.value) for fact in facts} >= {
        ("level", "3"),
        ("phones", "900000003;+34 900 000 004;112"),
        ("active", ""),
        ("programmes", "home_safety:2024-06-01/;mimal:2024-05-01/2024-12-31;mimal:2025-05-01/"),
    }
    assert not tables & {"homes", "home_periods", "people", "programme_periods"}


def test_an_empty_registry_gets_no_recording(tmp_path: Path) -> None:
    """Nothing was recorded, so nothing is known."""
    with writing(tmp_path, ManualClock()) as connection:
        assert connection.execute("SELECT count(*) FROM recordings").fetchone() == (0,)
