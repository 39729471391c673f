"""``vetlla supervision report`` proves a month from a ledger as the receiver writes it."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.rigs.journals import journal
from tests.rigs.ledger import DOWN_S, GONE, LONG, SILENT, write_ledger
from vetlla.domain.supervision import DayOf, KeptDevice, LedgerDay, Stretch
from vetlla.service.supervision.rules import Pause

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Vetlla

MONTH = ("supervision", "report", "--month", "2026-10")


@pytest.fixture
def ledger(state_dir: Path) -> Path:
    """Write a month of two terminals and a UCR; on one day there was no receiver."""
    write_ledger(state_dir)
    return state_dir


def test_the_month_for_a_machine(ledger: Path, vetlla: Vetlla) -> None:
    """The report has terminals and UCRs apart, reasons for no supervision, days without a receiver, and the verdict."""
    (report,) = vetlla(*MONTH, "--json").json
    terminal, ucr = report["kinds"]
    assert (terminal["kind"], terminal["device_days"], terminal["supervised_days"]) == ("terminal", 60, 30)
    assert terminal["not_supervised"] == {"suspended": 30}
    assert (terminal["checked"], terminal["breaches"], terminal["share"]) == (29, 1, "96.666")
    assert (ucr["kind"], ucr["device_days"], ucr["partial_days"], ucr["share"]) == ("ucr", 30, 1, "100.000")
    assert ucr["partial_s"] == {"away": 3 * 3600}
    assert ucr["expected"] == 27 * 96 + 100 + 84 + 95.333
    assert report["days_without_record"] == [GONE.isoformat()]
    assert report["no_receiver_s"] == {SILENT.isoformat(): DOWN_S}
    assert (report["kept"], report["checked"], report["supervised"]) == (False, 59, 60)
    assert any("PPT 5.14" in note for note in report["notes"])


def test_the_month_for_people(ledger: Path, vetlla: Vetlla) -> None:
    """People read the same in words, with the footnote that the contract's period is not known."""
    done = vetlla(*MONTH)
    assert done.status == 1
    assert "ANS 13 NOT KEPT: 59 of 60 device-days checked in time (98.333 %)" in done.out
    assert f"without a record (the receiver did not run): {GONE}" in done.out
    assert f"{SILENT} {DOWN_S} s" in done.out
    assert "ucr: expected every 900 s, lost after 3 misses: 30 device-days" in done.out
    assert "(PPT 5.14) is not known" in done.talk


@pytest.mark.parametrize("options", [(), ("--days",), ("--devices",), ("--breaches",), ("--csv",), ("--json",)])
def test_the_exit_status_says_whether_the_standard_was_kept(
    ledger: Path, state_dir: Path, vetlla: Vetlla, options: tuple[str, ...]
) -> None:
    """Every form gives 1 for a breach, for a day without a record, and if nothing was supervised; else 0."""
    assert vetlla(*MONTH, *options).status == 1
    for name, day, status in (
        ("kept", DayOf(0, 900, 3, 86_400, 96, 905, 0, 1), 0),
        ("breached", DayOf(0, 900, 3, 86_400, 90, 9000, 0, 1), 1),
        ("unsupervised", DayOf(0, 900, 3, 0, 0, 0, Pause.SUSPENDED, 4), 1),
    ):
        place = state_dir / name
        with journal(place) as scribe:
            batch = scribe.batch()
            batch.supervision.units.append(KeptDevice(0, "4C01", "", "1", "", 1, 1, 1, 0, 900, 3, "", 0, 0, 0, 0))
            for number in range(1, 32):
                block = Stretch(0)
                block.put(day)
                batch.supervision.add_stretch(f"2026-10-{number:02}", block)
                batch.supervision.days.append(LedgerDay(f"2026-10-{number:02}", 0, 5.0))
            scribe.write(batch)
        assert vetlla(*MONTH, *options, "--state-dir", place).status == status, name


def test_days_and_devices_add_up_to_the_month(ledger: Path, vetlla: Vetlla) -> None:
    """A person who doubts the denominator can count it again, from the days or from the devices."""
    (report,) = vetlla(*MONTH, "--json").json
    days = vetlla(*MONTH, "--days", "--json").json
    devices = vetlla(*MONTH, "--devices").json
    assert {day["day"]: day["recorded"] for day in days}[GONE.isoformat()] is False
    for kind in report["kinds"]:
        of_days = [day for day in days if day["kind"] == kind["kind"]]
        for name in ("device_days", "supervised_days", "checked", "breaches", "received", "supervised_s"):
            assert sum(day[name] for day in of_days) == kind[name], name
        of_devices = [one for one in devices if one["kind"] == kind["kind"]]
        assert len(of_devices) == kind["device_days"]
        verdicts = Counter(one["verdict"] for one in of_devices)
        assert (verdicts["checked"], verdicts["breach"]) == (kind["checked"], kind["breaches"])
        assert sum(round(1000 * one["expected"]) for one in of_devices) == round(1000 * kind["expected"])
        assert sum(one["supervised_s"] for one in of_devices) == kind["supervised_s"]


def test_breaches_are_listed(ledger: Path, vetlla: Vetlla) -> None:
    """The list says which device was silent too long, on which day, and for how long."""
    (breach,) = vetlla(*MONTH, "--breaches", "--json").json
    assert (breach["account"], breach["device"], breach["day"]) == ("=4C01", "", SILENT.isoformat())
    assert (breach["longest_silence_s"], breach["verdict"]) == (9000, "breach")


def test_tables_for_spreadsheets(ledger: Path, vetlla: Vetlla) -> None:
    """Month, days and devices can be CSV, in which text that a spreadsheet would compute stays text."""
    for options, rows in (((), 2), (("--days",), 61), (("--devices",), 90)):
        table = list(csv.DictReader(io.StringIO(vetlla(*MONTH, *options, "--csv").out)))
        assert len(table) == rows
        if "--devices" in options:
            assert table[0]["account"] == "'=4C01"


def test_a_day_of_25_hours_has_no_gap(ledger: Path, vetlla: Vetlla) -> None:
    """The day on which the clocks are set back is supervised for 25 hours."""
    days = [one for one in vetlla(*MONTH, "--devices").json if one["day"] == LONG.isoformat() and one["kind"] == "ucr"]
    assert [(one["supervised_s"], one["unsupervised_s"], one["expected"]) for one in days] == [(90_000, 0, 100.0)]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("--month", "2026-09"), os.EX_USAGE, "the ledger has no day of 2026-09"),
        (("--month", "2026-10", "--csv", "--json"), os.EX_USAGE, "exclude each other"),
        (("--month", "2026-10", "--days", "--devices"), os.EX_USAGE, "two reports"),
        (("--month", "october"), 2, ""),
    ],
)
def test_wrong_months_and_options_are_errors(
    ledger: Path, vetlla: Vetlla, arguments: tuple[str, ...], status: int, message: str
) -> None:
    """A month without a day, and options that exclude each other, are errors."""
    done = vetlla("supervision", "report", *arguments)
    assert done.status == status
    assert message in done.error


def test_without_a_journal_there_is_no_report(vetlla: Vetlla) -> None:
    """The exit status is 74, as for every command that reads the journal."""
    assert vetlla(*MONTH).status == os.EX_IOERR
