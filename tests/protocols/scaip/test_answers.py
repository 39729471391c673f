"""Answers are written strictly and read as a terminal reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vetlla.protocols.scaip.answer import (
    NUMBER_MOST,
    TEXT_MOST,
    AnswerStatus,
    Calling,
    Media,
    ScaipAnswer,
    read_answer,
    write_answer,
)

ACCEPTED = ScaipAnswer(
    "00001883", AnswerStatus.ACCEPTED, media=Media.DUPLEX, calling=Calling.GIVEN, number="gsm:+34900000001"
)


def test_an_accepted_alarm_says_which_number_to_call() -> None:
    assert write_answer(ACCEPTED) == (
        b"<mrs><ref>00001883</ref><snu>0</snu><cve>01.00</cve><mre>1</mre><cre>62</cre><tnu>gsm:+34900000001</tnu></mrs>"
    )


def test_a_heartbeat_and_a_second_request_start_no_call() -> None:
    """Neither ``cre`` nor ``mre`` asks for one (fact sheet of telecare over IP, 1.7)."""
    answer = ScaipAnswer("7", AnswerStatus.ACCEPTED, calling=Calling.NONE, interval=3)
    assert write_answer(answer) == (
        b"<mrs><ref>7</ref><snu>0</snu><cve>01.00</cve><mre>0</mre><cre>0</cre><hbi>3</hbi></mrs>"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        ACCEPTED._replace(number=""),
        ACCEPTED._replace(calling=Calling.PROGRAMMED),
        ACCEPTED._replace(calling=None),
        ACCEPTED._replace(number="tel:" + "9" * NUMBER_MOST),
        ACCEPTED._replace(interval=5),
    ],
)
def test_an_answer_that_contradicts_itself_is_not_written(wrong: ScaipAnswer) -> None:
    with pytest.raises(ValueError, match=r"cre 62|at most"):
        write_answer(wrong)


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=TEXT_MOST)


@given(
    st.builds(
        ScaipAnswer,
        TEXT.filter(bool),
        st.sampled_from(AnswerStatus).map(int),
        TEXT,
        st.sampled_from(Media),
        st.sampled_from([None, Calling.NONE, Calling.PROGRAMMED]),
        st.just(""),
        st.none() | st.integers(0, 4),
    )
)
def test_an_answer_that_was_written_is_read_again(answer: ScaipAnswer) -> None:
    assert read_answer(write_answer(answer)) == answer


def test_a_text_that_is_too_long_is_cut() -> None:
    answer = read_answer(write_answer(ScaipAnswer("1", AnswerStatus.WRONG_DATA, "x" * 200)))
    assert answer is not None
    assert answer.text == "x" * TEXT_MOST


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<mrs/>",
        b"<mrs><ref>1</ref></mrs>",
        b"<mrs><snu>0</snu></mrs>",
        b"<mrs><ref>1</ref><snu>x</snu></mrs>",
        b"<mrq><ref>1</ref><snu>0</snu></mrq>",
    ],
)
def test_what_is_no_answer_is_none(body: bytes) -> None:
    assert read_answer(body) is None


def test_numbers_that_are_not_known_are_taken_as_nothing() -> None:
    answer = read_answer(b"<mrs><ref>1</ref><snu>55</snu><mre>9</mre><cre>9</cre><hbi>1234</hbi></mrs>")
    assert answer == ScaipAnswer("1", 55)
