"""``vetlla invoice make``: the fixed fields, units counted by hand, files that repeat to the byte, refusals."""

from __future__ import annotations

import io
import subprocess
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.rigs.invoices import signer
from vetlla.documents.facturae.checking import faults_of
from vetlla.documents.facturae.reading import read
from vetlla.domain.clock import SystemClock, iso
from vetlla.settings.shipped import parameters_file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

MONTH = ("--month", "2025-10")
FIXED = ["month", "concept", "units", "price", "amount", "vat"]
BY_HAND = {
    # H1: 31 days less 3 suspended. H2: P2 to the 20th, P3 from the 6th to the 25th. H3: the 31st. H4 has no people.
    "essential": ("54", "10.80"),
    # F1 in the last second of the month; F2 is of a home with a carer; R3 in the first second; R1 is of November.
    "agendas": ("2", "3.66"),
    "umo": ("1", "99.00"),  # E1 began in October; no unit was sent to E2
    "home_safety": ("1", "2.96"),
    "mimal": ("1", "6.70"),  # P4; P1 was suspended on both days
    "integrated": ("1", "11.00"),  # P2; loneliness is in no parameter
    "rent.terminal_analog": ("0.03225806", "0.06"),  # T3: 1 of 31 days, the home is in the service from the 31st
    "rent.terminal_digital": ("0.51612903", "1.64"),  # T1: 16 of 31 days
    "rent.smoke": ("1.64516129", "0.95"),  # S1: 31 days; S2: 20 days, until its home left
}


def lines(service: Vetlla, *words: object) -> dict[str, dict[str, Any]]:
    """Return the lines by concept."""
    return {row["concept"]: row for row in service("invoice", "make", *MONTH, *words, "--json").json}


def test_units_and_amounts_are_those_counted_by_hand(service: Vetlla) -> None:
    found = lines(service)
    assert {name: (row["units"], row["amount"]) for name, row in found.items() if Decimal(row["amount"])} == BY_HAND
    assert len(found) == 6 + 13 + 1
    assert all(list(row)[:6] == FIXED and all(isinstance(row[name], str) for name in FIXED) for row in found.values())
    assert {row["vat"] for name, row in found.items() if name.startswith("rent.")} == {"21"}
    assert (found["essential"]["price"], found["essential"]["vat"]) == ("0.2000", "4")
    assert found["ans_reduction"]["amount"] == "0.00"
    assert "invoice.ans_reduction" in found["ans_reduction"]["assumed"]
    assert "rent.pro_rata" in found["rent.smoke"]["assumed"]
    assert found["essential"]["assumed"] == ["price.essential"]


