"""Everything that a delivery of Meta's holds is read or kept, whatever it holds."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vetlla.domain.messages import Delivery, ReplyKind
from vetlla.gateways.received import NoticeKind, Received
from vetlla.gateways.whatsapp.webhook import read

RECORDED = Path(__file__).parents[3] / "fixtures" / "whatsapp"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CASES = [
    (path.stem, json.loads(path.read_text(encoding="utf-8")))
    for path in sorted(RECORDED.glob("*.json"))
    if not path.stem.startswith(("answer-", "refused-"))
]
FIRST = {"from": "34600000001", "id": "wamid.1", "timestamp": "1795514400", "type": "text", "text": {"body": "u"}}


def value(**parts: object) -> dict[str, object]:
    return {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "106540352242922"}, **parts}


def delivery(*values: object, field: str = "messages") -> bytes:
    changes = [{"field": field, "value": one} for one in values]
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": changes}]}).encode()


def plain(received: Received) -> dict[str, list[Any]]:
    """Return what was received as JSON, without what has its default value."""

    def shown(one: object) -> object:
        return one.isoformat() if isinstance(one, datetime) else one

    found: dict[str, list[Any]] = {}
    for name in ("reports", "replies", "notices"):
        for one in getattr(received, name):
            fields = {key: shown(value) for key, value in asdict(one).items() if value not in {"", None}}
            found.setdefault(name, []).append(fields)
    for name in ("changed", "unread"):
        for one in getattr(received, name):
            found.setdefault(name, []).append([shown(part) for part in one])
    return found


@pytest.mark.parametrize(("name", "case"), CASES, ids=[name for name, _ in CASES])
def test_a_recorded_delivery_is_read(name: str, case: dict[str, Any]) -> None:
    """Each recording has the values that it means, and nothing is left unread."""
    assert case["source"]
    expected = case["expected"]
    wanted = {
        kind: [{key: val for key, val in one.items() if val != ""} if isinstance(one, dict) else one for one in items]
        for kind, items in expected.items()
    }
    assert plain(read(json.dumps(case["body"]).encode(), NOW)) == wanted


def test_all_entries_changes_messages_and_statuses_of_a_batch_are_read() -> None:
    """A client that reads the first of each loses the others."""
    messages = [{**FIRST, "id": f"wamid.IN{number}"} for number in range(4)]
    statuses = [{"id": f"wamid.OUT{number}", "status": "sent"} for number in range(4)]
    entries = [
        {
            "changes": [
                {"field": "messages", "value": value(messages=messages[:1], statuses=statuses[:1])},
                {"field": "messages", "value": value(messages=messages[1:2], statuses=statuses[1:2])},
            ]
        },
        {"changes": [{"field": "messages", "value": value(messages=messages[2:], statuses=statuses[2:])}]},
    ]
    received = read(json.dumps({"entry": entries}).encode(), NOW)
    assert [one.provider_id for one in received.replies] == ["wamid.IN0", "wamid.IN1", "wamid.IN2", "wamid.IN3"]
    assert [one.provider_id for one in received.reports] == ["wamid.OUT0", "wamid.OUT1", "wamid.OUT2", "wamid.OUT3"]
    assert received.unread == ()


def test_one_message_that_cannot_be_read_does_not_hide_the_others() -> None:
    """It is kept with its place, its reason, and as it was."""
    messages = [FIRST, {"type": "text", "from": "34600000001"}, 7, {**FIRST, "id": "wamid.2"}]
    received = read(delivery(value(messages=messages)), NOW)
    assert [one.provider_id for one in received.replies] == ["wamid.1", "wamid.2"]
    assert [(one.where, one.raw) for one in received.unread] == [
        ("entry[0].changes[0].value.messages[1]", '{"type": "text", "from": "34600000001"}'),
        ("entry[0].changes[0].value.messages[2]", "7"),
    ]
    assert all("34600000001" not in one.reason for one in received.unread)


def test_a_status_that_is_unknown_is_kept() -> None:
    """Meta may add one."""
    received = read(delivery(value(statuses=[{"id": "wamid.1", "status": "teleported"}])), NOW)
    assert received.reports == ()
    assert received.unread[0].reason == "the status is not one that is known"


def test_a_field_that_is_not_read_is_kept() -> None:
    """Such as a field that was subscribed to by mistake."""
    received = read(delivery({"a": 1}, field="flows"), NOW)
    assert [one.raw for one in received.unread] == ['{"field": "flows", "value": {"a": 1}}']


def test_news_that_tell_nothing_are_kept() -> None:
    """The list of preferences is missing."""
    received = read(delivery({"user_preferences": "x"}, field="user_preferences"), NOW)
    assert received.notices == ()
    assert len(received.unread) == 1


def test_what_was_sent_to_another_number_of_the_account_is_kept_and_not_a_reply() -> None:
    """Words to another service of the city must not cancel an appointment."""
    body = delivery(value(messages=[FIRST]))
    assert len(read(body, NOW, phone_number_id="106540352242922").replies) == 1
    other = read(body, NOW, phone_number_id="999")
    assert other.replies == ()
    assert other.unread[0].reason == "it was sent to another number of the account"


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b"{", b"[" * 100_000, b"null", b"7", b'"x"', b"[]", b"{}"])
def test_bytes_that_are_no_delivery_are_kept(body: bytes) -> None:
    """They were signed, so a person should see them."""
    received = read(body, NOW)
    assert len(received.unread) == 1
    assert received == Received(unread=received.unread)


def test_a_message_without_a_sender_is_kept() -> None:
    """No one could be answered."""
    received = read(delivery(value(messages=[{"id": "wamid.1", "type": "text", "text": {"body": "x"}}])), NOW)
    assert received.unread[0].reason == "the message names no sender and answers nothing"


def test_a_button_without_a_sender_is_a_reply_because_its_payload_names_the_appointment() -> None:
    """The payload is signed by us."""
    message = {"id": "wamid.1", "type": "button", "button": {"payload": "v1.X.token", "text": "Anul·lar"}}
    (reply,) = read(delivery(value(messages=[message])), NOW).replies
    assert (reply.kind, reply.payload, reply.phone, reply.person) == (ReplyKind.BUTTON, "v1.X.token", "", "")


def test_the_contact_of_another_person_is_not_taken() -> None:
    """Two citizens in one value keep their own ids."""
    contacts = [{"wa_id": "34600000002", "user_id": "ES.2222"}, {"wa_id": "34600000001", "user_id": "ES.1111"}]
    messages = [
        FIRST,
        {**FIRST, "id": "wamid.2", "from": "34600000002"},
        {**FIRST, "id": "wamid.3", "from": "34600000003"},
    ]
    replies = read(delivery(value(messages=messages, contacts=contacts)), NOW).replies
    assert [(one.phone, one.person) for one in replies] == [
        ("+34600000001", "ES.1111"),
        ("+34600000002", "ES.2222"),
        ("+34600000003", ""),
    ]


def test_a_new_number_without_the_old_one_is_kept() -> None:
    """It would change the number of no one, or of the wrong person."""
    message = {"id": "wamid.1", "type": "system", "system": {"type": "user_changed_number", "wa_id": "34600000002"}}
    received = read(delivery(value(messages=[message])), NOW)
    assert received.changed == ()
    assert len(received.unread) == 1


def test_an_error_of_the_account_is_a_notice() -> None:
    """It belongs to no message."""
    (notice,) = read(delivery(value(errors=[{"code": 130429, "title": "Rate limit hit"}])), NOW).notices
    assert (notice.kind, notice.code, notice.detail) == (NoticeKind.ERROR, "130429", "Rate limit hit")


@pytest.mark.parametrize(
    ("given", "at"),
    [
        ("1795514400", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        (1795514400, datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-24T11:00:00+01:00", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("2026-11-24T10:00:00", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        ("", NOW),
        (None, NOW),
        ("-1", NOW),
        ("9" * 5000, NOW),
        ("soon", NOW),
        (True, NOW),
    ],
)
def test_a_time_is_read_or_is_that_of_arrival(given: object, at: datetime) -> None:
    """Meta writes seconds, emulators ISO 8601."""
    (report,) = read(delivery(value(statuses=[{"id": "w", "status": "read", "timestamp": given}])), NOW).reports
    assert report.at == at
    assert report.delivery is Delivery.READ


NAMES = [
    "id", "from", "type", "text", "body", "button", "payload", "interactive", "button_reply", "reaction", "emoji",
    "system", "wa_id", "user_id", "status", "timestamp", "errors", "error_data", "details", "pricing", "billable",
    "contacts", "messages", "statuses", "metadata", "context", "event", "phone_number_id", "user_preferences", "code",
    "ban_info",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(["34600000001", "ES.1", "text"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES) | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


@settings(deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "field": st.sampled_from(
                    ["messages", "account_update", "user_preferences", "message_template_status_update", "x"]
                ),
                "value": st.fixed_dictionaries(
                    {"messages": st.lists(JSON, max_size=3), "statuses": st.lists(JSON, max_size=3)},
                    optional={"contacts": JSON, "metadata": JSON, "errors": JSON, "event": JSON, "reason": JSON},
                )
                | JSON,
            }
        ),
        max_size=3,
    )
)
def test_nothing_is_dropped_and_nothing_raises(changes: list[dict[str, Any]]) -> None:
    """Each message and each status is a value or is kept as unread."""
    received = read(json.dumps({"entry": [{"changes": changes}]}).encode(), NOW)
    given = 0
    for change in changes:
        inside = change["value"]
        if change["field"] == "messages" and isinstance(inside, dict):
            given += sum(len(inside[name]) for name in ("messages", "statuses") if isinstance(inside.get(name), list))
    found = (received.replies, received.reports, received.changed, received.notices, received.unread)
    assert sum(map(len, found)) >= given
