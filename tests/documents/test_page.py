"""The page of a report: whole in itself, in its language, with a table for each chart, and safe for any text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from html.parser import HTMLParser

import pytest

from vetlla.documents.html import html
from vetlla.documents.reminders.report import ReportContent, report_page
from vetlla.documents.words import Language
from vetlla.domain.reminder_counts import (
    AppointmentCount,
    Fate,
    MessageCount,
    PeriodCounts,
    Presence,
    Reminding,
    ReportPeriod,
)  # fmt: skip
from vetlla.service.reminders.rates import RateCard
from vetlla.service.reminders.report.report import make_report

HOSTILE = "<script>alert(1)</script>\"'&</style>"
NOW = datetime(2026, 12, 1, 9, 5, tzinfo=UTC)
VOID = frozenset({"meta", "rect"})


class Reader(HTMLParser):
    """Reads a page, and fails if an element is not closed where it should be."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and "style" not in self.open:
            self.texts.append(data.strip())

    def tags(self, name: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements of a name."""
        return [attributes for tag, attributes in self.attributes if tag == name]


def period(month: int, office: str = "") -> ReportPeriod:
    """Return three days of a month."""
    return ReportPeriod(
        first=date(2026, month, 1), last=date(2026, month, 3), begin=datetime(2026, month, 1, tzinfo=UTC),
        end=datetime(2026, month, 4, tzinfo=UTC), office=office,
    )  # fmt: skip


def page(language: Language = Language.CA, *, office: str = "", name: str = "46", empty: bool = False) -> str:
    """Return the page of a small report."""
    counts = PeriodCounts(period=period(11, office))
    before = PeriodCounts(period=period(9, office))
    if not empty:
        came = AppointmentCount(
            office=name, presence=Presence.CAME, reminding=Reminding.REMINDED, why="", is_confirmed=True, is_drawn=True,
            appointments=9,
        )  # fmt: skip
        absent = came._replace(presence=Presence.NO_SHOW, reminding=Reminding.NOT_SENT, why=name, is_confirmed=False)
        sent = MessageCount(
            kind="reminder", channel="whatsapp", template=name, language="ca", day=date(2026, 11, 2), fate=Fate.FAILED,
            reason="", code=name, category="", is_billable=None, messages=9, segments=0, opened=9,
        )  # fmt: skip
        seen = (came, absent)
        counts = PeriodCounts(period=period(11, office), appointments=seen, messages=(sent,))
        before = PeriodCounts(period=period(9, office), appointments=seen)
    made = make_report(counts, RateCard(), NOW, before=before, unmarked=True)
    content = ReportContent(
        period=made.period, compared_with=made.compared_with, made_at=NOW, unmarked_is_no_show=True,
        tables={table.name: table for table in made.tables},
    )  # fmt: skip
    return html(report_page(content, language))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.CA, ["Període: 1 de novembre de 2026 \u2013 3 de novembre de 2026, tots dos inclosos",
                       "Data d\u2019elaboració: 1 de desembre de 2026, 9.05 h", "Absentisme per oficina"]),
        (Language.ES, ["Periodo: 1 de noviembre de 2026 \u2013 3 de noviembre de 2026, ambos incluidos",
                       "Fecha de elaboración: 1 de diciembre de 2026, 9:05 h", "Absentismo por oficina"]),
    ],
)  # fmt: skip
def test_the_page_is_in_its_language(language: Language, said: list[str]) -> None:
    read = Reader(page(language))
    assert read.tags("html") == [{"lang": language.value}]
    assert set(said) <= set(read.texts)
    assert [text for text in read.texts if "{" in text or "_" in text] == []


def test_the_page_needs_no_other_file() -> None:
    """No style, script, picture or letter comes from elsewhere, so it can be kept and sent as one file."""
    text = page()
    read = Reader(text)
    assert {"link", "script", "img", "iframe", "object"} & {tag for tag, _ in read.attributes} == set()
    assert "@import" not in text
    assert "url(" not in text
    assert [value for _, found in read.attributes for name, value in found.items() if name in {"href", "src"}] == []


def test_each_chart_has_a_title_and_a_table_beside_it() -> None:
    read = Reader(page())
    pictures = [found for found in read.tags("svg") if found.get("role") == "img"]
    assert len(pictures) == len(read.tags("svg")) == len(read.tags("figcaption")) == 3
    assert all(found["aria-label"] for found in pictures)
    names = {found.get("aria-labelledby") for found in read.tags("table")}
    assert {"groups", "compared", "days"} <= names <= {found.get("id") for found in read.tags("h3")}


def test_every_table_has_headings_of_columns_and_rows() -> None:
    read = Reader(page())
    scopes = [found.get("scope") for found in read.tags("th")]
    assert set(scopes) == {"col", "row"}
    assert scopes.count("row") == len(read.tags("tr")) - len(read.tags("table"))


@pytest.mark.parametrize("language", [Language.CA, Language.ES])
def test_a_hostile_text_is_shown_and_does_nothing(language: Language) -> None:
    """The name of an office, of a template and a provider's code come from elsewhere."""
    text = page(language, office=HOSTILE, name=HOSTILE)
    read = Reader(text)
    assert "<script" not in text.lower()
    assert text.lower().count("</style>") == 1
    assert HOSTILE in read.texts
    assert any(HOSTILE in one for one in read.texts if one != HOSTILE)  # the line of the office


def test_an_empty_period_has_a_page_too() -> None:
    read = Reader(page(empty=True))
    assert "No n\u2019hi ha cap en aquest període." in read.texts
    assert "NaN" not in " ".join(read.texts)
