"""``vetlla reminders texts`` checks and shows the messages to citizens."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Vetlla

SHIPPED = Path(__file__).parents[3] / "config" / "reminders"
TEXTS = ("reminders", "texts")
RATES = "from,channel,category,eur\n2026-01-01,whatsapp,utility,0.02\n2026-10-01,whatsapp,service,0.01\n"
RATES += '2026-01-01,sms,segment,0.06\n2026-10-01,sms,segment,"0,05"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Copy the shipped texts, as an office does before it edits them."""
    return Path(shutil.copytree(SHIPPED / "texts", tmp_path / "texts"))


@pytest.fixture
def rates(tmp_path: Path) -> Path:
    file = tmp_path / "rates.csv"
    file.write_text(RATES, encoding="utf-8")
    return file


def edited(folder: Path, before: str, after: str, language: str = "ca") -> Path:
    """Replace some words in a file of texts."""
    file = folder / f"{language}.toml"
    said = file.read_text(encoding="utf-8")
    assert before in said
    file.write_text(said.replace(before, after), encoding="utf-8")
    return folder


# --- lint -------------------------------------------------------------------------------------------------------------


def test_the_installed_texts_only_have_warnings_about_segments(vetlla: Vetlla) -> None:
    done = vetlla(*TEXTS, "lint", "--json")
    assert done.status == 1
    assert {(one["check"], one["level"]) for one in done.json} == {("texts.segments", "warning")}
    assert set(done.json[0]) == {"check", "level", "text", "remedy", "home", "device", "figures"}


def test_a_person_reads_the_causes_and_what_was_not_checked(vetlla: Vetlla) -> None:
    done = vetlla(*TEXTS, "lint")
    assert (
        "WARNING texts.segments ca sms reminder: this text costs 2 segments because of \u2018Í\u2019, \u2018·\u2019"
        in done.out
    )
    assert "TEXTS WARNING: " in done.out
    assert "not checked without --templates and --approvals" in done.talk


def test_a_folder_that_is_folded_has_fewer_warnings(vetlla: Vetlla, folder: Path) -> None:
    for language in ("ca", "es"):
        edited(folder, 'sms_encoding = "exact"', 'sms_encoding = "fold"', language)
    found = vetlla(*TEXTS, "lint", "--texts", folder, "--json").json
    assert {one["text"].partition(":")[0] for one in found} == {
        "ca sms information (procedure)",
        "es sms information (procedure)",
    }


def test_an_unknown_place_is_critical(vetlla: Vetlla, folder: Path) -> None:
    edited(folder, "teniu cita {quan_curt} {lloc}. Responeu", "teniu cita {quant} {lloc}. Responeu")
    done = vetlla(*TEXTS, "lint", "--texts", folder)
    assert done.status == 2
    assert "CRITICAL texts.place_unknown ca sms reminder: {quant} is no place" in done.out


def test_a_missing_text_is_critical(vetlla: Vetlla, folder: Path) -> None:
    edited(folder, 'name = "ask"\nchannel = "sms"', 'name = "thanks"\nchannel = "sms"\noffice = "OMAC"', "es")
    done = vetlla(*TEXTS, "lint", "--texts", folder)
    assert done.status == 2
    assert "CRITICAL texts.language_missing es sms ask" in done.out


def test_an_alias_needs_texts_without_replies(vetlla: Vetlla, folder: Path) -> None:
    assert vetlla(*TEXTS, "lint", "--sender-kind", "alias").status == 1
    edited(folder, "Si no podeu venir, truqueu al {telefon}.", "Si no podeu venir, responeu a aquest número.")
    done = vetlla(*TEXTS, "lint", "--texts", folder, "--sender-kind", "alias")
    assert done.status == 2
    assert "CRITICAL texts.alias ca sms booked (alias)" in done.out


def test_templates_that_meta_did_not_approve_are_critical(vetlla: Vetlla, tmp_path: Path) -> None:
    names = {one["template"]["name"] for one in vetlla(*TEXTS, "preview", "--json").json if "template" in one}
    rows = [f"{name},{language},APPROVED" for name in sorted(names) for language in ("ca", "es")]
    file = tmp_path / "templates.csv"
    file.write_text("\n".join(["name,language,status", *rows]), encoding="utf-8")
    assert vetlla(*TEXTS, "lint", "--templates", file).status == 1
    file.write_text("\n".join(["name,language,status", *rows[1:], rows[0].replace("APPROVED", "PAUSED")]))
    done = vetlla(*TEXTS, "lint", "--templates", file)
    assert done.status == 2
    assert "is PAUSED" in done.out


