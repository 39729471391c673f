"""Checks of the emulator and the judge that need no program: forms of frames, and tables that are right or not."""

from __future__ import annotations

import re
import tempfile
import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from bench.line_emulator import ledger, options
from bench.line_emulator.answers import b32
from bench.line_emulator.calls import Calls
from bench.line_emulator.emulator import Emulator
from bench.line_emulator.judge import BY_FRAME, StoredRow, Verdict, judge
from bench.line_emulator.ledger import Ledger
from bench.line_emulator.ways import Way

if TYPE_CHECKING:
    from collections.abc import Iterable

SHAPES: dict[tuple[str, ...], dict[str, str]] = {
    ("mlr2",): {
        "contact-id": r"5\d\d[1-9A-Z] 18\d{4}[ERP]\d{8}\x14",
        "sia": r"S01[1-8]\[#\d{4}\|N[^]]{4,66}\]\x14",
        "basic": r"101[1-8] {6}\d{4} [ARTOCBF][ 1-9][ \d]{2}\d\x14",
        "pulse": r"101[1-8] {6}[ \d]\d{3} [ARTOCBF]   \d\x14",
        "high-speed": r"801[1-8]\d{4} [1-6]{4} [1-6]{4} [789]\x14",
        "status": r"001[0-8]\[#\d{4,10}\|N[A-Z]{2}(\d{4}|\*192\.0\.2\.\d+\*)\]\x14",
        "caller-id": r"401[1-8]  \d{4}\d{3}55501\d\d\x14",
        "two-way": r"101[1-8] {6}0000 P  0[1-8]\x14",
        "heartbeat": r"1011 {11}@ {4}\x14",
    },
    ("mlr2000", "--numeric", "--end", "crlf", "--space"): {
        "contact-id": r"50100[1-8] 18 \d{4}[136]\d{8}\r\n",
        "sia": r"S0100[1-8]\[#\d{4}\|N[^]]{4,66}\]\r\n",
        "basic": r"10100[1-8] {6}\d{4} [ARTOCBF][ 1-9][ \d]{2}\d\r\n",
        "heartbeat": r"101000 {11}@ {4}\r\n",
    },
    ("mlr2", "--account-first", "--numeric", "--end", "none", "--hex", "0.5"): {
        "contact-id": r"501[1-8][0-9B-F]{4}18[136]\d{8}",
    },
    ("ademco685", "--telephone-lines", "20"): {
        "contact-id": r"\n1[0-9A-F] \d{4} 18 [ERP]\d{3} \d\d [CU]\d{3} \r",
        "3x1": r"\n1[0-9A-F] 0\d{3} [1-9A-F]\r",
        "4x1": r"\n1[0-9A-F] \d{4} [1-9A-F]\r",
        "4x2": r"\n1[0-9A-F] \d{4} [1-9A-F] [1-9A-F]\r",
        "high-speed": r"\n1[0-9A-F] \d{4} [1-6]{4} [1-6]{4} [789]\r",
        "system": r"\n1[0-9A-F] (RCVA|RCVB|LINE) [0-9A-F] [0-9A-F]\r",
        "heartbeat": r"\n00 OKAY @ \r",
    },
    ("mx8000", "--caps", "--no-trailing-space"): {
        "4x2": r"\n1[0-9A-F] \d{4} \d{3}A",
        "heartbeat": r"\n00 OKAY @\r",
    },
}
"""What the frames of a model look like, from the tables of the fact sheet."""


def shapes() -> None:
    """See whether all frames look as the tables say, and whether second calls are where they may be."""
    for (model, *more), wanted in SHAPES.items():
        given = options.parse(["--serial", "none", "--model", model, "--events", "3000", *more])
        dialect, seen = options.dialect(given), Counter({"heartbeat": 1})
        calls = Calls(dialect, options.plan(given), Random(3))
        frames = [("heartbeat", dialect.frame(dialect.heartbeat()))]
        while (message := calls.next()) is not None:
            frames.append((message.content.kind, dialect.frame(message.content.text)))
        for kind, frame in frames:
            seen[kind] += 1
            if kind in wanted and not re.fullmatch(wanted[kind], frame.decode("ascii")):
                raise AssertionError(f"a frame of kind {kind} of {model} has another form: {frame!r}")
        if missing := set(wanted) - set(seen):
            raise AssertionError(f"{model} made no {', '.join(missing)}")
        if any(one == later for (_, one), (_, later) in pairwise(frames)):
            raise AssertionError(f"{model} made the same bytes twice with nothing between them")
    if b32(b"x" * 27)[:4] != bytes.fromhex("00000031"):
        raise AssertionError("a B32 header has another form")
    print(f"ok: the frames of {len(SHAPES)} models")


