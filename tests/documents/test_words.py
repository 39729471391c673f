"""Both languages have every word of the report, and write numbers and days as the city does."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest

from vetlla.documents.words import Language, Words, words_of
from vetlla.domain.figures import FigureColumn, Form
from vetlla.domain.messages import Channel, MessageKind
from vetlla.domain.outbox import MessageReason
from vetlla.domain.reminder_counts import Fate, Presence
from vetlla.service.reminders.rates import SEGMENT, SERVICE, UTILITY
from vetlla.service.reminders.report.replies import ReplySense
from vetlla.store.reminders.cancellations import CancellationState

CA, ES = (words_of(files("vetlla.documents.reminders"), language) for language in (Language.CA, Language.ES))
NOT_SENT = {reason.value for reason in MessageReason}
SAID: dict[str, set[str]] = {
    "channel": set(Channel) | {"total"},
    "kind": set(MessageKind),
    "language": {"ca", "es", "none"},
    "fate": {Fate.FAILED, Fate.REFUSED, Fate.SUPPRESSED, Fate.EXPIRED, Fate.WAITING},
    "reason": NOT_SENT | {"none"},
    "why": set(Fate) | {"moved", "cancelled", "no_phone", "landline", "opted_out", "too_late", "no_channel", "paused"},
    "end": set(Presence) | {"total"},
    "answer": {"confirmed", "cancelled_by_citizen", "cancelled_elsewhere", "no_answer", "total"},
    "by": {"cancelled_by_citizen", "cancelled_elsewhere", "total"},
    "group": {"confirmed", "no_answer", "not_reached", "not_sent", "none", "held_back"},
    "billed": {"yes", "no", "not_told"},
    "category": {UTILITY, SERVICE, SEGMENT, "marketing", "authentication", "not_told"},
    "told_by": {"meta", "assumed"},
    "sense": set(ReplySense) | {"total"},
    "state": set(CancellationState),
    "before": set(Channel) | {"none"},
}
"""What the cells of each column can say."""


def keys(data: dict[str, Any], above: str = "") -> set[str]:
    """Return the names of all values, with the tables that they stand in."""
    found: set[str] = set()
    for name, value in data.items():
        found |= keys(value, f"{above}{name}.") if isinstance(value, dict) else {above + name}
    return found


def test_both_languages_say_the_same_things() -> None:
    assert keys(dict(CA.data)) == keys(dict(ES.data))


@pytest.mark.parametrize("words", [CA, ES], ids=["ca", "es"])
@pytest.mark.parametrize("column", SAID)
def test_every_word_of_a_column_is_translated(words: Words, column: str) -> None:
    for value in SAID[column]:
        own = words.data["words"].get(column, {})
        assert value in own or value in words.data["words"]["any"], value


def test_a_word_that_is_not_known_stays_as_it_is() -> None:
    """Meta may bill in a category of tomorrow."""
    assert CA.word("category", "utility_lite") == "utility_lite"


def test_places_of_sentences_are_the_same_in_both_languages() -> None:
    places = [{one.split("}")[0] for one in str(text).split("{")[1:]} for words in (CA, ES)
              for text in words.data["page"].values()]  # fmt: skip
    half = len(places) // 2
    assert places[:half] == places[half:]


def test_days_are_written_as_each_language_does() -> None:
    assert CA.day(date(2026, 10, 1)) == "1 d\u2019octubre de 2026"
    assert CA.day(date(2026, 3, 31)) == "31 de març de 2026"
    assert ES.day(date(2026, 10, 1)) == "1 de octubre de 2026"
    assert [words.short_day(date(2026, 11, 3)) for words in (CA, ES)] == ["3/11/2026", "3/11/2026"]


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (Form.COUNT, 0, "0"),
        (Form.COUNT, 1_234_567, "1.234.567"),
        (Form.SHARE, Decimal("0.1235"), "12,4\u00a0%"),
        (Form.SHARE, Decimal(1), "100,0\u00a0%"),
        (Form.POINTS, Decimal("-0.0513"), "\u22125,1"),
        (Form.POINTS, Decimal("0.0513"), "+5,1"),
        (Form.EUR, Decimal("1234.567"), "1.234,57\u00a0€"),
        (Form.EUR, Decimal(0), "0,00\u00a0€"),
        (Form.HOURS, Decimal("23.5"), "23,5"),
        (Form.DAY, date(2026, 11, 3), "3/11/2026"),
        (Form.NAME, "46", "46"),
        (Form.NAME, "yes", "yes"),
        (Form.SHARE, None, "\u2013"),
    ],
)
def test_figures_are_written_as_people_read_them(form: Form, value: Any, text: str) -> None:  # noqa: ANN401
    assert CA.shown(FigureColumn("figure", form), value) == text
