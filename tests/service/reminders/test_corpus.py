"""Replies that people write, in both languages: those the lexicon was written on, and those it was not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rigs.replies import CORPORA, UNCLEAR, cases, read, scores
from vetlla.service.reminders.lexicon import Intent

PAGE = Path(__file__).parents[3] / "docs" / "reminders-replies.md"


@pytest.mark.parametrize("corpus", CORPORA)
def test_no_reply_cancels_that_a_clerk_would_not_take_for_a_cancellation(corpus: str) -> None:
    wrong = [case for case in cases(corpus) if read(case).intent is Intent.CANCEL and case.means != Intent.CANCEL]
    assert wrong == []


@pytest.mark.parametrize("corpus", CORPORA)
def test_a_sure_cancellation_names_the_appointment_that_the_citizen_named(corpus: str) -> None:
    for case in cases(corpus):
        reading = read(case)
        if reading.intent is Intent.CANCEL and reading.sure and case.question.awaiting > 1:
            assert reading.number == case.number, case
            assert (reading.number is None) == reading.is_all, case


def test_both_parts_hold_at_least_four_hundred_replies() -> None:
    assert sum(len(cases(corpus)) for corpus in CORPORA) >= 400
    assert {case.text for case in cases("held_out")}.isdisjoint(
        {case.text for case in cases("written_on")} - {"1", "2"}
    )


def test_most_short_replies_are_understood_without_a_question() -> None:
    for corpus in CORPORA:
        short = [case for case in cases(corpus) if len(case.text.split()) <= 3 and case.means in {"confirm", "cancel"}]
        understood = sum(read(case).intent == case.means for case in short)
        assert understood / len(short) > 0.85, corpus


@pytest.mark.parametrize("corpus", CORPORA)
def test_the_page_shows_the_present_figures(corpus: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = [f"| {corpus} | {means} | {score.understood} | {score.replies} |" for means, score in scores(corpus).items()]
    assert [row for row in rows if row not in page] == []
    assert any(f"| {UNCLEAR} |" in row for row in rows)
