"""A text with its places filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.rigs.texts import OMAC, directory, text
from vetlla.domain.appointments import Appointment, BookedService
from vetlla.domain.errors import ConfigError
from vetlla.service.reminders.lexicon import Intent
from vetlla.service.reminders.texts.examples import appointment
from vetlla.service.reminders.texts.offices import directory_of
from vetlla.service.reminders.texts.places import Place
from vetlla.service.reminders.texts.rendering import (
    VALUE_MAX,
    joined,
    list_values,
    office_values,
    render,
    values_of,
)

OFFICES = directory()


def at_omac(*services: str) -> Appointment:
    """Return an appointment for these procedures, with a name that only the source knows."""
    return replace(
        appointment("OMAC"), services=tuple(BookedService(one, f"Secret of the source: {one}") for one in services)
    )


def test_every_place_of_an_appointment_has_its_value() -> None:
    assert values_of(at_omac("padro"), OFFICES, "ca") == {
        "dia": "dimarts 24 de novembre",
        "dia_curt": "dimarts 24/11",
        "hora": "10.30 h",
        "quan": "dimarts 24 de novembre a les 10.30 h",
        "quan_curt": "dimarts 24/11 a les 10.30 h",
        "oficina": "OMAC",
        "lloc": "a l'OMAC",
        "adreca": "plaça Major, 1",
        "telefon": "010",
        "enllac": "https://cita.example.cat",
        "punts": "biblioteques",
        "telefon_ajuda": "012",
        "tramit": "alta al padró",
        "documents": "el DNI",
        "enllac_tramit": "https://example.cat/padro",
    }


def test_spanish_has_its_own_words_for_the_same_office() -> None:
    values = values_of(at_omac("padro"), OFFICES, "es")
    assert values[Place.QUAN] == "martes 24 de noviembre a las 10:30 h"
    assert values[Place.LLOC] == "en la OMAC"
    assert values[Place.TRAMIT] == "alta en el padrón"


@pytest.mark.parametrize("services", [("socials",), ("padro", "socials"), ("unknown",), ()])
def test_a_procedure_that_may_not_be_named_has_no_value_in_any_place(services: tuple[str, ...]) -> None:
    values = values_of(at_omac(*services), OFFICES, "ca")
    assert {Place.TRAMIT, Place.DOCUMENTS, Place.ENLLAC_TRAMIT}.isdisjoint(values)
    assert not [one for one in values.values() if "serveis socials" in one or "Secret" in one]


def test_several_procedures_are_joined_as_in_a_sentence() -> None:
    assert values_of(at_omac("padro", "impostos"), OFFICES, "ca")[Place.TRAMIT] == "alta al padró i impostos"
    values = values_of(at_omac("padro", "impostos"), OFFICES, "es")
    assert values[Place.TRAMIT] == "alta en el padrón e impuestos"
    assert Place.DOCUMENTS not in values


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a y b"),
        (["a", "b", "c"], "a, b y c"),
        (["padrón", "impuestos"], "padrón e impuestos"),
        (["padrón", "hipotecas"], "padrón e hipotecas"),
        (["agua", "hielo"], "agua y hielo"),
        (["padrón", "Índice"], "padrón e Índice"),
    ],
)
def test_spanish_writes_e_before_the_sound_of_i(words: list[str], sentence: str) -> None:
    assert joined(words, "es") == sentence


def test_catalan_always_writes_i() -> None:
    assert joined(["padró", "impostos"], "ca") == "padró i impostos"


def test_an_office_without_an_entry_is_an_error_with_a_remedy() -> None:
    with pytest.raises(ConfigError, match="office 99 has no entry") as caught:
        values_of(replace(at_omac(), office="99"), OFFICES, "ca")
    assert "offices.toml" in caught.value.remedy


def test_several_appointments_are_numbered_from_one() -> None:
    later = replace(at_omac("impostos"), start=datetime(2026, 11, 24, 10, tzinfo=UTC))
    values = list_values([at_omac("padro"), later], OFFICES, "ca")
    assert values[Place.LLISTA] == (
        "1) dimarts 24/11 a les 10.30 h, a l'OMAC: alta al padró\n2) dimarts 24/11 a les 11.00 h, a l'OMAC: impostos"
    )
    assert values[Place.TELEFON] == "010"
    assert Place.QUAN not in values


def test_a_list_names_only_the_procedures_that_may_be_named() -> None:
    values = list_values([at_omac("socials"), at_omac("padro")], OFFICES, "ca")
    assert values[Place.LLISTA].split("\n") == [
        "1) dimarts 24/11 a les 10.30 h, a l'OMAC",
        "2) dimarts 24/11 a les 10.30 h, a l'OMAC: alta al padró",
    ]


def test_places_are_filled_in_once_so_that_a_value_with_braces_is_text() -> None:
    said = render(text("Cita {quan}, {lloc}, aquí"), {Place.QUAN: "{lloc} {{1}}", Place.LLOC: "a {quan}"})
    assert said.text == "Cita {lloc} {{1}}, a {quan}, aquí"


def test_a_place_without_a_value_is_an_error_and_never_an_empty_word() -> None:
    for values in ({}, {Place.QUAN: ""}):
        with pytest.raises(ConfigError, match=r"no value for \{quan\}"):
            render(text("Cita {quan} aquí"), values)


def test_a_template_has_its_parameters_in_the_order_of_its_variables() -> None:
    template = text("Cita {lloc} el {dia}, a les {hora}, i el {dia} també", channel="whatsapp", template="cita_v1")
    made = render(template, {Place.DIA: "24", Place.HORA: "10", Place.LLOC: "aquí"})
    assert made.parameters == ("aquí", "24", "10")
    assert made.text == "Cita aquí el 24, a les 10, i el 24 també"


def test_a_parameter_has_no_line_break_no_tab_and_no_run_of_blanks() -> None:
    """WhatsApp refuses a parameter with a line break, a tab or more than four blanks."""
    template = text("Cita {lloc} avui", channel="whatsapp", template="cita_v1")
    made = render(template, {Place.LLOC: "a\nl'OMAC\t segon      pis"})
    assert made.parameters == ("a l'OMAC segon pis",)


def test_a_free_message_has_no_parameters() -> None:
    assert render(text("Gràcies {telefon}", name="thanks", channel="whatsapp"), {Place.TELEFON: "010"}).parameters == ()


def test_buttons_tell_what_pressing_each_means() -> None:
    template = text(
        channel="whatsapp",
        buttons=[{"label": "Sí", "action": "confirm"}, {"label": "No", "action": "cancel"}],
    )
    assert render(template, {Place.QUAN: "avui", Place.OFICINA: "OMAC"}).actions == (Intent.CONFIRM, Intent.CANCEL)


def test_an_sms_is_folded_only_if_the_office_decided_so() -> None:
    values = {Place.QUAN: "dissabte 7 de març", Place.OFICINA: "plaça"}
    assert render(text("Anul·leu {quan} {oficina} avui"), values).text == "Anul·leu dissabte 7 de març plaça avui"
    folded = render(text("Anul·leu {quan} {oficina} avui", sms_encoding="fold"), values)
    assert folded.text == "Anul.leu dissabte 7 de marc placa avui"


def test_a_whatsapp_message_is_never_folded() -> None:
    said = text("Anul·leu la plaça", name="thanks", channel="whatsapp", sms_encoding="fold")
    assert render(said, {}).text == "Anul·leu la plaça"


def test_values_from_other_systems_cannot_hide_or_turn_text() -> None:
    office = {**OMAC, "name": "OM\u202eAC\u200b\x07" + "x" * 999, "ca": {**OMAC["ca"], "where": "a\u0300 l\u0027OMAC"}}
    values = office_values(directory_of({"office": [office]}).offices["OMAC"], "ca")
    assert values[Place.OFICINA].startswith("OMACxxx")
    assert len(values[Place.OFICINA]) == VALUE_MAX
    assert values[Place.LLOC] == "\u00e0 l'OMAC"


def test_an_empty_value_is_no_value() -> None:
    office = directory_of({"office": [{**OMAC, "telephone": " "}]}).offices["OMAC"]
    assert Place.TELEFON not in office_values(office, "ca")


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ({"offices": []}, "there is no key offices"),
        ({"office": [OMAC, OMAC]}, "two offices OMAC"),
        ({"office": [{**OMAC, "name": " "}]}, "office 1: name"),
        ({"office": [{**OMAC, "es": {}}]}, r"office 1: es\.where is missing"),
        ({"service": [{"id": "x", "naming": "sometimes"}]}, "service 1: .*naming"),
        ({"service": {"id": "x"}}, "service must be a list"),
    ],
)
def test_a_wrong_file_of_offices_is_refused_with_the_entry(document: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        directory_of(document)
