"""Dated parameters give the value of a day, and a footnote for each assumed value."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from vetlla.domain.devices import DeviceType
from vetlla.domain.errors import ConfigError, UsageError
from vetlla.service.parameters import Basis, parse

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "config" / "parameters.toml"
ENTRY = {
    "name": "life.gas",
    "value": 60,
    "unit": "months",
    "valid_from": date(2024, 4, 1),
    "basis": "assumed",
    "ref": "makers",
}


def document(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"parameter": [{**ENTRY, **change} for change in changes]}


def test_a_day_has_the_value_in_force_on_it() -> None:
    """A later entry does not change the value of earlier days."""
    parameters = parse(document({}, {"value": 84, "valid_from": date(2025, 1, 1)}), "p.toml")
    values = {day: parameters.on(day).integer("life.gas") for day in (date(2024, 12, 31), date(2025, 1, 1))}
    assert values == {date(2024, 12, 31): 60, date(2025, 1, 1): 84}
    assert parameters.on(date(2020, 1, 1)).started("life.gas") == 0


def test_only_assumed_values_that_were_used_are_a_footnote() -> None:
    """A report names only the assumed values that it uses."""
    reading = parse(document({}, {"name": "life.smoke"}, {"name": "guarantee", "basis": "contract"}), "p.toml").on(
        date(2024, 5, 1)
    )
    reading.integer("life.gas")
    reading.integer("guarantee")
    assert reading.footnotes() == ["assumed: life.gas = 60 months from 2024-04-01 (makers)"]


def test_many_assumptions_are_one_footnote() -> None:
    """The footnote names their number, their subjects and the command that lists them."""
    names = ["life.gas", "life.smoke", "life.door", "capacity.default"]
    reading = parse(document(*({"name": name} for name in names)), "p.toml").on(date(2024, 5, 1))
    for name in names:
        reading.integer(name)
    assert reading.footnotes() == ["rests on 4 assumed values (capacity, life): vetlla inventory parameters --assumed"]


def test_the_values_in_force_are_those_of_the_day() -> None:
    """Each name has one value; later values and names that have not begun are left out."""
    entries = document({}, {"value": 84, "valid_from": date(2025, 1, 1)}, {"name": "a", "valid_from": date(2030, 1, 1)})
    assert [entry.value for entry in parse(entries, "p.toml").in_force(date(2026, 1, 1))] == [84]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"basis": "guess"}, "basis 'guess'"),
        ({"valid_from": "2024"}, "valid_from '2024' is no date"),
        ({"value": True}, "value True is neither"),
        ({"colour": 1}, "missing or unknown keys: colour"),
    ],
)
def test_a_bad_entry_is_named(change: dict[str, Any], told: str) -> None:
    """The error names file, entry and fault."""
    with pytest.raises(ConfigError, match=r"p\.toml: parameter 1") as caught:
        parse(document(change), "p.toml")
    assert told in str(caught.value)


def test_two_values_from_one_day_are_refused() -> None:
    """It would be random which of the two is used."""
    with pytest.raises(ConfigError, match=r"life\.gas has two values from 2024-04-01"):
        parse(document({}, {"value": 61}), "p.toml")


def test_a_value_of_the_wrong_kind_is_reported_when_it_is_used() -> None:
    """The error names the parameter and the kind of value that it should have."""
    reading = parse(document({"value": "many"}), "p.toml").on(date(2024, 5, 1))
    with pytest.raises(UsageError, match=r"life\.gas is not a whole number"):
        reading.integer("life.gas")
    with pytest.raises(ConfigError, match=r"life\.door is missing"):
        reading.integer("life.door")


class Side(StrEnum):
    """Two words that a value may be."""

    LEFT = "left"
    RIGHT = "right"


def test_a_word_is_one_of_those_that_are_known() -> None:
    """The member of an enumeration comes back; an error names the parameter that the file has, and the words."""
    reading = parse(document({"value": "right"}), "p.toml").on(date(2024, 5, 1))
    assert reading.choice("life.gas", Side) is Side.RIGHT
    assert reading.choice("life.gas.G-1", Side, "life.gas") is Side.RIGHT
    with pytest.raises(ConfigError, match=r"parameter life\.gas is 'right'\n.*write yes or no"):
        reading.is_yes("life.gas")
    number = parse(document({"value": 7}), "p.toml").on(date(2024, 5, 1))
    with pytest.raises(ConfigError, match=r"parameter life\.gas is 7\n.*left or right"):
        number.choice("life.gas.G-1", Side, "life.gas")


def test_values_that_no_contract_says_are_named_once() -> None:
    """A value that changed within a period is one name; a contract's value is none."""
    later = {"value": 2, "valid_from": date(2024, 6, 1)}
    reading = parse(document({"value": 1}, later, {"name": "agreed", "basis": "contract"}), "p.toml").on(
        date(2024, 5, 1)
    )
    reading.integer("agreed")
    reading.integer("life.gas")
    reading.at(date(2024, 7, 1)).integer("life.gas")
    assert len(reading.not_agreed()) == 2
    assert reading.assumed() == ("life.gas",)


@pytest.mark.parametrize(("value", "least"), [(-1, 0), (0, 1)])
def test_an_impossible_number_is_reported_when_it_is_used(value: int, least: int) -> None:
    """A life of no months or a visit of no minutes would cause wrong results far from its cause."""
    reading = parse(document({"value": value}), "p.toml").on(date(2024, 5, 1))
    with pytest.raises(UsageError, match=f"a whole number of at least {least}"):
        reading.integer("life.gas", least=least)


@pytest.mark.parametrize("key", ["value", "valid_from"])
def test_a_moment_is_no_day(key: str) -> None:
    """TOML has dates and times; a time cannot be compared with dates."""
    with pytest.raises(ConfigError, match=r"life\.gas"):
        parse(document({key: datetime(2024, 4, 1, tzinfo=UTC)}), "p.toml")


def test_the_shipped_file_has_what_every_type_needs_and_money_is_exact() -> None:
    """Each type has a life and a duration; prices are as in the tender, and the purchase price is 60 rents."""
    parameters = parse(tomllib.loads(SHIPPED.read_text(encoding="utf-8"), parse_float=Decimal), str(SHIPPED))
    reading = parameters.on(date(2024, 4, 1))
    for kind in DeviceType:
        assert reading.integer(f"life.{kind}") > 0
        assert reading.integer(f"duration.{kind}") > 0
    assert reading.money("price.rent.terminal_digital") * 60 == Decimal("190.20")
    assert reading.money("price.rent.geolocator") * 60 == Decimal("150.00")
    contract = [parameters.find(name, reading.day) for name in ("digital.target", "growth.homes", "new.max_age")]
    assert all(entry and entry.basis is Basis.CONTRACT for entry in contract)


def test_an_installed_wheel_brings_its_parameters(tmp_path: Path) -> None:
    """The wheel contains the file twice: beside the rules that read it, and for the engineer to copy."""
    build = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, tmp_path], cwd=ROOT, check=True, capture_output=True, text=True, timeout=120
    )
    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as wheel:
        names = [name for name in wheel.namelist() if name.endswith("parameters.toml")]
        assert len(names) == 2
        assert {wheel.read(name) for name in names} == {SHIPPED.read_bytes()}
        assert "vetlla/service/parameters.toml" in names
