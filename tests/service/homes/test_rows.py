"""The rows of an import are checked against the registry: what stands there already is taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vetlla.domain.columns import Fault
from vetlla.domain.homes import Home
from vetlla.service.homes.columns import HOMES
from vetlla.service.homes.rows import home, home_row

if TYPE_CHECKING:
    from vetlla.service.homes.columns import HomeRow

KNOWN = Home(code="H1", district="01", base="NORD", level=2, alone=True, phones=("931234567", "112"))
FEW = "has too few digits for a telephone number"


def with_phones(phones: str) -> HomeRow:
    return HOMES.check({**home_row(KNOWN), "phones": phones})


@pytest.mark.parametrize("phones", ["931234567;112", "112", "112;931234568"])
def test_a_registered_number_is_taken_back(phones: str) -> None:
    """A number that is too short for the rule of today may stand in the registry, and its home keeps it."""
    taken = home(2, with_phones(phones), KNOWN)

    assert isinstance(taken, Home)
    assert taken.phones == tuple(phones.split(";"))


def test_an_exported_home_is_unchanged() -> None:
    """Nothing of the home differs from the registered one, so the import has nothing to write."""
    assert home(2, with_phones(home_row(KNOWN)["phones"]), KNOWN) == KNOWN


@pytest.mark.parametrize(
    ("phones", "known", "faults"),
    [
        ("931234567;112", None, [Fault(2, "phones", "112", f"112 {FEW}")]),
        ("112;061", KNOWN, [Fault(2, "phones", "061", f"061 {FEW}")]),
    ],
)
def test_a_new_number_that_cannot_be_called_is_refused(phones: str, known: Home | None, faults: list[Fault]) -> None:
    """A home that is not registered has no such number yet, and a registered home gets no other one."""
    assert home(2, with_phones(phones), known) == faults
