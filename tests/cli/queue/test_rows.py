"""Open alarms on a terminal: a person can type again what they see, and no column pushes another aside."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from rich.console import Console, Group

from tests.cli.board.test_board import AT, STATUS, alarm
from vetlla.cli.board.screen import BoardPicture, screen
from vetlla.cli.queue.rows import MARKS, WHY_MOST, heads, layout, lines, table
from vetlla.cli.queue.words import about

if TYPE_CHECKING:
    from rich.console import RenderableType

SIZES = pytest.mark.parametrize("width", [80, 100, 132, 200])
HOMES = ["H-0017", "001017000000019", "08019/GRACIA-0000412", "h" * 64]
QUEUE = [
    alarm(1, home=HOMES[0], state="claimed", operator="marta"),
    alarm(23_456, home=HOMES[1], state="answered", operator="an.operator.with.a.name.of.32.ch", unknown_account=True),
    alarm(1_234_567, home=HOMES[2], priority="HOME_RISK", kind="intrusion", t3_s=86_400 * 12, age_s=86_400 * 12),
    alarm(7, home=HOMES[3], priority="TECHNICAL", runaway=True, warned="2026-11-21T22:33:00Z", lapsed="x"),
    alarm(8, home="", on_test=True, runaway=True, unknown_account=True, escalated=2),
]
STATES = ["claimed", "answered", "waiting", "waiting", "waiting"]
PLACES = ["     ", "  U  ", "     ", " R WL", "TRUE "]


def drawn(width: int, *renderables: RenderableType) -> list[str]:
    """Return the lines of a terminal of this width."""
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(Group(*renderables))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def rows(width: int) -> tuple[str, list[str]]:
    """Return the line of column names, and for each alarm the line that has its state."""
    columns = layout(QUEUE, width)
    shown = [drawn(width, *lines(one, columns, width, whole=False)) for one in QUEUE]
    (head,) = drawn(width, heads(columns))
    return head, [line for block in shown for line in block[:2] if any(f" {state} " in line for state in STATES)]


@SIZES
def test_every_column_is_under_its_name(width: int) -> None:
    """Long homes, names, times and many marks do not move the columns of state, operator and marks."""
    head, found = rows(width)
    assert len(found) == len(QUEUE)
    for line, state, places in zip(found, STATES, PLACES, strict=True):
        assert line[head.index("state") :].startswith(f"{state} ")
        assert line[head.index("marks") :][: len(places)].ljust(len(places)) == places
        assert len(line) <= width
    assert [line[head.index(" by") + 1 :].split(" ")[0][:5] for line in found] == ["marta", "an.op", "", "", ""]


@SIZES
@pytest.mark.parametrize("whole", [True, False])
def test_numbers_and_identifiers_are_whole(width: int, *, whole: bool) -> None:
    """An operator types the home again, so it is whole beside the alarm's number, however long it is."""
    columns = layout(QUEUE, width)
    for one in QUEUE:
        first = drawn(width, *lines(one, columns, width, whole=whole))[0]
        assert first[1:].split()[0] == str(one["id"])
        assert one["home"] in first.split() or not one["home"]


@SIZES
def test_the_list_cuts_only_text_that_is_shown_again_below(width: int) -> None:
    """Reasons, repetitions, the words of an operator who asks for a supervisor, and the meaning of marks are there."""
    told = {"told_again": 2, "last_told_again": "2026-11-21T22:33:01Z"}
    asks = {"escalated": 1, "escalated_by": "marta", "escalated_why": "no answer, door locked " + "x" * 100}
    queue = [*QUEUE, alarm(9, why="personal_emergency 101 from the bathroom " + "y" * 100, **told, **asks)]
    text = "\n".join(line.plain for line in table(queue, width))
    assert text.count("personal_emergency 101 from 001, 2 signals") == len(QUEUE)
    assert f"{'y' * 100}, 2 signals, told again twice, last at 23:33:01 CET" in text
    assert f"marta asks for a supervisor: no answer, door locked {'x' * 100}" in text
    assert all(f"{letter} {said}" in text.splitlines()[-1] for letter, said in MARKS.items())


@SIZES
def test_the_board_shows_the_words_of_an_operator_who_asks_for_a_supervisor(width: int) -> None:
    """The words are below the alarm; an escalation by the receiver itself has no words."""
    queue = [
        alarm(1, escalated=1, escalated_by="marta", escalated_why="no answer, door locked"),
        alarm(2, escalated=1, escalated_by="receiver", escalated_why="unanswered"),
    ]
    shown = drawn(width, screen(BoardPicture(at=AT, status=STATUS, alarms=queue), width, 30))
    assert sum("asks for a supervisor" in line for line in shown) == 1
    (asked,) = [number for number, line in enumerate(shown) if "marta asks for a supervisor: no answer" in line]
    assert shown[asked - 1].split()[:2] == ["●", "1"]
    assert shown[asked + 1].split()[:2] == ["●", "2"]


@SIZES
def test_no_line_of_the_board_is_longer_than_the_terminal(width: int) -> None:
    """An alarm of two lines is shown whole, or counted among those that are left out."""
    for height in (18, 24, 40):
        shown = drawn(width, screen(BoardPicture(at=AT, status=STATUS, alarms=QUEUE * 6), width, height))
        assert len(shown) <= height
        assert max(map(len, shown)) <= width
        (more,) = [line for line in shown if line.startswith("and ")]
        assert sum(line.startswith(("●", "○")) for line in shown) + int(more.split()[1]) == len(QUEUE) * 6


@SIZES
@pytest.mark.parametrize("name", ["名前の家です", "Martí", "🏠 12", "\uff28-0017"])
def test_wide_and_combining_characters_do_not_move_the_columns(width: int, name: str) -> None:
    """The marks of such a home are under their heading, and no mark is cut."""
    queue = [alarm(1, escalated=1), alarm(2, home=name, operator=name, state="claimed", escalated=1, lapsed="x")]
    shown = drawn(width, screen(BoardPicture(at=AT, status=STATUS, alarms=queue), width, 30))
    head = next(line for line in shown if " marks" in line)
    (row,) = [line for line in shown if line.startswith("● ") and name in line]
    before = row[: row.index("claimed")]
    assert cell_len(before) == head.index("state")
    assert cell_len(row[: row.rindex("EL")]) == head.index("marks") + 3


def test_a_reason_that_a_stranger_made_long_takes_one_line() -> None:
    """`queue show` has the rest of it; the text behind it in the line is still visible."""
    long = alarm(9, why="unknown 7 from zone " + "0" * 16_000) | {"lease_s": None}
    (line,) = drawn(1_000, about(long, "opened"))
    assert "… (queue show 9)" in line
    assert line.endswith("s)")
    assert sum(len(one) for one in drawn(200, *lines(long, layout([long], 200), 200, whole=True))) < 2 * WHY_MOST
