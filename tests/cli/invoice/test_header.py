"""A header that the receiver of the invoice would refuse is refused with its key, before any file is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.invoice.test_make import MONTH
from vetlla.settings.shipped import invoice_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('tax_id = "B00000000"', 'tax_id = "A58818502"', "seller.tax_id: 'A58818502' is no Spanish tax number"),
        ('tax_id = "Q0000000J"', 'tax_id = "00000000T"', "buyer.tax_id: '00000000T' is the tax number of a person"),
        ('accounting = "LA0007817"', 'accounting = "XX"', "offices.accounting: 'XX' is no DIR3 code"),
        ('managing = "LA0007817"', 'managing = "LA00078170"', "offices.managing: 'LA00078170' is no DIR3 code"),
        ('processing = "LA0007817"', 'processing = "LAX007817"', "offices.processing: 'LAX007817' is no DIR3 code"),
        ('postcode = "08001"', 'postcode = "8001"', "seller.postcode: '8001' is no postcode"),
        ('iban = ""', 'iban = "ES9121000418450200051333"', "iban: 'ES9121000418450200051333' is no IBAN"),
        ('code = "24000000"', f'code = "{"1" * 21}"', "contract.code: "),
        ('province = "Barcelona"', f'province = "{"B" * 21}"', "seller.province: "),
        ('name = "Institut de l\'Exemple"', f'name = "{"I" * 81}"', "buyer.name: "),
    ],
)
def test_a_value_that_would_be_refused_is_named(service: Vetlla, tmp_path: Path, old: str, new: str, key: str) -> None:
    text = invoice_file().read_text(encoding="utf-8")
    assert old in text
    header = tmp_path / "head.toml"
    header.write_text(text.replace(old, new, 1), encoding="utf-8")
    files = [tmp_path / f"i.{ending}" for ending in ("xml", "xlsx")]
    words = [word for file in files for word in (f"--{file.suffix[1:]}", file)]
    done = service("invoice", "make", *MONTH, *words, "--header", header, "--issued", "2025-11-04")
    assert done.status == 78
    assert key in done.error
    assert not any(file.exists() for file in files)


def test_no_file_is_written_if_one_of_them_is_refused(service: Vetlla, tmp_path: Path) -> None:
    """The number of an invoice comes from an option, and is too long."""
    files = [tmp_path / f"i.{ending}" for ending in ("xml", "xlsx", "pdf")]
    words = [word for file in files for word in (f"--{file.suffix[1:]}", file)]
    done = service("invoice", "make", *MONTH, *words, "--number", "1" * 21, "--issued", "2025-11-04")
    assert done.status == 64
    assert "InvoiceNumber has 21 characters" in done.error
    assert not any(file.exists() for file in files)


@pytest.mark.parametrize(("day", "status"), [("2025-10-30", 64), ("2025-10-31", 0)])
def test_25_an_invoice_is_not_dated_before_the_end_of_its_month(
    service: Vetlla, tmp_path: Path, day: str, status: int
) -> None:
    done = service("invoice", "make", *MONTH, "--xml", tmp_path / "i.xml", "--issued", day)
    assert done.status == status
    assert ("--issued 2025-10-30 is before the end of 2025-10" in done.error) is bool(status)
