"""The invoice of each month of an invented year equals a count that was made from the year's files alone."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from vetlla.simulator.service_year import write_year

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Vetlla

MADRID = ZoneInfo("Europe/Madrid")
YEAR = 2025
PRICES = {
    "essential": "0.2",
    "agendas": "1.83",
    "umo": "99",
    "home_safety": "2.96",
    "mimal": "6.70",
    "integrated": "11",
}
RENT = {"terminal_analog": "1.83", "terminal_digital": "3.17", "smoke": "0.58", "gas": "0.92"}


class Year(NamedTuple):
    """The files of a year as they were imported."""

    homes: list[dict[str, str]]
    people: list[dict[str, str]]
    devices: list[dict[str, str]]
    events: list[dict[str, str]]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def made(folder: Path) -> Year:
    """Write a year of 120 homes with suspensions, programmes and rented devices of their own."""
    write_year(folder, 120, 3, YEAR)
    year = Year(rows_of(folder / "homes.csv"), rows_of(folder / "people.csv"), rows_of(folder / "devices.csv"), [])
    for place, home in enumerate(year.homes):
        if place % 5 == 0:
            first = date(YEAR, place % 12 + 1, place % 28 + 1)
            home["suspended"] = f"{first}/{first + timedelta(days=place % 40)}"
        if place % 17 == 0:
            home["active"] = f"2020-01-01/{date(YEAR, place % 12 + 1, 15)}"
    for place, person in enumerate(year.people):
        own = [
            "carers:2025-03-10/2025-08-20",
            "mimal:2025-05-31/",
            "carers:2024-01-01/;home_safety:2025-02-28/2025-03-01",
        ]
        if place % 6 < len(own):
            person["programmes"] = own[place % 6]
        if place % 9 == 0:
            person["active"] = f"{date(YEAR, place % 12 + 1, 2)}/"
        if place % 10 == 0:
            person["suspended"] = f"{date(YEAR, place % 12 + 1, 5)}/{date(YEAR, place % 12 + 1, 25)}"
    rent(year.devices)
    for name in ("homes", "people", "devices"):
        write(folder / f"{name}.csv", getattr(year, name))
    kinds = ("follow_up", "revaluation", "umo_1", "umo_2")
    return year._replace(events=[row for kind in kinds for row in rows_of(folder / "events" / f"{kind}.csv")])


def rent(devices: list[dict[str, str]]) -> None:
    """Make a third of the devices leased, each since some day of the year."""
    for place, device in enumerate(devices):
        if place % 3 == 0:
            device["ownership"] = "leased"
            device["since"] = max(device["since"], str(date(YEAR, place % 12 + 1, place % 28 + 1)))
            device["first_installed"] = device["cost_from"] = device["since"]
            device["guarantee_until"] = device["last_battery"] = device["last_maintenance"] = ""


# --- the slow count, which knows nothing of the program ---------------------------------------------------------------


def has(periods: str, day: date) -> bool:
    return any(
        since <= str(day) <= (until or "9") for since, _, until in (one.partition("/") for one in split(periods))
    )


def split(cell: str) -> list[str]:
    return [part for part in cell.split(";") if part]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(MADRID)


def programmes(person: dict[str, str], day: date) -> list[str]:
    return [name for name, _, period in (one.partition(":") for one in split(person["programmes"])) if has(period, day)]


def days_of(month: int) -> list[date]:
    first = date(YEAR, month, 1)
    every = [first + timedelta(days=number) for number in range(31)]
    return [day for day in every if day.month == month]


def duties(year: Year) -> Iterator[list[dict[str, str]]]:
    """Yield the events of each duty in their order: by reference, or from one opening of a subject to the next one."""
    found: dict[tuple[str, str, str], list[dict[str, str]]] = {}
    for row in year.events:
        found.setdefault((row["kind"], row["subject"], row["ref"]), []).append(row)
    for (_, _, ref), rows in found.items():
        rows.sort(key=lambda row: (row["at"], row["event"] not in {"planned", "communicated"}))
        if ref:
            yield rows
            continue
        parts: list[list[dict[str, str]]] = []
        for row in rows:
            if row["event"] in {"planned", "communicated"}:
                parts.append([])
            parts[-1].append(row)
        yield from parts


def counted(year: Year, month: int) -> dict[str, Decimal]:
    """Return the units of a month that are not 0."""
    days = days_of(month)
    units = [of_people(year, days), of_duties(year, days), of_devices(year, days)]
    return {name: number for found in units for name, number in found.items() if number}


def of_people(year: Year, days: list[date]) -> dict[str, Decimal]:
    homes = {home["code"]: home for home in year.homes}
    found = set()
    for day in days:
        for person in year.people:
            home = homes[person["home"]]
            if not has(person["active"] or home["active"], day) or has(person["suspended"] or home["suspended"], day):
                continue
            found.add(("essential", f"{person['home']} {day}"))
            for name in programmes(person, day):
                concept = "integrated" if name == "carers" else name
                found.add((concept, person["home" if concept == "home_safety" else "code"]))
    return {name: Decimal(number) for name, number in Counter(name for name, _ in found).items()}


def of_duties(year: Year, days: list[date]) -> dict[str, Decimal]:
    lives = {person["code"]: person["home"] for person in year.people}
    carers = {(person["home"], day) for person in year.people for day in days if "carers" in programmes(person, day)}
    levels = {home["code"]: home["level"] for home in year.homes}
    follow_ups: Counter[str] = Counter()
    revalued: Counter[str] = Counter()
    umo = 0
    for rows in duties(year):
        kind, subject = rows[0]["kind"], rows[0]["subject"]
        at = {row["event"]: local(row["at"]).date() for row in rows}
        if kind.startswith("umo"):
            umo += at["communicated"] in days and "sent" in at
        elif at.get("answered") in days and kind == "revaluation":
            revalued[lives[subject]] += 1
        elif at.get("answered") in days and (subject, at["answered"]) not in carers:
            follow_ups[subject] += 1
    agendas = sum(revalued.values())
    for home, number in follow_ups.items():
        a_month = 2 if levels[home] == "3" else 1
        agendas += min(number, max(a_month - revalued[home], 0)) if revalued[home] else number
    return {"agendas": Decimal(agendas), "umo": Decimal(umo)}


def of_devices(year: Year, days: list[date]) -> dict[str, Decimal]:
    active = {home["code"]: home["active"] for home in year.homes}
    lines = {"terminal_ip": "terminal_digital", "terminal_pstn": "terminal_analog", "terminal_gsm": "terminal_analog"}
    rented: Counter[str] = Counter()
    for device in year.devices:
        if device["ownership"] == "leased" and device["place"] == "home" and device["type"] != "ucr":
            line = lines.get(device["type"], device["type"])
            rented[f"rent.{line}"] += sum(
                str(day) >= device["since"] and has(active[device["home"]], day) for day in days
            )
    return {
        name: (Decimal(number) / len(days)).quantize(Decimal("1e-8"), ROUND_HALF_UP) for name, number in rented.items()
    }


@pytest.fixture
def year(vetlla: Vetlla, tmp_path: Path) -> Year:
    """Import a year."""
    folder = tmp_path / "year"
    found = made(folder)
    for what in ("homes", "people", "devices"):
        done = vetlla("inventory", "import", "--what", what, folder / f"{what}.csv", "--day", f"{YEAR}-12-31")
        assert done.status == 0, done.error + done.talk
    for kind in ("follow_up", "revaluation", "umo_1", "umo_2"):
        assert vetlla("duties", "import", folder / "events" / f"{kind}.csv").status == 0
    return found


def test_the_invoice_equals_a_count_from_the_files(vetlla: Vetlla, year: Year) -> None:
    seen: set[str] = set()
    for month in (2, 6, 10):
        rows = vetlla("invoice", "make", "--month", f"{YEAR}-{month:02}", "--json").json
        ours = {row["concept"]: Decimal(row["units"]) for row in rows if row["concept"] != "ans_reduction"}
        assert {name: units for name, units in ours.items() if units} == counted(year, month)
        for row in rows:
            price = PRICES.get(row["concept"]) or RENT.get(row["concept"].removeprefix("rent."))
            if price:
                amount = (Decimal(row["units"]) * Decimal(price)).quantize(Decimal("0.01"), ROUND_HALF_UP)
                assert Decimal(row["amount"]) == amount, row
        seen |= {name for name, units in ours.items() if units}
    assert seen >= {*PRICES, "rent.terminal_analog", "rent.smoke"}
