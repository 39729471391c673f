"""A text that is longer than one SMS is cut where no telephone shows a broken sign."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vetlla.domain import gsm7
from vetlla.domain.segments import Encoding, encoding_of, parts_of, segments_of

SEVEN_BIT = st.text(st.sampled_from(sorted(set(gsm7.BASIC) - {"\x1b"} | set(gsm7.EXTENSION))), max_size=500)
ANY = st.text(max_size=400) | st.text(st.sampled_from("ça·l\u0301👍🏽\u200d👩🇪🇸 "), max_size=400)


def test_an_escape_and_its_code_stay_in_one_part() -> None:
    """The euro sign would begin at the last unit of the first part, so it goes to the second."""
    parts = parts_of("a" * 152 + "€" + "a" * 20)
    assert parts == ["a" * 152, "€" + "a" * 20]


def test_a_surrogate_pair_stays_in_one_part() -> None:
    """An emoji has two code units."""
    assert parts_of("ç" * 66 + "👍" + "ç" * 20) == ["ç" * 66, "👍" + "ç" * 20]


def test_a_letter_and_its_accent_stay_in_one_part() -> None:
    """A combining accent follows its letter into the next part."""
    assert parts_of("ç" * 66 + "e\u0301" + "ç" * 20) == ["ç" * 66, "e\u0301" + "ç" * 20]


@settings(deadline=None)
@given(ANY | SEVEN_BIT)
def test_the_parts_are_the_text(text: str) -> None:
    """Nothing is lost or doubled, each part fits, and as many parts are billed as are sent."""
    parts = parts_of(text)
    assert "".join(parts) == text
    assert len(parts) == segments_of(text).segments
    is_seven_bit = encoding_of(text) is Encoding.GSM_7
    for part in parts:
        units = len(gsm7.encoded(part)) if is_seven_bit else len(part.encode("utf-16-be", "surrogatepass")) // 2
        assert units <= ((160 if is_seven_bit else 70) if len(parts) == 1 else (153 if is_seven_bit else 67))


@settings(deadline=None)
@given(SEVEN_BIT)
def test_septets_are_read_back(text: str) -> None:
    """Encoding and decoding are inverse for every text of the alphabet."""
    assert gsm7.decoded(gsm7.encoded(text)) == text


def test_the_key_verb_of_the_service_is_not_in_the_alphabet() -> None:
    """``anul·lar`` has the flying point, ``gràcies`` fits."""
    with pytest.raises(ValueError, match="no '·'"):
        gsm7.encoded("anul·lar")
    assert gsm7.encoded("gràcies @ €") == b"gr\x7fcies \x00 \x1b\x65"


def test_foreign_bytes_have_a_text() -> None:
    """An unknown escape shows the letter of the basic table; a byte that is no septet shows the sign of replacement."""
    assert gsm7.decoded(b"\x1bA\xff\x1b") == "A\ufffd"