def test_texts_that_were_not_approved_or_changed_are_critical(vetlla: Vetlla, folder: Path, tmp_path: Path) -> None:
    shown = vetlla(*TEXTS, "preview", "--json").json
    file = tmp_path / "approvals.ndjson"
    with file.open("w", encoding="utf-8") as out:
        for one in shown:
            for party in ("Serveis Digitals", "OMAC", "OGAT"):
                record = {key: one[key] for key in ("title", "version", "digest")}
                record |= {"party": party, "person": "Nom Cognom", "at": "2026-11-24T10:00:00+01:00"}
                out.write(json.dumps(record | {"version": str(record["version"])}) + "\n")
    assert vetlla(*TEXTS, "lint", "--approvals", file).status == 1
    edited(folder, "Gràcies. Us esperem {quan_curt}", "Moltes gràcies. Us esperem {quan_curt}")
    done = vetlla(*TEXTS, "lint", "--texts", folder, "--approvals", file)
    assert done.status == 2
    assert "CRITICAL texts.changed ca sms confirmed: version 1 is not what was approved" in done.out
    file.write_text("")
    assert vetlla(*TEXTS, "lint", "--approvals", file).status != 0


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("language = ", "ca.toml"),
        ('language = "ca"\n[[text]]\nname = "hello"', "text 1"),
        ('language = "ca"\n[[text]]\nname = "ask"\nchannel = "sms"\nversion = 1\ntext = "a"\nif = "b"', "no key if"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_entry(
    vetlla: Vetlla, folder: Path, content: str, why: str
) -> None:
    (folder / "ca.toml").write_text(content, encoding="utf-8")
    done = vetlla(*TEXTS, "lint", "--texts", folder)
    assert done.status == 78
    assert why in done.error
    assert "->" in done.error


def test_a_folder_without_texts_is_named(vetlla: Vetlla, tmp_path: Path) -> None:
    done = vetlla(*TEXTS, "lint", "--texts", tmp_path)
    assert (done.status, "ca.toml" in done.error) == (78, True)


# --- preview ----------------------------------------------------------------------------------------------------------


def one(vetlla: Vetlla, *options: object) -> dict[str, Any]:
    """Return the only text that a preview shows."""
    (shown,) = vetlla(*TEXTS, "preview", "--json", *options).json
    return shown


REMINDER_SMS = ("--kind", "reminder_soon", "--channel", "sms", "--language", "ca")


def test_a_preview_has_every_text_in_both_languages_and_for_both_channels(vetlla: Vetlla) -> None:
    shown = vetlla(*TEXTS, "preview", "--json").json
    assert {(row["channel"], row["language"]) for row in shown} == {
        (channel, language) for channel in ("whatsapp", "sms") for language in ("ca", "es")
    }
    assert len(shown) == 134
    assert not [row for row in shown if "{" in row["text"]]


def test_an_sms_is_shown_exact_and_folded_side_by_side(vetlla: Vetlla) -> None:
    number, alias = vetlla(*TEXTS, "preview", "--json", *REMINDER_SMS).json
    assert number["exact"]["text"].endswith("responeu ANUL·LAR.")
    assert (number["exact"]["encoding"], number["exact"]["segments"]) == ("ucs2", 2)
    assert number["folded"]["text"].endswith("responeu ANUL.LAR.")
    assert (number["folded"]["encoding"], number["folded"]["segments"]) == ("gsm7", 1)
    assert number["text"] == number["exact"]["text"]
    assert alias["title"] == "ca sms reminder_soon (alias)"
    out = vetlla(*TEXTS, "preview", *REMINDER_SMS).out
    assert "* exact  2 segments  ucs2" in out
    assert "  fold   1 segments  gsm7" in out


def test_prices_are_those_of_the_rate_card_on_a_day(vetlla: Vetlla, rates: Path) -> None:
    shown, _ = vetlla(*TEXTS, "preview", "--json", *REMINDER_SMS, "--rates", rates, "--on", "2026-11-24").json
    assert (shown["exact"]["eur"], shown["folded"]["eur"], shown["eur"]) == ("0.10", "0.05", "0.10")
    before, _ = vetlla(*TEXTS, "preview", "--json", *REMINDER_SMS, "--rates", rates, "--on", "2026-09-30").json
    assert before["eur"] == "0.12"


def test_an_answer_by_whatsapp_has_the_price_of_its_category(vetlla: Vetlla, rates: Path) -> None:
    options = ("--kind", "confirmed", "--channel", "whatsapp", "--language", "es", "--rates", rates)
    assert one(vetlla, *options, "--on", "2026-11-24")["eur"] == "0.01"
    assert one(vetlla, *options, "--on", "2026-09-30")["eur"] is None


def test_without_a_rate_card_no_price_is_shown(vetlla: Vetlla) -> None:
    done = vetlla(*TEXTS, "preview", *REMINDER_SMS)
    assert "EUR" not in done.out
    assert all(row["eur"] is None for row in vetlla(*TEXTS, "preview", "--json").json)


def test_a_template_is_shown_as_meta_takes_it(vetlla: Vetlla) -> None:
    shown = one(vetlla, "--kind", "cancelled_by_office", "--channel", "whatsapp", "--language", "ca")
    assert shown["template"]["name"] == "cita_anullada_v1"
    (body,) = shown["template"]["components"]
    assert "{{1}}" in body["text"]
    assert body["example"]["body_text"] == [shown["parameters"]]


def test_an_office_and_a_procedure_select_their_variants(vetlla: Vetlla) -> None:
    options = ("--kind", "reminder_soon", "--channel", "whatsapp", "--language", "ca", "--json")
    omac = vetlla(*TEXTS, "preview", "--office", "OMAC", *options).json
    assert [row["title"] for row in omac] == [
        "ca whatsapp reminder_soon",
        "ca whatsapp reminder_soon (office OMAC)",
    ]
    ogat = one(vetlla, "--office", "OGAT", *options)
    assert "a l'OGAT" in ogat["text"]


def test_a_text_whose_values_are_missing_is_told_and_the_others_are_shown(vetlla: Vetlla, tmp_path: Path) -> None:
    offices = tmp_path / "offices.toml"
    said = (SHIPPED / "offices.toml").read_text(encoding="utf-8")
    offices.write_text(said.replace('telephone = "010"', 'telephone = ""', 1), encoding="utf-8")
    done = vetlla(*TEXTS, "preview", "--offices", offices, "--kind", "not_allowed")
    assert "not shown" in done.talk
    assert "there is no value for {telefon}" in done.talk


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--language", "fr"), "no texts in 'fr'"),
        (("--office", "NOWHERE"), "no office 'NOWHERE'"),
        (("--service", "NOTHING"), "no service 'NOTHING'"),
    ],
)
def test_a_wrong_choice_is_explained(vetlla: Vetlla, options: tuple[str, ...], why: str) -> None:
    done = vetlla(*TEXTS, "preview", *options)
    assert done.status == 64
    assert why in done.error


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("from,channel,category,eur\nyesterday,sms,segment,0.05\n", "row 2: from 'yesterday': no date"),
        ("from,channel,category,eur\n2026-01-01,fax,segment,0.05\n", "a channel is whatsapp or sms"),
        ("from,channel,category,eur\n2026-01-01,sms,segment,-1\n", "should be at least 0"),
        ("from,channel,category,eur\n2026-01-01,sms,segment,NaN\n", "should be at least 0"),
        ("from,channel,category\n2026-01-01,sms,segment\n", "missing column"),
        ("from,channel,category,eur\n" + "2026-01-01,sms,segment,1\n2026-01-01,sms,segment,2\n", "two prices"),
    ],
)
def test_a_wrong_rate_card_is_refused_with_its_row(vetlla: Vetlla, tmp_path: Path, content: str, why: str) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(content, encoding="utf-8")
    done = vetlla(*TEXTS, "preview", "--rates", file)
    assert done.status == 64
    assert why in done.error
