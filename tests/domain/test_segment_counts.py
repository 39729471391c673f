"""The messages of a text, as a public calculator and a public codec count them."""

from __future__ import annotations

import json

import gsm0338
import pytest

from tests.rigs.replies import FIXTURES
from vetlla.domain.segments import Encoding, Segments, encoding_of, outside_gsm_7, segments_of

CALCULATED = [json.loads(line) for line in (FIXTURES / "segments.ndjson").read_text(encoding="utf-8").splitlines()]


def test_encoding_and_number_of_messages_are_those_of_a_public_calculator() -> None:
    for one in CALCULATED:
        found = segments_of(one["text"])
        assert (found.encoding, found.segments) == (one["encoding"], one["segments"]), one["text"]


def test_the_alphabet_is_that_of_a_public_codec() -> None:
    codec = gsm0338.Codec()
    for code in (*range(0x1B), *range(0x1C, 0xD800), *range(0xE000, 0x11000)):  # 1B is the escape itself
        one = chr(code)
        try:
            units = len(codec.encode(one)[0])
        except UnicodeError:
            units = 0
        found = segments_of(one)
        assert (found.units if found.encoding is Encoding.GSM_7 else 0) == units, hex(code)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", Segments(Encoding.GSM_7, 1, 0)),
        ("a" * 160, Segments(Encoding.GSM_7, 1, 160)),
        ("a" * 161, Segments(Encoding.GSM_7, 2, 161)),
        ("€" * 80, Segments(Encoding.GSM_7, 1, 160)),
        ("a" * 152 + "€" + "a" * 152, Segments(Encoding.GSM_7, 3, 306)),
        ("ç" * 70, Segments(Encoding.UCS_2, 1, 70)),
        ("ç" * 71, Segments(Encoding.UCS_2, 2, 71)),
        ("ç" * 66 + "👍" + "ç" * 66, Segments(Encoding.UCS_2, 3, 134)),
        ("a\u0301" * 200, Segments(Encoding.UCS_2, 7, 400)),
        ("a" + "\u0301" * 200, Segments(Encoding.UCS_2, 3, 201)),
    ],
)
def test_no_pair_is_split_between_two_parts(text: str, found: Segments) -> None:
    assert segments_of(text) == found


def test_the_characters_that_cost_more_are_named() -> None:
    assert outside_gsm_7("Plaça Major, anul·lar, plaça, à è ñ") == ["ç", "·"]
    assert encoding_of("gràcies, demà, telèfon, què, més") is Encoding.GSM_7
