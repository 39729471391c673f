"""``vetlla invoice check`` finds each figure that a received invoice has otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.invoice.test_make import MONTH
from vetlla.settings.shipped import invoice_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


@pytest.fixture
def made(service: Vetlla, tmp_path: Path) -> Path:
    """Write our own lines to a file."""
    file = tmp_path / "lines.ndjson"
    file.write_text(service("invoice", "make", *MONTH, "--json").out, encoding="utf-8")
    return file


def test_our_own_invoice_has_no_difference(service: Vetlla, made: Path) -> None:
    done = service("invoice", "check", made, *MONTH)
    assert (done.status, done.out) == (0, "")
    assert "20 lines compared, 0 differences" in done.talk


def test_a_changed_figure_is_named_with_both_values(service: Vetlla, made: Path) -> None:
    text = made.read_text(encoding="utf-8")
    made.write_text(text.replace('"units": "54"', '"units": "55"').replace('"10.80"', '"11.00"'), encoding="utf-8")
    done = service("invoice", "check", made, *MONTH, "--json")
    assert done.status == 1
    assert done.json == [
        {"concept": "essential", "what": "units", "ours": "54", "theirs": "55", "difference": "1"},
        {"concept": "essential", "what": "amount", "ours": "10.80", "theirs": "11.00", "difference": "0.20"},
    ]


def test_a_file_of_another_month_is_refused(service: Vetlla, made: Path) -> None:
    done = service("invoice", "check", made, "--month", "2025-11")
    assert done.status == 64
    assert "2025-10" in done.error


def test_a_table_with_commas_is_read(service: Vetlla, tmp_path: Path) -> None:
    """An invoice that leaves most lines out differs in each of them."""
    file = tmp_path / "lines.csv"
    file.write_text("concept;units;price;amount;vat\nessential;54;0,2;10,80;4\n", encoding="utf-8")
    done = service("invoice", "check", file, *MONTH, "--json")
    assert done.status == 1
    assert "essential" not in {row["concept"] for row in done.json}
    assert {"umo", "rent.smoke"} <= {row["concept"] for row in done.json}


def test_a_wrong_cell_is_refused_with_its_row(service: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "lines.csv"
    file.write_text("concept,units,price,amount,vat\nessential,many,1,1,4\n", encoding="utf-8")
    done = service("invoice", "check", file, *MONTH)
    assert done.status == 64
    assert "row 2: units is no number" in done.error


def test_a_facturae_without_signature_has_a_fault_and_no_difference(service: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "i.xml"
    assert service("invoice", "make", *MONTH, "--xml", file, "--issued", "2025-11-04").status == 0
    done = service("invoice", "check", file, *MONTH)
    assert (done.status, done.out) == (1, "")
    assert "the file is not signed" in done.talk
    assert service("invoice", "check", file, "--month", "2025-09").status == 64


def test_sums_of_a_facturae_are_compared(service: Vetlla, tmp_path: Path) -> None:
    """It was made with a reduction that we do not know."""
    file = tmp_path / "i.xml"
    reduced = ("--reduction", "5.00", "--reason", "ANS 3")
    assert service("invoice", "make", *MONTH, "--xml", file, *reduced, "--issued", "2025-11-04").status == 0
    rows = service("invoice", "check", file, *MONTH, "--json").json
    found = {(row["concept"], row["what"]): row["difference"] for row in rows}
    assert (found["ans_reduction", "amount"], found["net", "amount"]) == ("-5.00", "-5.00")
    assert not [name for name, _ in found if name.startswith("rent.")]
    assert service("invoice", "check", file, *MONTH, *reduced, "--json").out == ""


@pytest.mark.parametrize(
    ("pairs", "fault"),
    [
        ([("<InvoiceCurrencyCode>EUR", "<InvoiceCurrencyCode>USD")], "rule 6: InvoiceCurrencyCode is USD"),
        ([("<TaxCurrencyCode>EUR", "<TaxCurrencyCode>GBP")], "rule 6: TaxCurrencyCode is GBP"),
        ([("<InstallmentAmount>", "<InstallmentAmount>1")], "rule Facturae: all InstallmentAmount are 1"),
        ([("<CentreCode>LA0007817", "<CentreCode>XX")], "rule 8: the office in role 01 has XX"),
        ([("<IssueDate>2025-11-04", "<IssueDate>2025-10-30")], "dated 2025-10-30, before the end of 2025-10"),
        ([("<EndDate>2025-10-31", "<EndDate>2025-11-30")], "for days up to 2025-11-30, after the end of 2025-10"),
    ],
)
def test_25_what_a_receiver_refuses_is_a_fault(
    service: Vetlla, tmp_path: Path, pairs: list[tuple[str, str]], fault: str
) -> None:
    header = tmp_path / "head.toml"
    text = invoice_file().read_text(encoding="utf-8").replace('iban = ""', 'iban = "ES9121000418450200051332"')
    header.write_text(text, encoding="utf-8")
    file = tmp_path / "i.xml"
    words = ("--xml", file, "--header", header, "--issued", "2025-11-04")
    assert service("invoice", "make", *MONTH, *words).status == 0
    xml = file.read_text(encoding="utf-8")
    assert fault not in service("invoice", "check", file, *MONTH).talk
    for old, new in pairs:
        assert old in xml
        file.write_text(xml.replace(old, new), encoding="utf-8")
    done = service("invoice", "check", file, *MONTH)
    assert done.status == 1
    assert fault in done.talk


def test_25_a_concept_that_the_contract_does_not_know_is_named_whatever_it_asks(service: Vetlla, made: Path) -> None:
    text = made.read_text(encoding="utf-8")
    row = '{"concept": "gift", "units": "0", "price": "5", "amount": "0.00", "vat": "21"}\n'
    made.write_text(text + row, encoding="utf-8")
    done = service("invoice", "check", made, *MONTH, "--json")
    assert done.status == 1
    assert done.json == [{"concept": "gift", "what": "concept", "ours": "", "theirs": "unknown", "difference": ""}]
