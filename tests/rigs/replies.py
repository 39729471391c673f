"""The corpora of replies, and how well they are understood."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from vetlla.service.reminders.lexicon import Intent
from vetlla.service.reminders.replies import Question, Understood, understand
from vetlla.tasks.reminders.lexicon import load_lexicon

FIXTURES = Path(__file__).parents[2] / "fixtures" / "reminders"
CORPORA = ("written_on", "held_out")
UNCLEAR = "unclear"
LEXICON = load_lexicon()


class Case(NamedTuple):
    """A reply, and what a clerk concludes from it."""

    text: str
    question: Question
    means: str
    number: int | None


class Score(NamedTuple):
    """How often replies of one meaning were understood."""

    understood: int
    replies: int


def cases(corpus: str) -> list[Case]:
    """Return the replies of a corpus."""
    lines = (FIXTURES / f"replies_{corpus}.ndjson").read_text(encoding="utf-8").splitlines()
    return [
        Case(one["text"], Question(one["awaiting"], frozenset(one["offered"])), one["means"], one["number"])
        for one in map(json.loads, lines)
    ]


def read(case: Case) -> Understood:
    """Return how a reply is understood."""
    return understand(case.text, LEXICON, case.question)


def scores(corpus: str) -> dict[str, Score]:
    """Return the score of each meaning. An unclear reply is understood if it is asked back or read by a person."""
    replies, understood = Counter[str](), Counter[str]()
    for case in cases(corpus):
        replies[case.means] += 1
        intent = read(case).intent
        is_right = intent in {Intent.ASK, Intent.NONE} if case.means == UNCLEAR else intent == case.means
        understood[case.means] += is_right
    return {means: Score(understood[means], count) for means, count in sorted(replies.items())}
