"""A text as WhatsApp approves it."""

from __future__ import annotations

import pytest

from tests.rigs.texts import text
from vetlla.service.reminders.texts.places import Place
from vetlla.service.reminders.texts.template import body, faults, submission


def template(said: str = "Cita {quan}, {lloc} avui", **keys: object) -> list[str]:
    """Return what Meta would refuse in a text."""
    given = {"channel": "whatsapp", "template": "cita_v1"} | keys
    return [fault for fault, _ in faults(text(said, **given))]


def test_places_become_numbered_variables_and_a_repeated_place_is_one() -> None:
    assert body(text("Cita {dia}: {hora}, {lloc}, i {dia} més")) == "Cita {{1}}: {{2}}, {{3}}, i {{1}} més"


def test_a_good_template_has_no_fault() -> None:
    assert template() == []
    assert template("Cita {quan}, {lloc} ({adreca}). Fins aviat") == []


@pytest.mark.parametrize("said", ["{quan} teniu cita", "  {quan} teniu cita", "«{quan}» teniu cita"])
def test_a_template_must_not_begin_with_a_place(said: str) -> None:
    assert template(said) == ["it begins with a place"]


@pytest.mark.parametrize("said", ["Cita {quan}", "Cita {quan}.", "Cita ({quan})!\n"])
def test_a_template_must_not_end_with_a_place(said: str) -> None:
    assert template(said) == ["it ends with a place"]


@pytest.mark.parametrize("said", ["Cita {dia}{hora} avui", "Cita {dia} {hora} avui", "Cita {dia}\n\n{hora} avui"])
def test_a_template_must_not_have_two_places_side_by_side(said: str) -> None:
    assert template(said) == ["two places stand side by side"]


def test_a_button_has_at_most_twenty_five_characters_and_there_are_at_most_ten() -> None:
    buttons = [{"label": f"Botó número {number}", "action": "confirm"} for number in range(10)]
    assert template(buttons=buttons) == []
    assert template(buttons=[*buttons, {"label": "Un altre", "action": "help"}]) == ["it has 11 buttons"]
    assert template(buttons=[{"label": "x" * 25, "action": "confirm"}]) == []
    (fault,) = template(buttons=[{"label": "x" * 26, "action": "confirm"}])
    assert fault.endswith("has 26 characters")


def test_two_buttons_with_the_same_words_are_refused() -> None:
    button = {"label": "Sí", "action": "confirm"}
    assert template(buttons=[button, button]) == ["two buttons have the same words"]


def test_a_template_needs_a_name_of_plain_letters() -> None:
    assert template(template="") == ["it has no template"]
    assert template(template="Cita-V1") == ["template name 'Cita-V1'"]


def test_a_submission_has_an_example_for_each_variable() -> None:
    made = submission(
        text(
            "Cita {quan}, {lloc} avui",
            channel="whatsapp",
            template="cita_v1",
            buttons=[{"label": "Sí", "action": "confirm"}],
        ),
        {Place.QUAN: "dimarts", Place.LLOC: "aquí"},
    )
    assert made == {
        "name": "cita_v1",
        "language": "ca",
        "category": "UTILITY",
        "components": [
            {"type": "BODY", "text": "Cita {{1}}, {{2}} avui", "example": {"body_text": [["dimarts", "aquí"]]}},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Sí"}]},
        ],
    }
