"""Whatever a source of service levels can make has a word in each language."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from decimal import Decimal
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import pytest

from tests.documents.sla.test_page import BEGUN_US, OCTOBER, content, t3
from vetlla.documents.html import html
from vetlla.documents.sla.breaches import hours_chart
from vetlla.documents.sla.groups import days_chart, group_table, name_of
from vetlla.documents.sla.page import level_page
from vetlla.documents.sla.parameters import footnote
from vetlla.documents.words import Language, Words, words_of
from vetlla.domain.clock import DAY_US
from vetlla.domain.communications import CommunicationSource
from vetlla.domain.devices import DeviceType
from vetlla.domain.service_levels import GroupedBy, LevelGroup, LevelNote, LevelPart, LevelVerdict, PartName
from vetlla.domain.signals import Priority
from vetlla.service.calls.proofs import Proof
from vetlla.settings.shipped import duty_kinds_file, parameters_file
from vetlla.tasks.supervision.month import NAMELESS, TERMINAL, UCR

if TYPE_CHECKING:
    from collections.abc import Iterator

LANGUAGES: Final = {language: words_of(files("vetlla.documents.sla"), language) for language in Language}
SAID: Final[dict[str, set[str]]] = {
    "part": set(PartName) | {proof.value for proof in Proof},
    "by": set(GroupedBy),
    "note": set(LevelNote),
    "came": set(CommunicationSource),
    "priority": {one.name.lower() for one in Priority},
    "left_out": {"routine", "tests", "abandoned"},
    "device": set(DeviceType),
}
"""Table of words -> what a source can make."""
OF_LEVELS: Final = ("sla.", "availability.", "calls.t3", "umo.offered_share", "umo.share_minutes", "complaint")


def parameters() -> Iterator[tuple[str, object, str]]:
    """Yield name, value and unit of each shipped parameter that a figure of a level can rest on."""
    kinds = tomllib.loads(duty_kinds_file().read_text(encoding="utf-8"))
    behind: set[str] = set()
    for kind in kinds.values():
        if kind.get("ans"):
            behind.add(kind.get("limit", ""))
            behind.update(value for value in kind.get("judged", {}).values() if isinstance(value, str))
            behind.update(stop.get("only_if", "") for stop in kind.get("stops", {}).values())
    for one in tomllib.loads(parameters_file().read_text(encoding="utf-8"), parse_float=Decimal)["parameter"]:
        if one["name"] in behind or one["name"].startswith(OF_LEVELS):
            yield one["name"], one["value"], one["unit"]


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_each_group_part_and_note_has_a_word(words: Words) -> None:
    for table, values in SAID.items():
        assert values - words.data["words"][table].keys() == set(), table
    for kind in (TERMINAL, UCR, NAMELESS):
        assert name_of(LevelGroup(GroupedBy.KIND, kind, 1, 1), words) != NAMELESS
    assert name_of(LevelGroup(GroupedBy.BASE, "", 1, 1), words)


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_each_parameter_behind_a_level_is_said_in_words(words: Words) -> None:
    """No name of the program is left, and the words of another language neither."""
    found = list(parameters())
    assert len(found) > 25
    for name, value, unit in found:
        told = footnote(name, value, unit, words)  # type: ignore[arg-type]
        assert not told.startswith(name)
        assert words.language is Language.EN or unit in {"%", "s"} or unit not in told.partition(":")[2], told
        if isinstance(value, str):
            assert not value or value in words.data["words"]["option"]
        else:
            assert unit in words.data["words"]["unit"]
            assert unit in words.data["words"]["unit_one"]
    units = (words.data["words"][table].keys() for table in ("unit", "unit_one"))
    assert len({frozenset(names) for names in units}) == 1


def test_footnotes_are_written_as_the_language_writes_numbers() -> None:
    catalan, english = LANGUAGES[Language.CA], LANGUAGES[Language.EN]
    share = ("availability.share.access", Decimal("99.9"), "% of the time")
    assert footnote(*share, catalan).endswith(": 99,9\u00a0% del temps")
    assert footnote(*share, english).endswith(": 99.9% of the time")
    assert footnote("duty.fault_visit.limit", 1, "working days", catalan).endswith(": 1\u00a0dia hàbil")
    assert footnote("duty.fault_visit.limit", 2, "working days", catalan).endswith(": 2\u00a0dies hàbils")
    assert footnote("sla.month.11", "opened", "due or opened", catalan) == (
        "Mes en què compta un cas (ANS 11): mes en què s\u2019obre"
    )
    assert "(mqtt): 3" in footnote("availability.weight.mqtt", 3, "share of the system", catalan)
    assert footnote("availability.components.system", "", "names", catalan).endswith(": cap")


HOUR_US: Final = 3_600_000_000


def test_availability_is_shown_as_time_by_component_and_by_day() -> None:
    """Microseconds are no numbers for people; what was lost has a chart, and a note says what is not in it."""
    lost = HOUR_US - 1
    part = LevelPart(PartName.AVAILABLE, 720 * HOUR_US - lost, 720 * HOUR_US, Decimal("99.9"), "%", Decimal("99.86"),
                     LevelVerdict.NOT_KEPT)  # fmt: skip
    groups = (
        LevelGroup(GroupedBy.DAY, "2026-10-01", 24 * HOUR_US - lost, 24 * HOUR_US),
        LevelGroup(GroupedBy.DAY, "2026-10-02", 24 * HOUR_US, 24 * HOUR_US),
        LevelGroup(GroupedBy.COMPONENT, "mqtt", 720 * HOUR_US - lost, 720 * HOUR_US),
        LevelGroup(GroupedBy.UNSEEN, "mqtt", 0, 720 * HOUR_US),
    )
    found = replace(t3(OCTOBER), ans=18, parts=(part,), groups=groups, spreads=(), notes=tuple(LevelNote), breaches=())
    page = html(level_page(replace(content(), figures=[found]), Language.CA))
    for text in ("719\u00a0h 0\u00a0min 0\u00a0s", "720\u00a0h 0\u00a0min 0\u00a0s", "99,86\u00a0%", ">60</text>",
                 "El temps que cap sonda no va observar", "minuts no disponibles"):  # fmt: skip
        assert text in page, text
    assert "temps no observat" not in page  # no time was unseen
    kept = replace(found, groups=(groups[1],))
    assert days_chart(kept, LANGUAGES[Language.CA]) == group_table(kept, LANGUAGES[Language.CA]) == []


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_a_running_month_says_once_that_it_is_not_over(words: Words) -> None:
    """A level that has nothing else to show gets no section for it."""
    plain = replace(t3(OCTOBER), spreads=(), breaches=(), breach_count=0, undecided=0, unmeasured=0, groups=())
    runs = [replace(plain, ans=ans, notes=(LevelNote.MONTH_RUNS,)) for ans in (3, 6)]
    page = html(level_page(replace(content(), figures=runs), Language(words.language)))
    assert page.count(words.text("running")) == 1
    assert page.count(words.word("note", "month_runs")) == words.text("running").count(words.word("note", "month_runs"))
    assert words.text("running") not in html(level_page(replace(content(), figures=[plain]), Language(words.language)))


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_a_level_of_which_the_journal_lacks_signals_says_why(words: Words) -> None:
    lacks = replace(t3(OCTOBER), parts=(), spreads=(), breaches=(), notes=(LevelNote.JOURNAL_REMOVED,))
    page = html(level_page(replace(content(), figures=[lacks]), Language(words.language)))
    assert words.word("note", "journal_removed") in page


def test_a_share_of_a_group_never_looks_whole_if_a_case_is_missing() -> None:
    groups = tuple(LevelGroup(GroupedBy.BASE, base, 199_999, 200_000) for base in ("NORD", ""))
    page = html(level_page(replace(content(), figures=[replace(t3(OCTOBER), groups=groups)]), Language.EN))
    assert "99.99%" in page
    assert "not known" in page
    alone = replace(t3(OCTOBER), groups=(LevelGroup(GroupedBy.SOURCE, "phone", 1, 2),))
    assert group_table(alone, LANGUAGES[Language.EN]) == []


def test_a_column_without_a_value_is_left_out() -> None:
    """A call has no term, and no end of its own."""
    page = html(level_page(content(), Language.CA))
    assert "Domicili</th>" in page
    assert "Límit</th>" not in page


def test_only_cases_with_an_hour_have_a_chart_of_hours() -> None:
    """A planned call begins when its day does: that is no hour."""
    zone, found = content().zone, t3(OCTOBER)
    assert len(hours_chart(found, zone, LANGUAGES[Language.CA])) == 1
    midnight_us = BEGUN_US // DAY_US * DAY_US - 2 * 3_600_000_000  # of Madrid, in summer
    planned = tuple(breach._replace(begun_us=midnight_us) for breach in found.breaches)
    assert hours_chart(replace(found, breaches=planned), zone, LANGUAGES[Language.CA]) == []


def test_a_device_is_named_by_words_and_its_serial_number() -> None:
    found = t3(OCTOBER)
    breach = found.breaches[0]._replace(what="renewal", number="7", subject="smoke:SMO1")
    odd = breach._replace(subject="level:2", number="8")
    page = html(level_page(replace(content(), figures=[replace(found, breaches=(breach, odd))]), Language.CA))
    assert "renovació 7: detector de foc/fum SMO1" in page
    assert "renovació 8: level:2" in page
