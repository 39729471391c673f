"""Files of cards: any card survives each kind of file, and a bad row is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from tests.rigs.cards import CARD, cards
from vetlla.domain.cards import Card, Contact
from vetlla.service.cards.columns import CARDS
from vetlla.service.cards.rows import HEADING, CardFile, rows_of
from vetlla.tables.mapping import translation
from vetlla.tables.reader import Reader
from vetlla.tables.source import opened
from vetlla.tables.target import write

if TYPE_CHECKING:
    from vetlla.domain.columns import Fault


def taken(path: Path) -> tuple[CardFile, list[Fault]]:
    """Return what a file says, and its faults."""
    file, faults = CardFile(), []
    with opened(path, what="cards") as table:
        reader = Reader(CARDS, table, translation(None))
        faults += reader.faults
        for row, values in reader.read(table.rows):
            faults += values if isinstance(values, list) else file.put(row, values)
    return file, faults


def written(path: Path, *kept: Card) -> Path:
    write(path, HEADING, (row for card in kept for row in rows_of(card)), "cards")
    return path


def of_csv(folder: Path, *rows: str) -> tuple[CardFile, list[Fault]]:
    path = folder / "cards.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return taken(path)


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json", "ndjson"])
@given(card=cards())
@settings(max_examples=40, deadline=None)
def test_any_card_survives_a_file(kind: str, card: Card) -> None:
    """What is exported and imported is the same card, whatever its texts look like."""
    with TemporaryDirectory() as folder:
        file, faults = taken(written(Path(folder) / f"cards.{kind}", card, CARD.__class__(home="H-0002", floor="1")))
    assert faults == []
    assert file.homes["H-0002"].put_into(Card(home="H-0002")) == Card(home="H-0002", floor="1")
    if card != Card(home="H-0001"):
        assert file.homes["H-0001"].put_into(Card(home="H-0001")) == card


def test_a_file_of_contacts_leaves_the_rest_of_a_card(tmp_path: Path) -> None:
    """Its contacts replace all contacts of the home; people and entrance stay."""
    file, faults = of_csv(tmp_path, "home,what,name,order", "H-0001,contact,Ona,2", "H-0001,contact,Quim,1")
    assert faults == []
    expected = replace(CARD, contacts=(Contact(name="Quim"), Contact(name="Ona")))
    assert file.homes["H-0001"].put_into(CARD) == expected


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ("H-0001,contact,,Ona,12,,", "telephones"),
        ("H-0001,contact,,Ona,900 000 1,,", "telephones"),
        ("H-0001,contact,,,900000101,,", "name"),
        ("H-0001,contact,,Ona,,3,", "floor"),
        ("H-0001,contact,,Ona,,,first", "order"),
        ("H-0001,person,,Ona,,,", "code"),
        ("H-0001,person,P-1,Ona,900000101,,", "telephones"),
        ("H-0001,house,,,,3,", "what"),
        (",home,,,,3,", "home"),
    ],
)
def test_a_bad_row_names_its_column(tmp_path: Path, row: str, column: str) -> None:
    """The person who made the file reads in which cell it is wrong."""
    _, faults = of_csv(tmp_path, "home,what,code,name,telephones,floor,order", row)
    assert [(fault.row, fault.column) for fault in faults] == [(2, column)]


@pytest.mark.parametrize(
    ("rows", "column"),
    [(["H-1,home,,", "H-1,home,,"], "what"), (["H-1,person,P-1,A", "H-1,person,P-1,B"], "code")],
)
def test_a_row_that_stands_twice_is_a_fault(tmp_path: Path, rows: list[str], column: str) -> None:
    """Either of them may be the right one."""
    _, faults = of_csv(tmp_path, "home,what,code,name", *rows)
    assert [(fault.row, fault.column) for fault in faults] == [(3, column)]


def test_a_home_has_a_bounded_number_of_contacts(tmp_path: Path) -> None:
    """The twenty-first is refused."""
    rows = [f"H-0001,contact,Contacte {number}" for number in range(21)]
    _, faults = of_csv(tmp_path, "home,what,name", *rows)
    assert [fault.row for fault in faults] == [22]
