"""Files of invoiced lines."""

from __future__ import annotations

import json
import re
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from vetlla.domain.errors import UsageError
from vetlla.tasks.budget.invoiced import invoiced_lines

if TYPE_CHECKING:
    from pathlib import Path

LINE = {"month": "2026-11", "concept": "umo", "units": "2", "price": "99.00", "amount": "198.00", "vat": "4"}


def written(folder: Path, *rows: object, name: str = "lines.ndjson") -> Path:
    """Write rows as JSON, one a line."""
    file = folder / name
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return file


def test_lines_by_month(tmp_path: Path) -> None:
    """What the budget does not need is ignored; reductions may have several lines, and blank lines are none."""
    reduction = LINE | {"concept": "ans_reduction", "amount": "-1.50", "notes": []}
    file = written(tmp_path, LINE, reduction, reduction | {"vat": "21"}, LINE | {"month": "2026-12"})
    file.write_text(file.read_text() + "\n\n")
    found = invoiced_lines([file])
    assert {month: [(one.concept, one.amount, one.vat) for one in lines] for month, lines in found.items()} == {
        date(2026, 11, 1): [
            ("umo", Decimal("198.00"), Decimal(4)),
            ("ans_reduction", Decimal("-1.50"), Decimal(4)),
            ("ans_reduction", Decimal("-1.50"), Decimal(21)),
        ],
        date(2026, 12, 1): [("umo", Decimal("198.00"), Decimal(4))],
    }


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (LINE | {"month": "2026-13"}, "line 1: month: "),
        (LINE | {"amount": "1.005"}, "line 1: amount: "),
        (LINE | {"amount": "NaN"}, "line 1: amount: "),
        (LINE | {"vat": "-4"}, "line 1: vat: "),
        (LINE | {"concept": "a b"}, "line 1: concept: "),
        ({"month": "2026-11"}, "concept: Field required"),
        ([], "line 1: "),
    ],
)
def test_a_line_that_is_none_of_an_invoice_is_refused(tmp_path: Path, row: object, message: str) -> None:
    """The error names the file, the line and the field."""
    with pytest.raises(UsageError, match=re.escape(message)):
        invoiced_lines([written(tmp_path, row)])


def test_other_files_are_refused(tmp_path: Path) -> None:
    """A file that is no JSON, no text, or not there."""
    for content, message in ((b"month,amount\n", "line 1: "), (b"\xff\xfe\x00", "not UTF-8 text")):
        file = tmp_path / "other"
        file.write_bytes(content)
        with pytest.raises(UsageError, match=message):
            invoiced_lines([file])
    with pytest.raises(UsageError, match="No such file"):
        invoiced_lines([tmp_path / "absent"])


def test_no_month_counts_twice(tmp_path: Path) -> None:
    """Neither in two files, nor in one that has a concept twice."""
    with pytest.raises(UsageError, match="2026-11 has umo twice"):
        invoiced_lines([written(tmp_path, LINE, LINE)])
    files = [written(tmp_path, LINE), written(tmp_path, LINE | {"concept": "mimal"}, name="other.ndjson")]
    with pytest.raises(UsageError, match="2026-11 is in "):
        invoiced_lines(files)
