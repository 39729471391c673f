"""Only days of the contract are invoiced: months before and after it are refused, and a part of a month counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.invoice.test_make import lines
from vetlla.settings.shipped import parameters_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla


def of_contract(tmp_path: Path, start: str, *ends: tuple[str, str]) -> Path:
    """Return a file of parameters with a contract; ``ends`` has each end and the day from which it is in force."""
    head, _, rest = parameters_file().read_text(encoding="utf-8").partition('name = "contract.start"\nvalue = ')
    text = f'{head}name = "contract.start"\nvalue = {start}{rest[10:]}'
    head, _, rest = text.partition('[[parameter]]\nname = "contract.end"\n')
    entries = "".join(
        f'[[parameter]]\nname = "contract.end"\nvalue = {end}\nunit = "date"\nvalid_from = {since}\n'
        f'basis = "contract"\nref = "a test"\n\n'
        for end, since in ends
    )
    file = tmp_path / "contract.toml"
    file.write_text(f"{head}{entries}[[parameter]]{rest.partition('[[parameter]]')[2]}", encoding="utf-8")
    return file


@pytest.mark.parametrize("command", [["make"], ["explain", "umo"], ["explain", "rent.smoke", "--home", "H1"]])
def test_a_month_before_the_contract_is_refused_with_the_reason(service: Vetlla, command: list[str]) -> None:
    done = service("invoice", *command, "--month", "2024-03")
    assert (done.status, done.out) == (64, "")
    assert "2024-03 cannot be invoiced: the contract starts on 2024-04-01" in done.error
    assert service("invoice", *command, "--month", "2024-04").status == 0


def test_a_received_invoice_of_such_a_month_is_refused(service: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "lines.csv"
    file.write_text("concept,units,price,amount,vat\nessential,1,0.20,0.20,4\n", encoding="utf-8")
    done = service("invoice", "check", file, "--month", "2024-03")
    assert done.status == 64
    assert "the contract starts on 2024-04-01" in done.error


def test_a_month_after_the_contract_is_refused_unless_it_was_extended(service: Vetlla, tmp_path: Path) -> None:
    ended = of_contract(tmp_path, "2024-04-01", ("2025-09-30", "2024-04-01"))
    done = service("invoice", "make", "--month", "2025-10", "--parameters", ended)
    assert done.status == 64
    assert "the contract ended on 2025-09-30" in done.error
    assert "an extension is a further value of contract.end" in done.error
    extended = of_contract(tmp_path, "2024-04-01", ("2025-09-30", "2024-04-01"), ("2026-09-30", "2025-09-01"))
    assert lines(service, "--parameters", extended)["essential"]["units"] == "54"


def test_a_contract_that_ends_within_the_month_counts_its_days(service: Vetlla, tmp_path: Path) -> None:
    """To the 20th: H1 has 17 days, H2 20, H3 none; both detectors have 20 of 31 days; E1 and F1 came on the 31st."""
    found = lines(service, "--parameters", of_contract(tmp_path, "2024-04-01", ("2025-10-20", "2024-04-01")))
    units = {name: row["units"] for name, row in found.items()}
    assert (units["essential"], units["umo"], units["agendas"], units["mimal"]) == ("37", "0", "1", "0")
    assert (units["rent.smoke"], units["rent.terminal_digital"]) == ("1.29032258", "0.16129032")


def test_a_contract_that_starts_within_the_month_counts_its_days(service: Vetlla, tmp_path: Path) -> None:
    """From the 21st: H1 has 11 days, H2 5, H3 one; R3 was answered on the 1st, F2 on the 15th."""
    found = lines(service, "--parameters", of_contract(tmp_path, "2025-10-21", ("2027-03-31", "2024-04-01")))
    units = {name: row["units"] for name, row in found.items()}
    assert (units["essential"], units["umo"], units["agendas"], units["integrated"]) == ("17", "1", "1", "0")
    assert units["rent.smoke"] == "0.35483871"
    (row,) = service(
        "invoice", "explain", "home_safety", "--month", "2025-10", "--parameters", tmp_path / "contract.toml", "--json"
    ).json
    assert row["dates"] == "2025-10-21/2025-10-31"


def test_the_budget_has_no_invoice_of_a_month_without_a_contract(service: Vetlla, tmp_path: Path) -> None:
    """The tables of the tender begin in April 2024, and this contract in September 2025."""
    file = of_contract(tmp_path, "2025-09-01", ("2027-03-31", "2024-04-01"))
    done = service("budget", "execution", "--until", "2025-10", "--parameters", file, "--json")
    assert done.status == 0, done.error
    assert {tuple(row["months"]) for row in done.json if row["year"] == 2025} == {("2025-09", "2025-10")}
