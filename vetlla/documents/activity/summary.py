"""The first sheet: the figures that matter, and what was not kept."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from vetlla.documents.page import Card, Paragraph, Section, TableBlock
from vetlla.documents.sla.texts import result, subject, threshold
from vetlla.domain.figures import FigureColumn, FigureTable, Form
from vetlla.domain.service_levels import LevelVerdict, PartName

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from vetlla.documents.page import Block
    from vetlla.documents.words import Words
    from vetlla.domain.figures import CellValue
    from vetlla.domain.service_levels import LevelFigure, LevelPart

_MISSED: Final = (
    FigureColumn("ans", Form.NAME),
    FigureColumn("subject", Form.NAME),
    FigureColumn("result", Form.NAME),
    FigureColumn("threshold", Form.NAME),
    FigureColumn("breaches"),
)
_OF_ARRIVALS, _OF_SUPERVISION, _OF_SYSTEM = 11, 13, 18


def cards(
    figures: Sequence[LevelFigure], tables: Mapping[str, FigureTable], minutes: int, words: Words
) -> tuple[Card, ...]:
    """Return the figures that are shown large; ``minutes`` are those of the offered share of ANS 11."""
    return (
        *_people(tables, words),
        _communications(tables, words),
        _share(figures, minutes, words),
        _digital(tables["digital"], words),
        _levels(figures, words),
        _availability(figures, words),
        _silent(figures, tables, words),
        _faults(tables, words),
    )


def front(figures: Sequence[LevelFigure], minutes: int, words: Words) -> tuple[Section, ...]:
    """Return what was not kept, what was not measured, and whether the offered share of ANS 11 was reached."""
    arrivals = next(one for one in figures if one.ans == _OF_ARRIVALS)
    return (
        Section(name="missed", title=words.title("missed"), blocks=tuple(_missed(figures, words))),
        Section(
            name="improvement",
            title=words.text("improvement"),
            blocks=(Paragraph(proof_text(arrivals, minutes, words)),),
        ),
    )


def _missed(figures: Sequence[LevelFigure], words: Words) -> Iterator[Block]:
    rows = tuple(
        (f"ANS {one.ans}", _subject(one, part, words), result(part, words), threshold(part, words), one.breach_count)
        for one in figures
        for part in one.parts
        if part.verdict is LevelVerdict.NOT_KEPT
    )
    if rows:
        yield Paragraph(words.told("missed"))
        yield TableBlock(table=FigureTable(name="missed", columns=_MISSED, rows=rows))
    else:
        yield Paragraph(words.text("all_kept"))
    unmeasured = [f"ANS {one.ans}" for one in figures if one.verdict is LevelVerdict.NOT_MEASURED]
    if unmeasured:
        yield Paragraph(words.text("not_measured_levels", levels=", ".join(unmeasured)))
    else:
        yield Paragraph(words.text("all_measured"))


def _subject(one: LevelFigure, part: LevelPart, words: Words) -> str:
    name = subject(one.ans, words)
    return name if len(one.parts) == 1 else f"{name}: {words.word('part', part.name.value)}"


def proof_text(figure: LevelFigure, minutes: int, words: Words) -> str:
    """Return in a sentence whether the offered share of ANS 11 was reached; ``minutes`` are those of the share."""
    part = next((one for one in figure.parts if one.name is PartName.SHARE), None)
    if part is None:
        return words.text("proof_not_measured")
    if not part.denominator:
        return words.text("proof_none")
    is_reached = part.verdict is LevelVerdict.KEPT
    return words.text(
        "proof_lead",
        judged=words.number(part.denominator),
        within=words.number(part.numerator),
        minutes=words.number(minutes),
        value=result(part, words) or "",
        offered=_required(part, words),
        verdict=words.text("reached" if is_reached else "not_reached"),
    )


# --- cards ------------------------------------------------------------------------------------------------------------


def _people(tables: Mapping[str, FigureTable], words: Words) -> Iterator[Card]:
    homes, people = _total(tables["homes"]), _total(tables["people"])
    changes = next(row for row in tables["changes"].records() if row["who"] == "people")
    note = words.text("card_homes_note", suspended=_number(homes.get("suspended"), words))
    yield Card(name=words.text("card_homes"), value=_number(homes.get("active"), words), notes=(note,))
    note = words.text(
        "card_people_note", joined=_number(changes["joined"], words), left=_number(changes["left"], words)
    )
    yield Card(name=words.text("card_people"), value=_number(people.get("active"), words), notes=(note,))


def _communications(tables: Mapping[str, FigureTable], words: Words) -> Card:
    signals = _count(_total(tables["signals"]).get("received"))
    calls = _count(next((row["number"] for row in tables["calls"].records() if row["call"] == "in"), 0))
    note = words.text("card_communications_note", signals=words.number(signals), calls=words.number(calls))
    return Card(name=words.text("card_communications"), value=words.number(signals + calls), notes=(note,))


def _share(figures: Sequence[LevelFigure], minutes: int, words: Words) -> Card:
    name = words.text("card_share", minutes=words.number(minutes))
    part = _part(figures, _OF_ARRIVALS, PartName.SHARE)
    if part is None:
        return Card(name=name, value=words.text("not_measured_card"))
    if not part.denominator:
        return Card(name=name, value="0", notes=(words.text("card_share_none"),))
    note = words.text(
        "card_share_note",
        within=words.number(part.numerator),
        judged=words.number(part.denominator),
        offered=_required(part, words),
    )
    return Card(name=name, value=result(part, words) or "", notes=(note,))


def _digital(table: FigureTable, words: Words) -> Card:
    row = next(row for row in table.records() if row["demand"] == "terminals")
    wanted = next(one for one in table.columns if one.name == "wanted_share")
    note = words.text(
        "card_digital_note",
        have=_number(row["have"], words),
        of=_number(row["of"], words),
        wanted=words.shown(wanted, row["wanted_share"]),
    )
    return Card(name=words.text("card_digital"), value=words.shown(wanted, row["have_share"]), notes=(note,))


def _levels(figures: Sequence[LevelFigure], words: Words) -> Card:
    counts = {verdict: sum(one.verdict is verdict for one in figures) for verdict in LevelVerdict}
    others = {one.value: words.number(counts[one]) for one in LevelVerdict if one is not LevelVerdict.KEPT}
    return Card(
        name=words.text("card_levels"),
        value=words.number(counts[LevelVerdict.KEPT]),
        notes=(words.text("card_levels_note", **others),),
    )


def _availability(figures: Sequence[LevelFigure], words: Words) -> Card:
    name, part = words.text("card_availability"), _part(figures, _OF_SYSTEM, PartName.AVAILABLE)
    if part is None or part.value is None:
        return Card(name=name, value=words.text("not_measured_card"))
    note = words.text("card_availability_note", required=_required(part, words))
    return Card(name=name, value=result(part, words) or "", notes=(note,))


def _silent(figures: Sequence[LevelFigure], tables: Mapping[str, FigureTable], words: Words) -> Card:
    name, part = words.text("card_silent"), _part(figures, _OF_SUPERVISION, PartName.CHECKED)
    if part is None:
        return Card(name=name, value=words.text("not_measured_card"))
    note = words.text(
        "card_silent_note",
        unchecked=words.number(part.denominator - part.numerator),
        supervised=words.number(part.denominator),
    )
    return Card(name=name, value=words.number(len(tables["silent"].rows)), notes=(note,))


def _faults(tables: Mapping[str, FigureTable], words: Words) -> Card:
    is_open = [row for row in tables["actions"].records() if row["action_state"] in {"open", "overdue"}]
    note = words.text("card_faults_note", actions=words.number(len(is_open)))
    return Card(name=words.text("card_faults"), value=words.number(len(tables["faults"].rows)), notes=(note,))


def _part(figures: Sequence[LevelFigure], ans: int, name: PartName) -> LevelPart | None:
    return next((part for one in figures if one.ans == ans for part in one.parts if part.name is name), None)


def _required(part: LevelPart, words: Words) -> str:
    return result(part._replace(value=Decimal(part.threshold)), words) or ""


def _total(table: FigureTable) -> dict[str, CellValue]:
    return table.records()[-1] if table.rows else {}


def _count(value: CellValue) -> int:
    return value if isinstance(value, int) else 0


def _number(value: CellValue, words: Words) -> str:
    return words.number(_count(value))
