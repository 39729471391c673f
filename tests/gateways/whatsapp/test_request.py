"""A message becomes the JSON of Meta's Cloud API, and its answer becomes one of three outcomes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vetlla.domain.messages import Outgoing
from vetlla.gateways.contracts import OutcomeUnknownError, RefusedError
from vetlla.gateways.http import Answer
from vetlla.gateways.whatsapp.request import accepted_of, body_of

RECORDED = Path(__file__).parents[3] / "fixtures" / "whatsapp"
LANGUAGES = {"ca": "ca", "es": "es_ES"}
REMINDER = Outgoing(
    reference="out:01J",
    phone="+34600000001",
    template="recordatori_cita_v3",
    parameters=("dimarts 24 de novembre", "10:30", "OMAC"),
    buttons=("v1.C.token", "v1.X.token"),
)


def recorded(prefix: str) -> list[tuple[str, dict[str, Any]]]:
    return [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(RECORDED.glob(prefix))]


def answer(status: int, body: object) -> Answer:
    return Answer(status, {}, body if isinstance(body, bytes) else json.dumps(body).encode())


def test_a_reminder_is_a_template_with_values_and_buttons() -> None:
    """The payload of each button is ours, and the reference comes back in every status."""
    assert body_of(REMINDER, LANGUAGES) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "34600000001",
        "type": "template",
        "biz_opaque_callback_data": "out:01J",
        "template": {
            "name": "recordatori_cita_v3",
            "language": {"code": "ca"},
            "components": [
                {
                    "type": "body",
                    "parameters": [
                        {"type": "text", "text": "dimarts 24 de novembre"},
                        {"type": "text", "text": "10:30"},
                        {"type": "text", "text": "OMAC"},
                    ],
                },
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": "0",
                    "parameters": [{"type": "payload", "payload": "v1.C.token"}],
                },
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": "1",
                    "parameters": [{"type": "payload", "payload": "v1.X.token"}],
                },
            ],
        },
    }


def test_a_template_is_asked_for_in_the_code_under_which_it_was_approved() -> None:
    """One account has Spanish as ``es``, another as ``es_ES``."""
    message = Outgoing(reference="r", phone="+34600000001", template="t", language="es")
    assert body_of(message, LANGUAGES)["template"] == {"name": "t", "language": {"code": "es_ES"}}


def test_a_value_of_a_template_is_one_line() -> None:
    """Meta refuses line breaks, tabs and more than four spaces, and the name of an office can have them."""
    message = Outgoing(
        reference="r", phone="+34600000001", template="t", parameters=("OMAC\r\nRambla\t1      A", "a b")
    )
    (body,) = body_of(message, LANGUAGES)["template"]["components"]
    assert [one["text"] for one in body["parameters"]] == ["OMAC Rambla 1    A", "a b"]


def test_an_answer_is_free_text_that_quotes_the_citizens_message() -> None:
    """A link in the text gets no preview."""
    message = Outgoing(reference="out:2", phone="+34600000001", text="Cita anul·lada.", context="wamid.IN1")
    assert body_of(message, LANGUAGES) == {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": "34600000001",
        "type": "text",
        "biz_opaque_callback_data": "out:2",
        "context": {"message_id": "wamid.IN1"},
        "text": {"preview_url": False, "body": "Cita anul·lada."},
    }


def test_an_id_goes_to_recipient_and_never_to_the_field_of_numbers() -> None:
    """In ``to`` an id would get status 200 and be dropped in silence."""
    body = body_of(Outgoing(reference="r", phone="", person="ES.13491208655302741918", text="x"), LANGUAGES)
    assert body["recipient"] == "ES.13491208655302741918"
    assert body["recipient_type"] == "individual"
    assert "to" not in body


def test_a_known_number_comes_before_the_id() -> None:
    """Only one of the two fields is sent."""
    message = Outgoing(reference="r", phone="+34600000001", person="ES.13491208655302741918", text="x")
    body = body_of(message, LANGUAGES)
    assert body["to"] == "34600000001"
    assert "recipient" not in body


@pytest.mark.parametrize(
    ("phone", "person"),
    [("ES.13491208655302741918", ""), ("", ""), ("", "34600000001"), ("972-bad", ""), ("", "ES."), ("0600000001", "")],
)
def test_a_message_without_a_recipient_is_not_sent(phone: str, person: str) -> None:
    """Neither field takes a value of the other kind."""
    with pytest.raises(RefusedError):
        body_of(Outgoing(reference="r", phone=phone, person=person, text="x"), LANGUAGES)


def test_an_empty_message_is_not_sent() -> None:
    """It has neither a template nor a text."""
    with pytest.raises(RefusedError, match="template or a text"):
        body_of(Outgoing(reference="r", phone="+34600000001"), LANGUAGES)


@pytest.mark.parametrize(("name", "case"), recorded("answer-*.json"))
def test_a_recorded_success_is_accepted(name: str, case: dict[str, Any]) -> None:
    """A message that Meta holds back is accepted, and said to be held."""
    assert accepted_of(answer(case["status"], case["body"]))._asdict() == case["expected"]


@pytest.mark.parametrize(("name", "case"), recorded("refused-*.json"))
def test_a_recorded_refusal_has_its_code(name: str, case: dict[str, Any]) -> None:
    """A refusal with Meta's own code was certainly not carried out, whatever the HTTP status is."""
    with pytest.raises(RefusedError) as raised:
        accepted_of(answer(case["status"], case["body"]))
    assert raised.value.code == case["refused"]
    assert "docs/reminders-channels.md" in str(raised.value)


def test_a_refusal_tells_how_long_to_wait() -> None:
    """The header stands before the body."""
    body = json.dumps({"error": {"code": 130429, "message": "(#130429) Rate limit hit"}}).encode()
    with pytest.raises(RefusedError) as raised:
        accepted_of(Answer(429, {"Retry-After": "7"}, body))
    assert raised.value.retry_after_s == 7.0


def test_a_refusal_shows_no_number() -> None:
    """Meta's details can hold the citizen's number, and errors are logged."""
    error = {"code": 131030, "message": "not in list", "error_data": {"details": "34600000001 is not allowed"}}
    with pytest.raises(RefusedError) as raised:
        accepted_of(answer(400, {"error": error}))
    assert "34600000001" not in str(raised.value)
    assert "…001 is not allowed" in str(raised.value)


@pytest.mark.parametrize("status", [301, 307, 400, 403, 404, 413, 429])
def test_a_server_on_the_way_that_refuses_has_a_code_of_its_own(status: int) -> None:
    """A proxy answers in HTML."""
    with pytest.raises(RefusedError) as raised:
        accepted_of(answer(status, b"<html>no</html>"))
    assert raised.value.code == f"HTTP-{status}"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_on_the_way_that_fails_leaves_the_outcome_unknown(status: int) -> None:
    """Meta may have taken the message before the proxy gave up."""
    with pytest.raises(OutcomeUnknownError):
        accepted_of(answer(status, b"<html>gateway timeout</html>"))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        {},
        {"messages": []},
        {"messages": [{}]},
        {"messages": [{"id": ""}]},
        {"messages": "x"},
        b"{",
    ],
)
def test_a_success_without_an_id_leaves_the_outcome_unknown(body: object) -> None:
    """The message was taken, and no status can be told to be its own."""
    with pytest.raises(OutcomeUnknownError):
        accepted_of(answer(200, body))
