"""Receipts and replies of an SMSC are read from recorded packets, and nothing is dropped."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vetlla.gateways.received import Received
from vetlla.gateways.sms.coding import Alphabet, Joint, parts_for, text_of, without_header
from vetlla.gateways.sms.joining import MOST_TEXTS, PATIENCE_S, Joiner
from vetlla.gateways.sms.packets import Packet, PacketRules, read
from vetlla.gateways.sms.receipts import IdForm, one_form

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
RECORDED = Path(__file__).parents[3] / "fixtures" / "sms"
CASES = [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in sorted(RECORDED.glob("packet-*.json"))]
RULES = PacketRules(alphabet=Alphabet.GSM_7, answers=IdForm.SAME, receipts=IdForm.SAME)


def packet(**parts: Any) -> Packet:  # noqa: ANN401 - any field
    values = {"source": "34600000001", "destination": "34600000099", "esm_class": 0, "coding": 0, "text": b""}
    return Packet(**{**values, "parameters": {}, **parts})


@pytest.mark.parametrize(("name", "case"), CASES, ids=[name for name, _ in CASES])
def test_a_recorded_packet_is_read(name: str, case: dict[str, Any]) -> None:
    """Receipts of several makers of SMSCs."""
    given = packet(
        esm_class=case["esm_class"],
        coding=case.get("coding", 0),
        text=case.get("text", "").encode("latin-1"),
        parameters={int(tag, 16): bytes.fromhex(value) for tag, value in case.get("parameters", {}).items()},
    )
    rules = PacketRules(
        alphabet=Alphabet.GSM_7,
        answers=IdForm(case.get("answers", "same")),
        receipts=IdForm(case.get("receipts", "same")),
    )
    received = read(given, rules, Joiner(), NOW)
    expected = case["expected"]
    found: list[Any] = (
        [[one.provider_id, one.delivery.value, one.code, one.detail] for one in received.reports]
        + [one.text for one in received.replies]
        + [one.reason for one in received.unread]
    )
    assert found == expected


@pytest.mark.parametrize(
    ("given", "form", "one"),
    [
        ("3e9", IdForm.HEX, "1001"),
        ("000003E9\0", IdForm.HEX, "1001"),
        ("0000001001", IdForm.DECIMAL, "1001"),
        ("3e9", IdForm.SAME, "3e9"),
        ("a-b", IdForm.HEX, "a-b"),
        ("", IdForm.DECIMAL, ""),
    ],
)
def test_a_number_has_one_form(given: str, form: IdForm, one: str) -> None:
    """The answer has it in hexadecimal, the receipt in decimal."""
    assert one_form(given, form) == one


@settings(deadline=None)
@given(st.text(st.sampled_from("abcç·€👍 e\u0301"), min_size=1, max_size=600), st.sampled_from(Alphabet))
def test_the_parts_of_a_text_are_read_back_and_fit(text: str, alphabet: Alphabet) -> None:
    """The reader of citizens' messages puts together what the writer cut."""
    joiner = Joiner()
    parts = parts_for(text, alphabet, 300)
    whole: str | None = None
    for part in reversed(parts):
        assert len(part.data) <= (160 if part.coding == 0 else 140)
        data, joint = without_header(part.data, part.esm_class)
        read_text = text_of(data, part.coding, alphabet)
        whole = read_text if joint is None else joiner.add("+34600000001", joint, read_text, NOW)
    assert whole == text


@pytest.mark.parametrize(
    ("data", "esm_class", "rest", "joint"),
    [
        (b"\x05\x00\x03\x07\x02\x01ab", 0x40, b"ab", Joint(7, 2, 1)),
        (b"\x06\x08\x04\x01\x00\x02\x02ab", 0x40, b"ab", Joint(256, 2, 2)),
        (b"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x07\x02\x01ab", 0x40, b"ab", Joint(7, 2, 1)),
        (b"\x05\x00\x03\x07\x01\x01ab", 0x40, b"ab", None),
        (b"\x05\x00\x03\x07\x02\x03ab", 0x40, b"ab", None),
        (b"\x03\x24\x01\x01ab", 0x40, b"ab", None),
        (b"\x05\x00\x03\x07\x02\x01ab", 0, b"\x05\x00\x03\x07\x02\x01ab", None),
        (b"\x50ab", 0x40, b"\x50ab", None),
        (b"", 0x40, b"", None),
    ],
)
def test_a_header_is_read_in_all_its_forms(data: bytes, esm_class: int, rest: bytes, joint: Joint | None) -> None:
    """With numbers of one and of two bytes, behind other elements, and broken."""
    assert without_header(data, esm_class) == (rest, joint)