def test_the_budget_reads_what_is_printed(service: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "months.ndjson"
    file.write_text(service("invoice", "make", *MONTH, "--json").out, encoding="utf-8")
    rows = {row["concept"]: row for row in service("budget", "execution", "--invoices", file, "--json").json}
    assert rows["umo"]["months"] == ["2025-10"]
    assert {name: rows[name]["executed"] for name in BY_HAND} == {name: amount for name, (_, amount) in BY_HAND.items()}


def test_what_was_not_counted_is_said(service: Vetlla) -> None:
    told = service("invoice", "make", *MONTH).talk
    assert "1 homes in the service have no registered user" in told
    assert "programme loneliness is in no parameter invoice.programme: 1 active people" in told
    assert "1 follow-ups are not paid: a person of the home gets fortnightly calls" in told
    assert "the reduction by service levels is not known" in told


@pytest.mark.parametrize(("pro_rata", "units"), [("whole_month", "2"), ("none", "1")])
def test_a_parameter_says_what_a_part_of_a_month_costs(
    service: Vetlla, tmp_path: Path, pro_rata: str, units: str
) -> None:
    installed = tmp_path / "p.toml"
    installed.write_text(changed("rent.pro_rata", pro_rata), encoding="utf-8")
    assert lines(service, "--parameters", installed)["rent.smoke"]["units"] == units


def changed(name: str, value: str, more: str = "") -> str:
    """Return the installed parameters with another text for a name, and more entries."""
    text = parameters_file().read_text(encoding="utf-8")
    head, _, rest = text.partition(f'name = "{name}"\nvalue = ')
    assert rest
    return f'{head}name = "{name}"\nvalue = "{value}"\n{rest.partition(chr(10))[2]}\n{more}'


BAND = """
[[parameter]]
name = "invoice.ans_reduction.{ans}"
value = {percent}
unit = "%"
valid_from = 2024-04-01
basis = "assumed"
ref = "a test"
"""


NOT_MEASURED = [ans for ans in range(1, 24) if ans not in {3, 9, 11, 12}]


def test_15_levels_that_were_not_kept_are_named_if_they_have_no_band(service: Vetlla, tmp_path: Path) -> None:
    """Without any band all that was not kept is named, on the terminal as well; a kept level is not."""
    file = tmp_path / "p.toml"
    file.write_text(changed("invoice.ans_reduction", "bands"), encoding="utf-8")
    done = service("invoice", "make", *MONTH, "--parameters", file)
    assert "not kept, and no parameter invoice.ans_reduction.N says their percentage: ANS 9" in done.talk
    row = lines(service, "--parameters", file)["ans_reduction"]
    notes = {note["name"]: (note["number"], note["about"]) for note in row["notes"]}
    assert (row["amount"], notes["levels_without_band"]) == ("0.00", (1, "ANS 9"))
    assert "ANS 8" in notes["levels_not_measured"][1].split(", ")


def test_bands_reduce_by_the_levels_that_were_not_kept(service: Vetlla, tmp_path: Path) -> None:
    """R1 was answered too late, so ANS 9 was not kept; nothing measures ANS 8, and ANS 3 was kept."""
    bands = "".join(BAND.format(ans=ans, percent=percent) for ans, percent in ((8, 5), (9, "1.5"), (3, 4)))
    file = tmp_path / "p.toml"
    file.write_text(changed("invoice.ans_reduction", "bands", bands), encoding="utf-8")
    row = lines(service, "--parameters", file)["ans_reduction"]
    assert (row["amount"], row["vat"]) == ("-2.01", "4")  # 1.5 % of 134.12
    assert [(note["name"], note["number"], note["about"]) for note in row["notes"]] == [
        ("deducted", 0, "ANS 9: 1.5 %"),
        ("levels_not_measured", 19, ", ".join(f"ANS {ans}" for ans in NOT_MEASURED)),
    ]
    assert {"invoice.ans_reduction", "invoice.ans_reduction.9"} <= set(row["assumed"])


@pytest.mark.parametrize(
    ("name", "value", "units"),
    [("invoice.umo.each", "unit", "2"), ("invoice.umo.counts", "arrived", "1"), ("invoice.umo.counts", "sent", "1")],
)
def test_parameters_decide_about_emergencies(
    service: Vetlla, tmp_path: Path, name: str, value: str, units: str
) -> None:
    """A second unit goes to E1, which got in; a third one is called away."""
    events = tmp_path / "units.csv"
    events.write_text(
        "kind,subject,event,at,ref,team\n"
        "umo_1,H1,sent,2025-10-31T23:56:00+01:00,E1,U-03\n"
        "umo_1,H1,recalled,2025-10-31T23:57:00+01:00,E1,U-03\n"
        "umo_1,H1,sent,2025-10-31T23:58:00+01:00,E1,U-02\n",
        encoding="utf-8",
    )
    assert service("duties", "import", events).status == 0
    file = tmp_path / "p.toml"
    file.write_text(changed(name, value), encoding="utf-8")
    assert lines(service, "--parameters", file)["umo"]["units"] == units


def test_a_word_that_a_parameter_does_not_know_is_refused(service: Vetlla, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(changed("rent.pro_rata", "weeks"), encoding="utf-8")
    done = service("invoice", "make", *MONTH, "--parameters", file)
    assert done.status == 78
    assert "rent.pro_rata is 'weeks'" in done.error
    assert "days or whole_month or none" in done.error


def test_a_month_is_computed_again_as_it_was_known(service: Vetlla, tmp_path: Path) -> None:
    """A suspension, a device and an answer that are recorded later change the month, and not what was known of it."""
    before = service("invoice", "make", *MONTH, "--json").out
    moment = iso(SystemClock().now().utc_us)
    more = tmp_path / "more.csv"
    more.write_text(
        "code,district,base,level,alone,active,suspended\nH1,01,NORD,1,yes,2020-01-01/,2025-10-02/2025-10-30\n"
    )
    assert service("inventory", "import", "--what", "homes", more, "--day", "2025-10-31").status == 0
    devices = tmp_path / "more-devices.csv"
    devices.write_text(
        "type,serial,ownership,place,home,since,first_installed\nsmoke,S9,leased,home,H2,2025-10-01,2025-10-01\n"
    )
    assert service("inventory", "import", "--what", "devices", devices, "--day", "2025-10-31").status == 0
    events = tmp_path / "more-events.csv"
    events.write_text("kind,subject,event,at,ref\numo_2,H2,sent,2025-10-05T10:10:00+02:00,E2\n")
    assert service("duties", "import", events).status == 0
    after = service("invoice", "make", *MONTH, "--json").out
    assert after != before
    assert service("invoice", "make", *MONTH, "--json", "--known", moment).out == before


def test_an_answer_counts_in_its_month_whenever_it_was_due_and_unless_it_is_taken_back(
    service: Vetlla, tmp_path: Path
) -> None:
    events = tmp_path / "late.csv"
    events.write_text(
        "kind,subject,event,at,ref,from,to\n"
        "follow_up,H4,planned,2025-01-10T09:00:00+01:00,L1,2025-01-01,2025-01-31\n"
        "follow_up,H4,answered,2025-10-08T09:00:00+02:00,L1,,\n",
        encoding="utf-8",
    )
    assert service("duties", "import", events).status == 0
    assert lines(service)["agendas"]["units"] == "3"
    (duty,) = service("duties", "list", "--subject", "H4", "--json").json
    (shown,) = service("duties", "show", duty["id"], "--json").json
    answer = next(event["id"] for event in shown["events"] if event["event"] == "answered")
    assert service("duties", "withdraw", answer, "--reason", "another home").status == 0
    assert lines(service)["agendas"]["units"] == "2"


def test_reductions_are_lines_with_their_reason(service: Vetlla) -> None:
    found = lines(service, "--reduction", "12.50", "--reason", "ANS 11", "--deduction", "3.00:control of the 4th")
    assert (found["ans_reduction"]["amount"], found["deduction"]["amount"]) == ("-12.50", "-3.00")
    assert found["ans_reduction"]["notes"][0]["about"] == "ANS 11"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--reduction", "12.505", "--reason", "x"], "is no amount"),
        (["--reduction", "-1", "--reason", "x"], "is no amount"),
        (["--reduction", "1"], "needs its reason"),
        (["--deduction", "1.00"], "has no reason"),
        (["--sign", "key.pem"], "signs a file"),
        (["--known", "2025-10-20T10:00:00Z"], "is not over"),
    ],
)
def test_a_wrong_option_is_refused(service: Vetlla, words: list[str], message: str) -> None:
    done = service("invoice", "make", *MONTH, *words)
    assert done.status == 64
    assert message in done.error


