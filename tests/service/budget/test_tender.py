"""The cost tables of the tender, to the cent (Barcelona 20220428, section 5; the figures are those that it prints)."""

from __future__ import annotations

import re
import tomllib
from decimal import Decimal

import pytest

from vetlla.domain.errors import ConfigError
from vetlla.service.budget.tender import Cell, cells, parse_tender, purchase_option
from vetlla.settings.shipped import tender_file

YEARS = (2024, 2025, 2026, 2027)
SERVICES = {
    "essential": "77287 4266263.79 78349 5719453.28 79562 5807994.98 80320 1445753.48 17239465.53",
    "agendas": "66329 1092443.61 67249 1476789.91 67162 1474877.63 66979 367716.32 4411827.47",
    "umo": "1930 1719630.00 1960 2328480.00 1990 2364120.00 2020 599940.00 7012170.00",
    "home_safety": "29600 788544.00 29600 1051392.00 29600 1051392.00 29600 262848.00 3154176.00",
    "mimal": "360 21708.00 360 28944.00 970 77988.00 1420 28542.00 157182.00",
    "integrated": "350 34650.00 350 46200.00 960 126720.00 1410 46530.00 254100.00",
}
"""Units and amounts of each year, then the amount of all years."""
RENTS = {
    "terminal_analog": "0 0 72061.74 42094.58 114156.32",
    "terminal_digital": "13908.38 212282.22 601640.64 204331.86 1032163.10",
    "smoke": "370.62 2181.96 4858.08 2225.46 9636.12",
    "gas": "2947.68 12900.24 26705.76 8968.62 51522.30",
    "passivity": "0 0 4.98 118.28 123.26",
    "door": "37.35 154.38 258.96 79.68 530.37",
    "geolocator": "371.25 5445.00 9900.00 2475.00 18191.25",
    "fall_ucr": "67.50 342.00 675.00 217.50 1302.00",
    "oral": "146.25 450.00 510.00 202.50 1308.75",
    "smartwatch": "0 0 701.40 395.79 1097.19",
    "remote_fall": "0 0 79.68 44.82 124.50",
    "voice_extender": "0 0 49.80 28.64 78.44",
    "choice": "0 0 4320.00 2430.00 6750.00",
}
SUMS = {
    "services": "7923239.40 10651259.19 10903092.61 2751329.80 32228921.00",
    "rent": "17849.03 233755.80 721766.04 263612.73 1236983.60",
    "net": "7941088.43 10885014.99 11624858.65 3014942.53 33465904.60",
    "vat_4": "316929.58 426050.37 436123.70 110053.19 1289156.84",
    "vat_21": "3748.30 49088.72 151570.87 55358.67 259766.56",
    "total": "8261766.31 11360154.08 12212553.22 3180354.39 35014828.00",
}
"""Amounts of each year, then of all years."""
FILE = tender_file().read_text(encoding="utf-8")


def table(text: str = FILE, *, calendar: bool = False) -> dict[tuple[int | None, str], Cell]:
    """Return the cells of a file by year and concept."""
    tables = parse_tender(tomllib.loads(text, parse_float=Decimal), "tender.toml")
    return {(cell.year, cell.concept): cell for cell in cells(tables, calendar=calendar)}


@pytest.mark.parametrize("concept", SERVICES)
def test_a_service_costs_what_the_tender_says(concept: str) -> None:
    """Units are printed as whole numbers; amounts come from units that are not rounded."""
    found, printed = table(), SERVICES[concept].split()
    for place, year in enumerate(YEARS):
        cell = found[year, concept]
        assert cell.units is not None
        assert abs(cell.units - int(printed[2 * place])) <= Decimal("0.5")
        assert cell.amount == Decimal(printed[2 * place + 1])
    assert found[None, concept].amount == Decimal(printed[-1])


@pytest.mark.parametrize("concept", [*RENTS, *SUMS])
def test_rents_sums_and_vat_are_those_of_the_tender(concept: str) -> None:
    """Every printed amount is computed to the cent."""
    found = table()
    name = f"rent.{concept}" if concept in RENTS else concept
    printed = (RENTS | SUMS)[concept].split()
    assert [found[year, name].amount for year in (*YEARS, None)] == list(map(Decimal, printed))


def test_the_purchase_option_is_that_of_the_tender() -> None:
    """60 rents for each installed device, less the rent that was paid: with the 2,209 terminals of the costs."""
    assert table()[None, "purchase_option"].amount == Decimal("4189435.60")


def test_the_calendar_differs_in_two_places_only() -> None:
    """One day of essential telecare in 2024, and one analog terminal in 2027, with what follows from both."""
    ours, theirs = table(calendar=True), table()
    changed = {key for key, cell in ours.items() if cell.amount != theirs[key].amount}
    sums = {"services", "net", "vat_4", "total"}
    rents = {"rent.terminal_analog", "rent", "net", "vat_21", "total"}
    assert changed == {
        *((2024, one) for one in ("essential", *sums)),
        *((2027, one) for one in rents),
        *((None, one) for one in ("essential", "purchase_option", *sums, *rents)),
    }
    one_day = theirs[2024, "essential"].amount - ours[2024, "essential"].amount
    assert one_day == Decimal("15457.48")  # 77,287.3875 homes x 0.20 EUR, each amount rounded to the cent
    assert ours[2027, "rent.terminal_analog"].amount == Decimal("42097.32")


def test_a_lower_rent_changes_its_line_and_the_purchase() -> None:
    """The price of a device is 60 of the offered rents, so both fall together."""
    cheaper = FILE.replace("price = 3.17", "price = 3.00")
    tables = parse_tender(tomllib.loads(cheaper, parse_float=Decimal), "tender.toml")
    assert table(cheaper)[2026, "rent.terminal_digital"].amount == Decimal("569376.00")
    assert purchase_option(tables) < Decimal("4189435.60")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "months = [9, 12, 12, 3]",
            "months = [9, 12, 12]",
            "the whole file: each list needs 4 values, one for each of years",
        ),
        ("umo = 99.00", "umo = -99.00", "prices.umo: Input should be greater than or equal to 0"),
        ("active = 0.933", "activ = 0.933", "homes.active: Field required"),
        ("[rent.choice]", "[rent.choice]\ncolour = 1", "rent.choice.colour: Extra inputs are not permitted"),
    ],
)
def test_a_wrong_file_is_refused(old: str, new: str, message: str) -> None:
    """The error names the file, the key and what is wrong."""
    assert old in FILE
    with pytest.raises(ConfigError, match=re.escape(f"tender.toml: {message}")):
        table(FILE.replace(old, new, 1))