@pytest.mark.parametrize(
    ("data", "coding", "alphabet", "text"),
    [
        (b"S\xed", 0, Alphabet.LATIN_1, "Sí"),
        (b"\x00S\x00\xed", 0xF8, Alphabet.GSM_7, "Sí"),
        (b"\x00S\x00\xed", 0x18, Alphabet.GSM_7, "Sí"),
        (b"ok", 0xF0, Alphabet.GSM_7, "ok"),
        (b"a\xe9", 1, Alphabet.GSM_7, "a\ufffd"),
        (b"\x00S\x00", 8, Alphabet.GSM_7, "S\ufffd"),
    ],
)
def test_a_text_is_read_in_each_coding(data: bytes, coding: int, alphabet: Alphabet, text: str) -> None:
    """Also with a class of message, and with bytes that are no text."""
    assert text_of(data, coding, alphabet) == text


def test_the_parameters_of_a_part_join_it_too() -> None:
    """Some SMSCs pass parts on with parameters instead of a header (SMPP 3.4, 5.3.2.22 to 24)."""
    joiner = Joiner()
    number = {0x020C: b"\x00\x07", 0x020E: b"\x02"}
    assert read(packet(text=b"ANUL", parameters={**number, 0x020F: b"\x01"}), RULES, joiner, NOW) == Received()
    (reply,) = read(packet(text=b"AR", parameters={**number, 0x020F: b"\x02"}), RULES, joiner, NOW).replies
    assert reply.text == "ANULAR"


def test_a_text_that_is_too_long_is_refused() -> None:
    """A header counts to 255."""
    with pytest.raises(ValueError, match="257 parts"):
        parts_for("a" * 153 * 256 + "a", Alphabet.GSM_7, 1)


def test_a_part_that_does_not_come_is_marked() -> None:
    """The text goes on after a minute, and no word is made of the ends of its parts."""
    joiner = Joiner()
    assert joiner.add("+34600000001", Joint(1, 3, 1), "si puc an", NOW) is None
    assert joiner.add("+34600000001", Joint(1, 3, 3), "ul·lar", NOW) is None
    assert joiner.late(NOW + timedelta(seconds=PATIENCE_S - 1)) == []
    assert joiner.late(NOW + timedelta(seconds=PATIENCE_S)) == [("+34600000001", "si puc an […] ul·lar")]
    assert joiner.late(NOW + timedelta(days=1)) == []


def test_texts_that_wait_are_bounded() -> None:
    """A sender of first parts only cannot fill the memory."""
    joiner = Joiner()
    for number in range(MOST_TEXTS + 5):
        joiner.add(f"+346{number:08}", Joint(1, 2, 1), "x", NOW + timedelta(milliseconds=number))
    assert len(joiner.late(NOW)) == 5


@settings(deadline=None)
@given(
    st.integers(0, 255),
    st.integers(0, 255),
    st.binary(max_size=40),
    st.dictionaries(st.sampled_from([0x001E, 0x0427, 0x0423, 0x0424, 0x020C, 0x020E, 0x020F]), st.binary(max_size=6)),
    st.sampled_from(["34600000001", "", "OMAC", "22770"]),
)
def test_any_packet_is_read_or_kept(
    esm_class: int, coding: int, text: bytes, parameters: dict[int, bytes], source: str
) -> None:
    """Only a part of a longer text tells nothing yet."""
    joiner = Joiner()
    one = packet(source=source, esm_class=esm_class, coding=coding, text=text, parameters=parameters)
    received = read(one, RULES, joiner, NOW)
    assert received != Received() or joiner.late(NOW + timedelta(days=1))