def test_files_agree_and_repeat_to_the_byte(service: Vetlla, tmp_path: Path) -> None:
    """XML, workbook and PDF are made twice; the XML says what the JSON says."""
    made: list[list[bytes]] = []
    for run in ("a", "b"):
        paths = [tmp_path / f"{run}.{ending}" for ending in ("xml", "xlsx", "pdf")]
        options = [word for path in paths for word in (f"--{path.suffix[1:]}", path)]
        done = service("invoice", "make", *MONTH, *options, "--issued", "2025-11-04")
        assert done.status == 0, done.error
        made.append([path.read_bytes() for path in paths])
    assert made[0] == made[1]
    xml, xlsx, pdf = made[0]
    assert faults_of(xml, unsigned=True) == []
    received = read(xml)
    json = lines(service)
    assert {one.concept: (one.units, one.amount) for one in received.lines} == {
        name: (Decimal(row["units"]), Decimal(row["amount"])) for name, row in json.items()
    }
    book = openpyxl.load_workbook(io.BytesIO(xlsx), read_only=True)
    assert len(book.sheetnames) == 6 + 13
    essential = [[cell.value for cell in row] for row in book["essential"].iter_rows()]
    assert essential[1:] == [
        ["H1", 28, "2025-10-01/2025-10-09;2025-10-13/2025-10-31"],
        ["H2", 25, "2025-10-01/2025-10-25"],
        ["H3", 1, "2025-10-31/2025-10-31"],
    ]
    attached = tmp_path / "attached.xml"
    (tmp_path / "x.pdf").write_bytes(pdf)
    subprocess.run(["pdfdetach", "-save", "1", "-o", attached, tmp_path / "x.pdf"], check=True)
    assert attached.read_bytes() == xml


def test_a_key_signs_the_file(service: Vetlla, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    one = signer()
    key.write_bytes(
        one.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + b"".join(certificate.public_bytes(Encoding.PEM) for certificate in one.chain)
    )
    key.chmod(0o600)
    out = tmp_path / "i.xsig"
    done = service("invoice", "make", *MONTH, "--xml", out, "--sign", key, "--issued", "2025-11-04")
    assert done.status == 0, done.error
    assert faults_of(out.read_bytes()) == []
    assert "the header is the example" in done.talk