class Yes(Way):
    """A computer that acknowledges whatever it gets."""

    can_close = False
    connected = True
    _answers = 0

    def keep(self, now: float, *, absent: bool) -> bool:
        del now, absent
        return False

    def write(self, data: bytes) -> int:
        self._answers += 1
        return len(data)

    def read(self, wait_s: float) -> bytes:
        if not self._answers and wait_s:
            time.sleep(wait_s)
        answers, self._answers = self._answers, 0
        return b"\x06" * answers

    def close(self, why: str) -> None:
        del why


class Rows:
    """A table in memory."""

    def __init__(self, rows: list[StoredRow]) -> None:
        self._rows = rows

    def rows(self) -> Iterable[StoredRow]:
        return self._rows


def _right(path: Path) -> list[StoredRow]:
    """Return the table of a program that stored all: by frames what has no other form, the rest by contents."""
    rows = []
    for record in ledger.read(path):
        if record["is"] == "event":
            report = str(record["n"])
            frame = record["bytes"] if record["kind"] in BY_FRAME else ""
            rows += [
                StoredRow(**item, frame=frame, report=report, caller=record.get("caller", ""))
                for item in record["found"]
            ]
    return rows


def _found(path: Path, rows: list[StoredRow]) -> Verdict:
    return judge(path, Rows(rows))


def tables(events: int) -> None:
    """Let each model run through all its kinds, and see whether the judge knows right tables from wrong ones."""
    for model in options.MODELS:
        given = options.parse(["--serial", "none", "--model", model, "--events", str(events), "--second-calls", "0.05"])
        dialect = options.dialect(given)
        with tempfile.TemporaryDirectory() as name:
            path = Path(name) / "ledger"
            own = Ledger(path)
            emulator = Emulator(
                options.box(given), dialect, Calls(dialect, options.plan(given), Random(5)),
                faults=options.faults(given), ledger=own, rng=Random(6), way=lambda _told: Yes(),
            )  # fmt: skip
            began = time.perf_counter()
            whole = emulator.run()
            rate = emulator.counts["acknowledged"] / (time.perf_counter() - began)
            own.close()
            rows = _right(path)
            right = _found(path, rows)
            if not (whole and right.passed and right.judged >= 0.8 * events and right.second_calls > 0):
                raise AssertionError(f"{model}: a right table is not right: {right}")
            if model.startswith(("mlr", "sys")) and not (right.callers and not right.callers_wrong):
                raise AssertionError(f"{model}: callers of a right table are not right: {right}")
            times = Counter((row.line, row.account, row.code, row.area, row.zone) for row in rows)
            single = [times[row.line, row.account, row.code, row.area, row.zone] == 1 for row in rows]
            _wrong_tables(path, rows, single.index(True))
        print(f"ok: {model}: tables right and wrong ({rate:,.0f} messages/s without a program)", flush=True)


def _wrong_tables(path: Path, rows: list[StoredRow], place: int) -> None:
    """Change one event in the table, and see whether the judge finds exactly that."""
    without = [*rows[:place], *rows[place + 1 :]]
    for changed, finding in (
        (without, "acknowledged_not_stored"),
        ([*rows, rows[place]], "stored_twice"),
        ([*without, replace(rows[place], count=2)], "stored_twice"),
        ([*rows, replace(rows[place], account="0815")], "stored_unknown"),
    ):
        verdict = _found(path, changed)
        if verdict.passed or getattr(verdict, finding) != 1:
            raise AssertionError(f"the judge does not find {finding}: {verdict}")
